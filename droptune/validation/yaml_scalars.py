"""What an unquoted value in a YAML file is: YAML 1.2's core schema, as other tools read it.

PyYAML's own resolver follows YAML 1.1, where `no` is false, `1e-4` is text and `12:30` is 750.
"""

from __future__ import annotations

import math
import re

_NULL = re.compile(r"(~|null|Null|NULL|)")
_TRUE, _FALSE = re.compile(r"(true|True|TRUE)"), re.compile(r"(false|False|FALSE)")
_WHOLE = re.compile(r"[-+]?[0-9][0-9_]*")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LONGEST_NUMBER = 400


class BadScalarError(ValueError):
    """A value that is no value in JSON."""


def read_scalar(text: str, *, plain: bool) -> str | int | float | bool | None:
    """Return the value of a scalar; what is quoted is text. Raises BadScalarError."""
    if not plain:
        return text
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
        return text[0] in "tT"
    return _read_number(text)


def _read_number(text: str) -> str | int | float:
    if _NOT_FINITE.fullmatch(text):
        raise BadScalarError("This is not a finite number.")
    based = _BASED.fullmatch(text)
    if based is None and not _WHOLE.fullmatch(text) and not _FLOAT.fullmatch(text):
        return text
    if len(text) > _LONGEST_NUMBER:
        raise BadScalarError("This number is too long.")
    if based:
        return int(text, 0)
    if _WHOLE.fullmatch(text):
        return int(text)
    value = float(text)
    if not math.isfinite(value):
        raise BadScalarError("This is not a finite number.")
    return value
