"""Tokens, where Azure's identity library says no."""

from __future__ import annotations

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from droptune.adapters.credentials import OPENAI_SCOPE, AzureIdentity
from droptune.domain.errors import RequestRejectedError, TransientError


class Credential:
    """A credential that answers, or raises what it was told to."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.scopes: list[str] = []

    def get_token(self, *scopes: str, **options: object) -> AccessToken:
        self.scopes.extend(scopes)
        if self.error:
            raise self.error
        return AccessToken("a-token", 4_000_000_000)


def test_token_is_asked_for_its_scope() -> None:
    """A provider returns the token of its scope, at each call anew."""
    credential = Credential()
    token = AzureIdentity(credential=credential).token(OPENAI_SCOPE)

    assert (token(), token()) == ("a-token", "a-token")
    assert credential.scopes == [OPENAI_SCOPE] * 2


def test_missing_identity_is_a_lasting_no_with_a_remedy() -> None:
    """Who has no identity learns what to do."""
    credential = Credential(ClientAuthenticationError("no identity"))

    with pytest.raises(RequestRejectedError) as raised:
        AzureIdentity(credential=credential).token(OPENAI_SCOPE)()

    assert (raised.value.status, bool(raised.value.remedy)) == (401, True)


def test_identity_endpoint_that_does_not_answer_is_transient() -> None:
    """The identity endpoint may come back."""
    credential = Credential(ServiceRequestError("no route"))

    with pytest.raises(TransientError):
        AzureIdentity(credential=credential).token(OPENAI_SCOPE)()
