"""What an HTTP refusal means: permanent or transient, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from droptune.adapters.failures import Refusal, read_error, retry_after, shorten
from droptune.domain.errors import (
    NotFoundError,
    OutcomeUnknownError,
    RequestRejectedError,
    TransientError,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "17"}, 17),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"Retry-After": "Mon, 23 Nov 2026 09:02:00 GMT"}, 120),
        ({"Retry-After": "Mon, 23 Nov 2026 08:00:00 GMT"}, 0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "60", "retry-after-ms": "250"}, 0.25),
    ],
)
def test_retry_after_is_seconds_a_date_or_nothing(
    headers: dict[str, str], seconds: float | None
) -> None:
    """Milliseconds go first, a past date means now, and nonsense is no answer."""
    assert retry_after(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("status", "acted", "kind"),
    [
        (400, False, RequestRejectedError),
        (401, False, RequestRejectedError),
        (403, True, RequestRejectedError),
        (404, False, NotFoundError),
        (408, False, TransientError),
        (409, False, TransientError),
        (409, True, OutcomeUnknownError),
        (429, False, TransientError),
        (429, True, TransientError),
        (500, False, TransientError),
        (503, True, OutcomeUnknownError),
    ],
)
def test_status_decides_between_permanent_and_transient(
    status: int, acted: bool, kind: type[Exception]
) -> None:
    """Only a request that may have acted has an unknown outcome, and never after 429."""
    error = Refusal(doing="asking", status=status, acted=acted).error(NOW)

    assert type(error) is kind


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (401, "ExpiredAuthenticationToken", "The access token expiry …", TransientError),
        (400, "invalidPayload", "… must point to a completed file import.", TransientError),
        (400, "AccountProvisioningStateInvalid", "Account … in state Accepted", TransientError),
        (404, "DeploymentNotReady", "", TransientError),
        (404, "DeploymentNotFound", "The API deployment …", NotFoundError),
        (409, "RequestConflict", "Another operation …", OutcomeUnknownError),
        (409, "ScopeLocked", "… following scope(s) are locked …", RequestRejectedError),
        (400, "InsufficientQuota", "… bigger than available …", RequestRejectedError),
    ],
)
def test_error_on_record_is_treated_as_the_table_says(
    status: int, code: str, message: str, kind: type[Exception]
) -> None:
    """What is known of an error goes before its status; a refusal was certainly not carried out."""
    body = {"error": {"code": code, "message": message}}

    error = Refusal(doing="asking", status=status, body=body, acted=True).error(NOW)

    assert type(error) is kind


def test_known_no_comes_with_the_remedy_of_the_table() -> None:
    """The misleading text of the service is explained."""
    message = "The specified base model does not support fine-tuning."
    body = {"error": {"code": "invalidPayload", "message": message}}

    error = Refusal(doing="creating the job", status=400, body=body).error(NOW)

    assert isinstance(error, RequestRejectedError)
    assert "trainingType" in error.remedy
    assert error.service_code == "invalidPayload"


@pytest.mark.parametrize("status", [401, 403])
def test_missing_rights_come_with_a_remedy(status: int) -> None:
    """Who may not do something learns what would help."""
    error = Refusal(doing="asking", status=status).error(NOW)

    assert isinstance(error, RequestRejectedError)
    assert error.remedy


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"error": {"code": "a", "message": "b"}}, ("a", "b")),
        ({"code": "a", "message": "b"}, ("a", "b")),
        ({"error": {"code": None, "message": "b"}}, ("", "b")),
        ({"error": "a text"}, ("", "a text")),
        ({}, ("", "")),
        ("<html>", ("", "")),
        (None, ("", "")),
    ],
)
def test_error_body_of_any_shape_is_read(body: object, expected: tuple[str, str]) -> None:
    """A gateway's own body is in no contract, so that nothing is taken for granted."""
    assert read_error(body) == expected


def test_message_of_several_lines_becomes_one() -> None:
    """Messages go into logs and records: one line each."""
    assert shorten("one\n  two\t three") == "one two three"
