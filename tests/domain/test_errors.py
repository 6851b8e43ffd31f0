"""The error tree: stable codes, sentences, remedies."""

from __future__ import annotations

import pytest

from droptune.domain import errors
from droptune.domain.errors import DroptuneError
from droptune.domain.findings import Finding, Problem, Severity


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.SettingsError("x"), "settings"),
        (errors.TrainingDataError("x"), "training-data"),
        (errors.RequestRejectedError("x"), "request-rejected"),
        (errors.RequestRejectedError("x", code="own"), "own"),
        (errors.NotFoundError("x"), "not-found"),
        (errors.TransientError("x"), "transient"),
        (errors.OutcomeUnknownError("x"), "outcome-unknown"),
        (errors.StepFailedError("x"), "step-failed"),
        (errors.RunEndedError("x", phase="rejected", code="own"), "own"),
        (errors.ConflictError("x"), "conflict"),
        (errors.BlobNotFoundError("x"), "blob-not-found"),
    ],
)
def test_each_error_has_a_stable_code(error: DroptuneError, code: str) -> None:
    """Alerts and troubleshooting tables name them."""
    assert error.code == code
    assert error.problem() == Problem(code=code, message="x", remedy="")


@pytest.mark.parametrize(
    ("child", "parent"),
    [
        (errors.NotFoundError, errors.RequestRejectedError),
        (errors.OutcomeUnknownError, errors.TransientError),
        (errors.ConflictError, errors.StoreError),
        (errors.BlobNotFoundError, errors.StoreError),
    ],
)
def test_narrow_errors_are_caught_by_their_kind(
    child: type[Exception], parent: type[Exception]
) -> None:
    """Who retries what is transient retries what has no known outcome, too."""
    assert issubclass(child, parent)
    assert issubclass(parent, DroptuneError)


def test_no_error_is_both_lasting_and_transient() -> None:
    """Whether a retry can cure it is never in doubt."""
    lasting = (errors.RequestRejectedError, errors.TrainingDataError, errors.SettingsError)

    assert not any(issubclass(errors.TransientError, kind) for kind in lasting)
    assert not any(issubclass(kind, errors.TransientError) for kind in lasting)


def test_error_carries_what_the_service_said() -> None:
    """Status, code and the time to wait are kept."""
    refused = errors.RequestRejectedError("x", status=403, service_code="forbidden", remedy="Ask.")
    busy = errors.TransientError("x", status=429, retry_after=7)

    assert (refused.status, refused.service_code) == (403, "forbidden")
    assert refused.problem().remedy == "Ask."
    assert (busy.status, busy.retry_after) == (429, 7)
    assert errors.NotFoundError("x").status == 404


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({}, "Bad. Mend it."),
        ({"file": "a.jsonl"}, "a.jsonl: Bad. Mend it."),
        ({"file": "a.jsonl", "line": 3}, "a.jsonl:3: Bad. Mend it."),
        ({"file": "a", "line": 3, "path": "m[0].role"}, "a:3: m[0].role: Bad. Mend it."),
        ({"path": "seed", "fix": ""}, "seed: Bad."),
    ],
)
def test_finding_reads_as_place_and_sentence(place: dict[str, object], said: str) -> None:
    """An editor can jump to it, and a person can act on it."""
    payload = {"rule": "r", "severity": "error", "message": "Bad.", "fix": "Mend it."} | place
    finding = Finding.from_payload(payload)

    assert str(finding) == said
    assert (finding.severity, finding.count) == (Severity.ERROR, 1)
