"""Dataclasses to plain JSON objects and back, for Durable payloads and stored documents."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, Self, Union, get_args, get_origin, get_type_hints

Payload = dict[str, Any]


class Model:
    """Gives a frozen dataclass `to_payload` and `from_payload`.

    Times become RFC 3339 UTC text, durations seconds, tuples lists. Reading ignores unknown fields
    and fills missing ones with their defaults, so that released payloads may gain fields.
    """

    __slots__ = ()

    def to_payload(self) -> Payload:
        """Return this value as a plain JSON object."""
        return {
            field.name: _dump(getattr(self, field.name))
            for field in fields(self)  # type: ignore[arg-type]
        }

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """Read a value that `to_payload` wrote.

        Raises:
            ValueError: a required field is missing or a value has another shape.
        """
        values: Payload = {}
        for field in fields(cls):  # type: ignore[arg-type]
            if field.name in payload:
                values[field.name] = _load_field(cls, field.name, payload[field.name])
            elif field.default is MISSING and field.default_factory is MISSING:
                raise ValueError(f"{cls.__name__}: the field {field.name!r} is missing")
        return cls(**values)


def format_time(at: datetime) -> str:
    """Return a time as RFC 3339 text in UTC, with microseconds only where there are any."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """Read RFC 3339 text as an aware UTC time; raises ValueError, also for one without a zone."""
    at = datetime.fromisoformat(text) if isinstance(text, str) else None
    if at is None or at.tzinfo is None:
        raise ValueError(f"{text!r} is not a time with its zone")
    return at.astimezone(UTC)


_origin: Callable[[Any], Any] = cache(get_origin)  # asked for each value of each document
_args: Callable[[Any], tuple[Any, ...]] = cache(get_args)


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def _dump(value: Any) -> Any:
    if is_dataclass(value) and isinstance(value, Model):
        return value.to_payload()
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): _dump(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_dump(item) for item in value]
    return value


def _load_field(cls: type, name: str, value: Any) -> Any:
    try:
        return _load(_hints(cls)[name], value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{cls.__name__}.{name}: {error}") from error


def _load(hint: Any, value: Any) -> Any:
    origin = _origin(hint)
    if origin in (Union, types.UnionType):
        return _load_union(_args(hint), value)
    if origin in (tuple, list):
        if not isinstance(value, list | tuple):
            raise ValueError(f"expected a list, got {type(value).__name__}")
        return origin(_load(_args(hint)[0], item) for item in value)
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise ValueError(f"expected an object, got {type(value).__name__}")
        return {key: _load(_args(hint)[1], item) for key, item in value.items()}
    if not isinstance(hint, type):
        return value
    return _load_class(hint, value)


def _load_union(options: tuple[Any, ...], value: Any) -> Any:
    if value is None:
        return None
    present = [option for option in options if option is not type(None)]
    return _load(present[0], value) if len(present) == 1 else value


def _load_class(cls: type, value: Any) -> Any:
    if issubclass(cls, Model):
        if not isinstance(value, Mapping):
            raise ValueError(f"{cls.__name__}: expected an object, got {type(value).__name__}")
        return cls.from_payload(value)
    if issubclass(cls, datetime):
        return parse_time(value)
    if issubclass(cls, timedelta):
        return timedelta(seconds=value)
    if issubclass(cls, StrEnum):
        return cls(value)
    if cls is float and isinstance(value, int):
        return float(value)
    return value
