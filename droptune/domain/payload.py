"""Dataclasses to plain JSON objects and back, for Durable payloads and stored documents."""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, Self, TypeVar, Union, get_args, get_origin, get_type_hints

Payload = dict[str, Any]
T = TypeVar("T")
_KEPT_BYTES = 16 << 10  # a month's ledger is larger, and changes with each run
_PLAIN = frozenset({str, int, float, bool, type(None)})
_Convert = Callable[[Any], Any]


def _remembered(answer: Callable[[Any], T]) -> Callable[[Any], T]:
    return cache(answer)  # as a plain function: mypy takes a dataclass for unhashable


class Model:
    """Gives a frozen dataclass `to_payload` and `from_payload`.

    Times become RFC 3339 UTC text, durations seconds, tuples lists. Reading ignores unknown fields
    and fills missing ones with their defaults, so that released payloads may gain fields. How a
    class is read and written is worked out once.
    """

    __slots__ = ()

    def to_payload(self) -> Payload:
        """Return this value as a plain JSON object."""
        return {
            name: value if type(value := getattr(self, name)) in _PLAIN else _dump(value)
            for name in _names(type(self))
        }

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """Read a value that `to_payload` wrote.

        Raises:
            ValueError: a required field is missing or a value has another shape.
        """
        values: Payload = {}
        for name, load, is_required in _plan(cls):
            if name in payload:
                value = payload[name]
                try:
                    values[name] = load(value) if load is not _as_it_is else value
                except (TypeError, ValueError) as error:
                    raise ValueError(f"{cls.__name__}.{name}: {error}") from error
            elif is_required:
                raise ValueError(f"{cls.__name__}: the field {name!r} is missing")
        return cls(**values)


M = TypeVar("M", bound=Model)


def read_document(kind: type[M], data: bytes) -> M:
    """Read a document as it is stored. Who reads the same few bytes again gets the same value.

    Raises:
        ValueError: it is no JSON, or has another shape.
    """
    read: M = (_read_once if len(data) <= _KEPT_BYTES else _read)(kind, data)
    return read


def _read(kind: Any, data: bytes) -> Any:
    return kind.from_payload(json.loads(data))


_read_once: Callable[[Any, bytes], Any] = lru_cache(maxsize=512)(_read)


def format_time(at: datetime) -> str:
    """Return a time as RFC 3339 text in UTC, with microseconds only where there are any."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """Read RFC 3339 text as an aware UTC time; raises ValueError, also for one without a zone."""
    at = datetime.fromisoformat(text) if isinstance(text, str) else None
    if at is None or at.tzinfo is None:
        raise ValueError(f"{text!r} is not a time with its zone")
    return at.astimezone(UTC)


@_remembered
def _names(cls: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(cls))


@_remembered
def _plan(cls: type) -> tuple[tuple[str, _Convert, bool], ...]:
    """Return each field's name, how it is read, and whether it has to be there."""
    hints = get_type_hints(cls)
    return tuple(
        (
            field.name,
            _loader(hints[field.name]),
            field.default is MISSING and field.default_factory is MISSING,
        )
        for field in fields(cls)
    )


def _dump(value: Any) -> Any:
    return _dumper(type(value))(value)


@_remembered
def _dumper(kind: type) -> _Convert:
    if issubclass(kind, Model):
        return kind.to_payload
    if issubclass(kind, datetime):
        return format_time
    if issubclass(kind, timedelta):
        return timedelta.total_seconds
    if issubclass(kind, StrEnum):
        return lambda value: value.value
    if issubclass(kind, Mapping):
        return lambda value: {str(key): _dump(item) for key, item in value.items()}
    if issubclass(kind, tuple | list):
        return lambda value: [_dump(item) for item in value]
    return _as_it_is


@_remembered
def _loader(hint: Any) -> _Convert:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _union_loader(args)
    if origin in (tuple, list):
        return _list_loader(origin, _loader(args[0]))
    if origin is not None and issubclass(origin, Mapping):
        return _object_loader(_loader(args[1]))
    return _class_loader(hint) if isinstance(hint, type) else _as_it_is


def _union_loader(options: tuple[Any, ...]) -> _Convert:
    present = [option for option in options if option is not type(None)]
    load = _loader(present[0]) if len(present) == 1 else _as_it_is
    return lambda value: None if value is None else load(value)


def _list_loader(kind: type[Any], load: _Convert) -> _Convert:
    def read(value: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise ValueError(f"expected a list, got {type(value).__name__}")
        return kind(map(load, value))

    return read


def _object_loader(load: _Convert) -> _Convert:
    def read(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise ValueError(f"expected an object, got {type(value).__name__}")
        return {key: load(item) for key, item in value.items()}

    return read


def _class_loader(cls: type[Any]) -> _Convert:
    if issubclass(cls, Model):
        return _model_loader(cls)
    if issubclass(cls, datetime):
        return parse_time
    if issubclass(cls, timedelta):
        return lambda value: timedelta(seconds=value)
    if issubclass(cls, StrEnum):
        return cls
    if cls is float:
        return lambda value: float(value) if isinstance(value, int) else value
    return _as_it_is


def _model_loader(cls: type[Model]) -> _Convert:
    def read(value: Any) -> Model:
        if not isinstance(value, Mapping):
            raise ValueError(f"{cls.__name__}: expected an object, got {type(value).__name__}")
        return cls.from_payload(value)

    return read


def _as_it_is(value: Any) -> Any:
    return value
