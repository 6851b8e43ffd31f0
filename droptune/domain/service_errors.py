"""What an error of the service means: cause, whether a later try helps, and what to do.

The table is data, `service_errors.json`; each row has the answers it was made from, with their
sources. What no row fits is kept whole, treated by its status, and named as unknown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from droptune.domain.models import load
from droptune.domain.payload import Model

UNKNOWN = "unknown-service-error"
LONGEST_KEPT = 8000
_DEEPEST, _MOST_ERRORS = 6, 50
_INNER = ("error", "innererror", "inner_error", "details")


class Retry(StrEnum):
    """Whether asking again helps: never, within minutes, or once a limit has room."""

    NO = "no"
    SOON = "soon"
    WAIT = "wait"


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceError(Model):
    """What an answer means.

    Attributes:
        code: ours, stable: `no-capacity`; `unknown-service-error` for what is not in the table.
        service_code, service_message: the service's own, from where the row was recognised.
        kept: the whole answer as text, for an unknown one; "" otherwise.
    """

    code: str
    cause: str
    retry: Retry
    remedy: str
    status: int | None = None
    service_code: str = ""
    service_message: str = ""
    kept: str = ""

    @property
    def is_known(self) -> bool:
        """Whether the table has it."""
        return self.code != UNKNOWN


@dataclass(frozen=True, slots=True)
class _Kind:
    """A row. A code and a text are needed where both are given; `*` stands for any text."""

    code: str
    cause: str
    retry: Retry
    remedy: str
    statuses: frozenset[int]
    codes: frozenset[str]
    says: tuple[tuple[str, ...], ...]

    def fits(self, status: int | None, code: str, plain: str) -> bool:
        if self.statuses and status is not None and status not in self.statuses:
            return False
        if self.codes and code.casefold() not in self.codes:
            return False
        return not self.says or any(_holds(plain, pieces) for pieces in self.says)


def explain(status: int | None, body: Any) -> ServiceError:
    """Return what an answer means.

    Args:
        status: of HTTP, or None for the error of a job, a file or an operation.
        body: decoded JSON, or text.
    """
    for kind, code, message in _fitting(status, body):
        return ServiceError(
            code=kind.code,
            cause=kind.cause,
            retry=kind.retry,
            remedy=kind.remedy,
            status=status,
            service_code=code,
            service_message=message,
        )
    return _unknown(status, body, *next(_errors(body), ("", "")))


def all_codes() -> list[str]:
    """Return every code that an answer may be given."""
    return [UNKNOWN, *(kind.code for kind in _kinds())]


def kinds_that_fit(status: int | None, body: Any) -> list[str]:
    """Return the codes of all rows that an answer fits, in their order; the first explains it."""
    return list(dict.fromkeys(kind.code for kind, _, _ in _fitting(status, body)))


def _fitting(status: int | None, body: Any) -> Iterator[tuple[_Kind, str, str]]:
    errors = [(code, message, _plain(message)) for code, message in _errors(body)]
    for kind in _kinds():
        for code, message, plain in errors:
            if kind.fits(status, code, plain):
                yield kind, code, message


def explain_error(code: str, message: str) -> ServiceError:
    """Return what the error of a job, a file or a deployment means."""
    return explain(None, {"code": code, "message": message})


def _unknown(status: int | None, body: Any, code: str, message: str) -> ServiceError:
    passes = status is not None and (status in (408, 409, 429) or status >= 500)
    answered = f"answered {status}" if status is not None else "reported an error"
    return ServiceError(
        code=UNKNOWN,
        cause=f"The service {answered} {code or 'without a code'}, which is not known here.",
        retry=(Retry.WAIT if status == 429 else Retry.SOON) if passes else Retry.NO,
        remedy="Read what the service said, which is kept with the run; please report it.",
        status=status,
        service_code=code,
        service_message=message,
        kept=_whole(body)[:LONGEST_KEPT],
    )


def _whole(body: Any) -> str:
    if isinstance(body, str):
        return body
    try:
        return json.dumps(body, ensure_ascii=False, default=str)
    except RecursionError:
        return "(nested too deeply to be kept)"


@cache
def _kinds() -> tuple[_Kind, ...]:
    return tuple(
        _Kind(
            code=row["code"],
            cause=row["cause"],
            retry=Retry(row["retry"]),
            remedy=row["remedy"],
            statuses=frozenset(row.get("statuses", ())),
            codes=frozenset(code.casefold() for code in row.get("codes", ())),
            says=tuple(tuple(_plain(text).split("*")) for text in row.get("says", ())),
        )
        for row in load("service_errors.json")["kinds"]
    )


def _errors(body: Any) -> Iterator[tuple[str, str]]:
    """Iterate over code and message of an answer and of what is inside it, outermost first.

    Source: v1 has `inner_error`, the dated contract `innererror`, ARM `details`; the gateway's own
    answers are in no contract and have neither `error` nor a code.
    """
    found = 0
    for level in _levels(body):
        for each in level:
            found += 1
            if found > _MOST_ERRORS:
                return
            yield _text(each.get("code")), _text(each.get("message"))


def _levels(body: Any) -> Iterator[Sequence[Mapping[str, Any]]]:
    level = _objects(body if not isinstance(body, str) else {"message": body})
    for _ in range(_DEEPEST):
        if not level:
            return
        yield [each for each in level if "code" in each or "message" in each]
        level = [inner for each in level for key in _INNER for inner in _objects(each.get(key))][
            :_MOST_ERRORS
        ]


def _objects(value: Any) -> list[Mapping[str, Any]]:
    if isinstance(value, str):
        return [{"message": value}]
    listed = value if isinstance(value, list) else [value]
    return [each for each in listed if isinstance(each, Mapping)]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _plain(text: str) -> str:
    return " ".join(text.casefold().replace("\u2019", "'").split())


def _holds(text: str, pieces: tuple[str, ...]) -> bool:
    """Whether a text has all pieces one after the other: linear in its length."""
    position = 0
    for piece in pieces:
        at = text.find(piece, position)
        if at < 0:
            return False
        position = at + len(piece)
    return True
