"""Payloads: what is written is read back, and what a later version writes is read, too."""

from __future__ import annotations

import importlib
import json
import pkgutil
import types
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from enum import Enum, StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import droptune.domain
from droptune.domain.payload import Model, format_time, parse_time, read_document

AT = datetime(2026, 10, 6, 12, 30, tzinfo=UTC)
_KEYS = st.text(max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_KEYS, inner, max_size=2),
    max_leaves=4,
)
_SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    Any: JSON,
    object: JSON,
    str: st.text(max_size=8),
    bool: st.booleans(),
    int: st.integers(-(2**53), 2**53),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bytes: st.binary(max_size=4),
    datetime: st.timedeltas(timedelta(0), timedelta(days=9999)).map(lambda age: AT + age),
    timedelta: st.integers(0, 10**7).map(lambda seconds: timedelta(seconds=seconds)),
}


def models(cls: type = Model) -> Iterator[type[Model]]:
    """Iterate over every dataclass of the domain that has a payload."""
    for found in pkgutil.walk_packages(droptune.domain.__path__, "droptune.domain."):
        importlib.import_module(found.name)
    for each in cls.__subclasses__():
        if each.__module__.startswith("droptune.domain."):
            yield each
        yield from models(each)


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Draw values of a type hint."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return st.one_of([st.none() if each is type(None) else values(each) for each in args])
    if origin is tuple:
        return st.lists(values(args[0]), max_size=2).map(tuple)
    if origin is not None and issubclass(origin, Mapping):
        return st.dictionaries(st.text(max_size=4), values(args[1]), max_size=2)
    if hint in _SCALARS:
        return _SCALARS[hint]
    if issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    return st.deferred(lambda: instances(hint))


def instances(cls: type[Any]) -> st.SearchStrategy[Any]:
    hints = get_type_hints(cls)
    return st.builds(cls, **{each.name: values(hints[each.name]) for each in fields(cls)})


ALL = sorted(set(models()), key=lambda cls: cls.__name__)
every_model = pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
unhurried = settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))


@every_model
@unhurried
@given(data=st.data())
def test_every_model_survives_its_payload(cls: type[Model], data: st.DataObject) -> None:
    """Through JSON text and back, each value is the same."""
    value = data.draw(instances(cls))

    text = json.dumps(value.to_payload())

    assert cls.from_payload(json.loads(text)) == value


@every_model
@unhurried
@given(data=st.data())
def test_every_model_ignores_what_a_later_version_adds(
    cls: type[Model], data: st.DataObject
) -> None:
    """Released payloads only gain fields, and an older reader does not mind them."""
    value = data.draw(instances(cls))

    later = value.to_payload() | {"a_field_of_tomorrow": data.draw(JSON)}

    assert cls.from_payload(later) == value


@every_model
@unhurried
@given(data=st.data())
def test_every_model_is_read_or_refused_with_a_value_error(
    cls: type[Model], data: st.DataObject
) -> None:
    """A damaged document is refused in one known way, wherever the damage is."""
    names = [each.name for each in fields(cls)]  # type: ignore[arg-type]
    payload = data.draw(st.fixed_dictionaries(dict.fromkeys(names, JSON)))

    with suppress(ValueError):
        assert isinstance(cls.from_payload(payload), cls)


class Kind(StrEnum):
    """An open enum."""

    KNOWN = "known"
    UNRECOGNISED = "unrecognised"

    @classmethod
    def _missing_(cls, value: object) -> Kind:
        return cls.UNRECOGNISED


@dataclass(frozen=True, kw_only=True, slots=True)
class Inner(Model):
    """Something inside."""

    at: datetime
    took: timedelta = timedelta(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outer(Model):
    """Something with everything in it."""

    name: str
    kind: Kind = Kind.KNOWN
    share: float = 0.0
    inner: Inner | None = None
    all: tuple[Inner, ...] = ()
    by_name: Mapping[str, Inner] = field(default_factory=dict)


def test_payload_is_plain_json() -> None:
    """Times are RFC 3339 in UTC, durations seconds, tuples lists, enums their words."""
    inner = Inner(at=AT, took=timedelta(minutes=1.5))

    payload = Outer(name="x", inner=inner, all=(inner,), by_name={"a": inner}).to_payload()

    shown = {"at": "2026-10-06T12:30:00Z", "took": 90.0}
    assert payload == {
        "name": "x",
        "kind": "known",
        "share": 0.0,
        "inner": shown,
        "all": [shown],
        "by_name": {"a": shown},
    }


def test_missing_fields_have_their_defaults() -> None:
    """An earlier version's payload is read."""
    assert Outer.from_payload({"name": "x"}) == Outer(name="x")


def test_word_of_a_later_version_is_unrecognised() -> None:
    """An enum of the service or of a later release is open."""
    assert Outer.from_payload({"name": "x", "kind": "new"}).kind is Kind.UNRECOGNISED


def test_whole_number_is_read_as_a_fraction() -> None:
    """JSON does not tell 1 from 1.0."""
    share = Outer.from_payload({"name": "x", "share": 1}).share

    assert isinstance(share, float)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({}, "Outer: the field 'name' is missing"),
        ({"name": "x", "inner": {}}, "Outer.inner: Inner: the field 'at' is missing"),
        ({"name": "x", "inner": []}, "Outer.inner: Inner: expected an object, got list"),
        ({"name": "x", "all": "ab"}, "Outer.all: expected a list, got str"),
        ({"name": "x", "by_name": [1]}, "Outer.by_name: expected an object, got list"),
        ({"name": "x", "inner": {"at": "soon"}}, "Outer.inner: Inner.at: "),
        ({"name": "x", "inner": {"at": 5}}, "Outer.inner: Inner.at: 5 is not a time"),
        ({"name": "x", "inner": {"at": "2026-10-06T12:30:00Z", "took": "x"}}, "Inner.took: "),
    ],
)
def test_damaged_payload_is_refused_by_field(payload: dict[str, Any], said: str) -> None:
    """The message leads to the field."""
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        Outer.from_payload(payload)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-10-06T12:30:00Z", AT),
        ("2026-10-06T14:30:00+02:00", AT),
        ("2026-10-06T12:30:00.250Z", AT + timedelta(milliseconds=250)),
    ],
)
def test_time_is_read_in_every_zone(text: str, at: datetime) -> None:
    """Inside, all times are UTC."""
    read = parse_time(text)

    assert (read, read.tzinfo) == (at, UTC)


@pytest.mark.parametrize("text", ["2026-10-06T12:30:00", "2026-10-06", "now", ""])
def test_time_without_a_zone_is_refused(text: str) -> None:
    """What it means would depend on the machine."""
    with pytest.raises(ValueError, match=r"\S"):
        parse_time(text)


def test_time_is_written_in_utc() -> None:
    """Microseconds are shown only where there are any."""
    assert format_time(parse_time("2026-10-06T14:30:00+02:00")) == "2026-10-06T12:30:00Z"
    assert format_time(AT + timedelta(microseconds=1)) == "2026-10-06T12:30:00.000001Z"


def test_same_document_is_read_once() -> None:
    """Whoever reads the same bytes again gets the same value; other bytes give their own."""
    first = read_document(Outer, b'{"name": "a"}')

    again = read_document(Outer, bytes(bytearray(b'{"name": "a"}')))

    assert again is first
    assert read_document(Outer, b'{"name": "b"}') == Outer(name="b")
    with pytest.raises(ValueError, match="the field 'name' is missing"):
        read_document(Outer, b"{}")
