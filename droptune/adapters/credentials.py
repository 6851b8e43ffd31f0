"""Tokens of the app's identity for Azure's services."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from droptune.domain.errors import RequestRejectedError, TransientError

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, TokenCredential

OPENAI_SCOPE = (
    "https://ai.azure.com/.default"  # Source: facts 1.1; older: cognitiveservices.azure.com
)
RESOURCE_MANAGER_SCOPE = "https://management.azure.com/.default"


class AzureIdentity:
    """The managed identity in Azure, the developer's own elsewhere; loaded at first use."""

    def __init__(
        self, client_id: str | None = None, *, credential: TokenCredential | None = None
    ) -> None:
        """Name a user-assigned identity by its client id, or take what the environment offers."""
        self._client_id = client_id
        self._given = credential

    @property
    def credential(self) -> TokenCredential:
        """This identity, as the SDK of Azure Storage takes it."""
        return self

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """Return a token, as TokenCredential promises."""
        return self._loaded.get_token(*scopes, **options)

    @cached_property
    def _loaded(self) -> TokenCredential:
        if self._given is not None:
            return self._given
        from azure.identity import DefaultAzureCredential

        return DefaultAzureCredential(managed_identity_client_id=self._client_id)

    def token(self, scope: str) -> Callable[[], str]:
        """Return a function that returns a valid token at each call; the credential keeps it."""

        def provide() -> str:
            from azure.core.exceptions import AzureError, ClientAuthenticationError

            try:
                return self.get_token(scope).token
            except ClientAuthenticationError as error:
                raise RequestRejectedError(
                    f"no token for {scope}",
                    status=401,
                    remedy="Give the app a managed identity, or sign in with `az login`.",
                ) from error
            except AzureError as error:
                raise TransientError(f"no token for {scope}: {type(error).__name__}") from error

        return provide
