"""Tokens of the app's identity for Azure's services."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from droptune.domain.errors import RequestRejectedError, TransientError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

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

    @cached_property
    def credential(self) -> TokenCredential:
        """The credential, as the SDKs of Azure Storage take it."""
        if self._given is not None:
            return self._given
        from azure.identity import DefaultAzureCredential

        return DefaultAzureCredential(managed_identity_client_id=self._client_id)

    def token_provider(self, scope: str) -> Callable[[], str]:
        """Return a function that returns a valid token at each call; the credential keeps it."""

        def token() -> str:
            from azure.core.exceptions import AzureError, ClientAuthenticationError

            try:
                return self.credential.get_token(scope).token
            except ClientAuthenticationError as error:
                raise RequestRejectedError(
                    f"no token for {scope}",
                    status=401,
                    remedy="Give the app a managed identity, or sign in with `az login`.",
                ) from error
            except AzureError as error:
                raise TransientError(f"no token for {scope}: {type(error).__name__}") from error

        return token
