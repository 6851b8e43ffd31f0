"""What a failing blob operation means to us."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from droptune.adapters.failures import Refusal
from droptune.domain.errors import (
    BlobNotFoundError,
    ConflictError,
    DroptuneError,
    TransientError,
)

if TYPE_CHECKING:
    from azure.core.exceptions import AzureError, HttpResponseError

_TRANSIENT_CONFLICTS = frozenset({"ContainerBeingDeleted", "OperationTimedOut"})


def failure(error: AzureError, path: str) -> DroptuneError:
    """Return our error for one of the SDK's; `path` is container and blob.

    Source: Blob service error codes: 409 and 412 say that a condition or a lease did not hold. A
    missing container is a lasting no, any other 404 a missing blob.
    """
    from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

    if not isinstance(error, HttpResponseError) or error.status_code is None:
        if isinstance(error, ClientAuthenticationError):
            return Refusal(doing=path, status=401).error(datetime.now(UTC))
        return TransientError(f"{path}: no answer ({type(error).__name__})")
    code = _code(error)
    if error.status_code in (409, 412) and code not in _TRANSIENT_CONFLICTS:
        return ConflictError(f"{path}: {code or error.status_code}")
    if error.status_code == 404 and code != "ContainerNotFound":
        return BlobNotFoundError(f"{path} does not exist")
    headers = dict(getattr(error.response, "headers", {}))
    refusal = Refusal(doing=path, status=error.status_code, body={"code": code}, headers=headers)
    return refusal.error(datetime.now(UTC))


def _code(error: HttpResponseError) -> str:
    code = getattr(error, "error_code", None)  # set by azure-storage, absent in azure-core
    return str(getattr(code, "value", code) or "")
