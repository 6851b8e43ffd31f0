"""Problem documents (RFC 9457): a stable code, a sentence of cause, a sentence of remedy."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from droptune.api.messages import ApiResponse, to_json
from droptune.domain.errors import (
    ConflictError,
    DroptuneError,
    RequestRejectedError,
    RunEndedError,
    TrainingDataError,
    TransientError,
    WishRefusedError,
)

_STATUSES: tuple[tuple[type[DroptuneError], int], ...] = (
    (TrainingDataError, 422),
    (RunEndedError, 409),
    (WishRefusedError, 409),
    (RequestRejectedError, 502),
    (TransientError, 503),
    (ConflictError, 503),
)
_LATER = "Try again in a few seconds; if it stays so, look at GET /api/health and the app's logs."


class ApiError(DroptuneError):
    """An answer that is a no, with its HTTP status."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        remedy: str,
        *,
        headers: Mapping[str, str] | None = None,
        link: str = "",
    ) -> None:
        """Say what is wrong, what would be right, and in `link` where to look (below `api/`)."""
        super().__init__(message, remedy=remedy, code=code)
        self.status = status
        self.headers = dict(headers or {})
        self.link = link or ("health" if status >= 500 else "openapi.json")


def bad_request(code: str, message: str, remedy: str) -> ApiError:
    """Return a 400."""
    return ApiError(400, code, message, remedy)


def not_found(code: str, message: str, remedy: str, *, link: str = "") -> ApiError:
    """Return a 404."""
    return ApiError(404, code, message, remedy, link=link)


def conflict(code: str, message: str, remedy: str, *, link: str = "") -> ApiError:
    """Return a 409."""
    return ApiError(409, code, message, remedy, link=link)


def as_api_error(error: DroptuneError) -> ApiError:
    """Return an error of ours as an answer; what a later try may cure is a 503."""
    if isinstance(error, ApiError):
        return error
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)
    headers = {"Retry-After": _retry_after(error)} if status == 503 else {}
    return ApiError(status, error.code, str(error), error.remedy or _LATER, headers=headers)


def _retry_after(error: DroptuneError) -> str:
    asked = error.retry_after if isinstance(error, TransientError) else None
    return str(max(1, round(asked or 5)))


def unexpected() -> ApiError:
    """Return the answer to what should not happen; it shows nothing of the inside."""
    return ApiError(500, "unexpected", "Something unexpected went wrong inside Droptune.", _LATER)


def problem_response(error: ApiError, instance: str, base: str) -> ApiResponse:
    """Return an error as a problem document; `instance` is the path that was asked."""
    document = {
        "type": f"urn:droptune:problem:{error.code}",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": str(error),
        "code": error.code,
        "remedy": error.remedy,
        "instance": instance,
        "link": f"{base}/api/{error.link}",
    }
    headers = {"Content-Type": "application/problem+json", "Cache-Control": "no-store"}
    return ApiResponse(status=error.status, headers=headers | error.headers, body=to_json(document))
