"""What a refusing or failing HTTP service means to us: permanent or transient."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from droptune.domain.errors import (
    DroptuneError,
    NotFoundError,
    OutcomeUnknownError,
    RequestRejectedError,
    TransientError,
)
from droptune.domain.service_errors import Retry, ServiceError, explain

LONGEST_MESSAGE = 300
_NOT_READY = "deployment-not-ready"
_SECRETS = re.compile(r"(?i)(bearer\s+|api-key\W+|sig=|accountkey=)[^\s&;,\"']+")
_REMEDIES = {
    401: "Check the identity's token scope, or the key, and that the endpoint belongs to it.",
    403: "Give the app's identity the role that this operation needs, and check network rules.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """An HTTP answer that is not a yes.

    Attributes:
        doing: what was asked, for the message: "creating the job".
        body: the decoded JSON body, or None.
        acted: whether the request may have had its effect all the same.
    """

    doing: str
    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    acted: bool = False

    def error(self, now: datetime) -> DroptuneError:
        """Return the error to raise."""
        known = explain(self.status, self.body)
        message, evidence = self._message(known), without_credentials(known.kept)
        code = known.service_code if known.is_known else read_error(self.body)[0]
        if self.status == 404 and known.code != _NOT_READY:
            return NotFoundError(message, service_code=code, evidence=evidence)
        if self._may_pass(known):
            unknown = self.acted and self.status != 429 and is_transient(self.status)
            kind = OutcomeUnknownError if unknown else TransientError
            return kind(
                message,
                status=self.status,
                retry_after=retry_after(self.headers, now),
                service_code=code,
                evidence=evidence,
            )
        remedy = known.remedy if known.is_known else _REMEDIES.get(self.status, known.remedy)
        return RequestRejectedError(
            message,
            status=self.status,
            service_code=code,
            remedy=remedy,
            code=known.code,
            evidence=evidence,
        )

    def _message(self, known: ServiceError) -> str:
        """Return cause and answer in one sentence, the answer's text shortened."""
        code, text = read_error(self.body)
        answer = f"{self.doing}: {self.status} {code or 'without a code'}"
        answer += f": {shorten(text)}" if text else ""
        return f"{known.cause} ({answer})" if known.is_known else answer

    def _may_pass(self, known: ServiceError) -> bool:
        """Whether a later try may cure it. A limit that is refused with 4xx is a no with the
        service's code: who asked decides how to wait."""
        if known.is_known and self.status < 500 and self.status != 429:
            return known.retry is Retry.SOON
        return is_transient(self.status)


def is_transient(status: int) -> bool:
    """Whether a later try may cure an HTTP status."""
    return status in (408, 409, 429) or status >= 500


def read_error(body: Any) -> tuple[str, str]:
    """Return code and message of an error body.

    Source: v1 and dated contracts and ARM wrap them in `error`; the SDK unwraps it. The
    gateway's own 401 and 429 are in no contract, so nothing is taken for granted.
    """
    inner = body.get("error", body) if isinstance(body, Mapping) else {}
    if not isinstance(inner, Mapping):
        return "", str(inner)
    code, message = inner.get("code"), inner.get("message")
    return str(code or ""), str(message or "")


def without_credentials(text: str) -> str:
    """Return a service's answer without what opens something."""
    return _SECRETS.sub(r"\1…", text)


def shorten(text: str) -> str:
    """Return a service's message on one line, without credentials, at most 300 characters."""
    line = without_credentials(" ".join(text.split()))
    return line if len(line) <= LONGEST_MESSAGE else line[: LONGEST_MESSAGE - 1] + "…"


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that an answer asks to wait, or None.

    `retry-after-ms` goes first, then `Retry-After` as seconds or as an HTTP date (RFC 9110).
    """
    names = {name.lower(): value for name, value in headers.items()}
    milliseconds = _number(names.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = names.get("retry-after")
    seconds = _number(value)
    return seconds if seconds is not None or value is None else _until(value, now)


def _number(text: str | None) -> float | None:
    if text is None or not re.fullmatch(r"\s*\d+(\.\d+)?\s*", text):
        return None
    return float(text)


def _until(date: str, now: datetime) -> float | None:
    try:
        at = parsedate_to_datetime(date)
    except ValueError:
        return None
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())
