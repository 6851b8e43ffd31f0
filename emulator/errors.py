"""Refusals, in the three shapes in which Azure writes them."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse


class ApiError(Exception):
    """An answer that is a refusal; `code` and `message` as on the wire."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def response(self, *, v1: bool = False) -> JSONResponse:
        """Return the error body; v1 adds the object's type.

        Source: `AzureErrorResponse` (v1 contract); the dated data plane and ARM share the
        guideline's shape without `type` (facts 1.9).
        """
        error = {"code": self.code, "message": self.message} | ({"type": "error"} if v1 else {})
        return JSONResponse({"error": error}, self.status, self.headers)


def invalid_payload(message: str) -> ApiError:
    """Return the 400 with which the data plane refuses a body. Source: facts 1.3 and 1.9."""
    return ApiError(400, "invalidPayload", message)


def not_found(what: str) -> ApiError:
    """Return a 404 of the data plane. Unverified: its text."""
    return ApiError(404, "notFound", f"The specified {what} could not be found.")


def wrong_state(message: str) -> ApiError:
    """Return the refusal of an action that the entity's state forbids. Unverified: status, text."""
    return ApiError(400, "unexpectedEntityState", message)


def too_many(message: str, seconds: int = 60) -> ApiError:
    """Return the refusal for a full limit of facts 1.8. Unverified: status and text."""
    return ApiError(429, "quotaExceeded", message, {"Retry-After": str(seconds)})


def not_emulated(what: str) -> ApiError:
    """Return the emulator's own 501."""
    return ApiError(501, "notEmulated", f"The emulator does not emulate {what}.")
