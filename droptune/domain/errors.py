"""The error tree.

DroptuneError
├── SettingsError            the app does not start; names every bad setting at once
├── TrainingDataError        the run ends rejected; lists its findings; never retried
├── RequestRejectedError     Azure said a lasting no (4xx); never retried
│   └── NotFoundError        404
├── TransientError           408, 409, 429, 5xx, network: the step's retry policy decides
│   └── OutcomeUnknownError  the request may have acted although no answer came
├── StepFailedError          fails the orchestration with the step's code
├── RunEndedError            the run stops here with a reasoned answer: not a failure of the step
├── WishRefusedError         what a person asks for cannot be done, and why (409)
└── StoreError
    ├── ConflictError        a conditional write or read found another state (409, 412)
    └── BlobNotFoundError    404
"""

from __future__ import annotations

from droptune.domain.findings import Finding, Problem


class DroptuneError(Exception):
    """Base of all errors of ours; `code` is stable, the message is for people.

    Attributes:
        evidence: a service's answer that nobody knows, whole, without credentials; for the run's
            record alone, as it may quote training data.
    """

    code = "error"

    def __init__(
        self, message: str, *, remedy: str = "", code: str | None = None, evidence: str = ""
    ) -> None:
        """Say what is wrong and, in `remedy`, what would be right."""
        super().__init__(message)
        self.remedy = remedy
        self.code = code or type(self).code
        self.evidence = evidence

    def problem(self) -> Problem:
        """Return this error as a value."""
        return Problem(
            code=self.code, message=str(self), remedy=self.remedy, evidence=self.evidence
        )


class SettingsError(DroptuneError):
    """Settings of the installation are missing or wrong."""

    code = "settings"


class TrainingDataError(DroptuneError):
    """A dataset cannot be trained on."""

    code = "training-data"

    def __init__(
        self, message: str, *, findings: tuple[Finding, ...] = (), remedy: str = ""
    ) -> None:
        """Carry the findings that say why."""
        super().__init__(message, remedy=remedy)
        self.findings = findings


class RequestRejectedError(DroptuneError):
    """A service answered a lasting no.

    Attributes:
        status: the HTTP status.
        service_code: the service's own code, such as `invalidPayload`, or "".
    """

    code = "request-rejected"

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        service_code: str = "",
        remedy: str = "",
        code: str | None = None,
        evidence: str = "",
    ) -> None:
        """Keep what the service said."""
        super().__init__(message, remedy=remedy, code=code, evidence=evidence)
        self.status = status
        self.service_code = service_code


class NotFoundError(RequestRejectedError):
    """A service does not know what was asked for (404)."""

    code = "not-found"

    def __init__(self, message: str, *, service_code: str = "", evidence: str = "") -> None:
        """Keep what the service said."""
        super().__init__(message, status=404, service_code=service_code, evidence=evidence)


class TransientError(DroptuneError):
    """A failure that a later try may cure.

    Attributes:
        status: the HTTP status, or None when no answer came.
        retry_after: seconds that the service asked to wait, or None.
        service_code: the service's own code, or "".
    """

    code = "transient"

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        service_code: str = "",
        evidence: str = "",
    ) -> None:
        """Keep what the service said and how long it asked to wait."""
        super().__init__(message, evidence=evidence)
        self.status = status
        self.retry_after = retry_after
        self.service_code = service_code


class OutcomeUnknownError(TransientError):
    """No answer came to a request that may have acted."""

    code = "outcome-unknown"


class StepFailedError(DroptuneError):
    """A step failed for good; the orchestration fails with the step's code."""

    code = "step-failed"


class RunEndedError(DroptuneError):
    """The run ends here: rejected, cancelled or superseded, with a reason.

    Attributes:
        phase: the terminal phase, a value of `droptune.domain.phases.Phase`.
        outcome: a value of `droptune.domain.phases.Outcome`, or "" to keep what is recorded.
    """

    code = "run-ended"

    def __init__(
        self,
        message: str,
        *,
        phase: str,
        code: str,
        remedy: str = "",
        outcome: str = "",
        evidence: str = "",
    ) -> None:
        """Say in which phase the run ends and why."""
        super().__init__(message, remedy=remedy, code=code, evidence=evidence)
        self.phase = phase
        self.outcome = outcome


class WishRefusedError(DroptuneError):
    """What a person asks for cannot be done now, or ever, for a reason."""

    code = "refused"


class StoreError(DroptuneError):
    """A blob operation met another state than it asked for."""

    code = "store"


class ConflictError(StoreError):
    """A condition (if-match, if-none-match, lease) did not hold."""

    code = "conflict"


class BlobNotFoundError(StoreError):
    """The blob does not exist."""

    code = "blob-not-found"
