"""The published JSON Schema and the parser say yes and no to the same documents."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from droptune.domain.configuration import Configuration, check_values, json_schema
from droptune.domain.configuration.shape import SHAPE, Block, Field, ListOf, MapOf, Wanted
from tests.domain.configurations import PROJECT, a_file, resolving

unhurried = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
VALIDATOR = jsonschema.Draft202012Validator(json_schema())
_SAMPLES = (
    *("auto", "run", "plan", "never", "dpo", "supervised", "GlobalStandard", "NOTIFY_A", "run.*"),
    *("user", "teams", "", "a b", "x" * 600, "a\n"),
)
_WORDS = st.sampled_from(_SAMPLES) | st.text(max_size=5)
_NUMBERS = st.integers(-3, 200_000) | st.floats(-2, 100, allow_nan=False).filter(
    lambda number: not number.is_integer()  # JSON Schema takes 3.0 for an integer, YAML does not
)
_ANYTHING = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_WORDS, inner, max_size=2),
    max_leaves=4,
)


def documents(wanted: Wanted) -> st.SearchStrategy[Any]:
    """Draw values that mostly have the wanted shape, and now and then any other."""
    return st.one_of(_like(wanted), _like(wanted), _like(wanted), _ANYTHING)


def _like(wanted: Wanted) -> st.SearchStrategy[Any]:
    if isinstance(wanted, Field):
        chosen = st.sampled_from(wanted.choices) if wanted.choices else st.nothing()
        patterned = st.from_regex(wanted.pattern, fullmatch=True) if wanted.pattern else _WORDS
        return chosen | patterned | _NUMBERS | st.booleans()
    if isinstance(wanted, ListOf):
        return st.lists(documents(wanted.item), max_size=3)
    if isinstance(wanted, MapOf):
        keys = _WORDS | st.sampled_from(wanted.reserved or ("a",)) | st.just("k" * 65)
        value = documents(wanted.value) if wanted.value else _ANYTHING
        return st.dictionaries(keys, value, max_size=18)
    known = {key: documents(inner) for key, inner in wanted.keys.items()}
    required = {key: known.pop(key) for key in wanted.required}
    return st.fixed_dictionaries(required, optional=known) | st.dictionaries(
        st.sampled_from(sorted(wanted.keys)) | _WORDS, _ANYTHING, max_size=2
    )


def is_shaped(document: dict[str, Any]) -> bool:
    """Whether the parser accepts a document's shape; secrets are no matter of shape."""
    return all(found.rule == "secret" for found in check_values(a_file(**document)))


@unhurried
@given(documents(SHAPE).filter(lambda document: isinstance(document, dict)))
def test_schema_and_parser_agree_on_whole_documents(document: dict[str, Any]) -> None:
    """What an editor marks is what a run refuses."""
    assert VALIDATOR.is_valid(document) == is_shaped(document)


@unhurried
@given(st.data(), st.sampled_from(sorted(SHAPE.keys)))
def test_schema_and_parser_agree_on_each_key(data: st.DataObject, key: str) -> None:
    """Both agree where one key alone is right or wrong."""
    document = {key: data.draw(documents(SHAPE.keys[key]))}

    assert VALIDATOR.is_valid(document) == is_shaped(document)


@unhurried
@given(*(documents(SHAPE).filter(lambda document: isinstance(document, dict)),) * 2)
def test_any_two_documents_are_resolved_or_refused(
    project: dict[str, Any], job: dict[str, Any]
) -> None:
    """What the parser lets pass becomes a configuration; nothing crashes on the way."""
    configuration, findings = resolving(project=a_file(PROJECT, **project), job=a_file(**job))

    assert (configuration is None) == bool(findings)
    if configuration is not None:
        assert Configuration.from_payload(configuration.to_payload()) == configuration
        assert isinstance(configuration.integrations_as_sent, tuple)


@unhurried
@given(st.data(), st.sampled_from(sorted(SHAPE.keys)), st.sampled_from(sorted(SHAPE.keys)))
def test_any_two_keys_are_resolved_or_refused(data: st.DataObject, one: str, other: str) -> None:
    """The same for documents that say one thing each, which are right more often."""
    project = {one: data.draw(documents(SHAPE.keys[one]))}
    job = {other: data.draw(documents(SHAPE.keys[other]))}

    configuration, findings = resolving(project=a_file(PROJECT, **project), job=a_file(**job))

    assert (configuration is None) == bool(findings)


@pytest.mark.parametrize(
    ("document", "valid"),
    [
        ({}, True),
        ({"method": {"supervised": {"hyperparameters": {"epochs": 3}}}}, True),
        ({"method": {"supervised": {"hyperparameters": {"epochs": 3, "n_epochs": 3}}}}, False),
        ({"method": {"supervised": {"hyperparameters": {"epochs": -1}}}}, True),
        ({"suffix": "a\n"}, False),
        ({"pipeline": {"deploy": {"production": {"sku": "auto"}}}}, False),
        ({"pipeline": {"deploy": {"production": None}}}, True),
        ({"extra_body": {"model": "x"}}, False),
        ({"metadata": {"a": "x" * 513}}, False),
        ({"n_epochs": 3}, False),
        ({"integrations": [{"type": "wandb", "config": None}]}, False),
        ({"pipeline": {"smoke_test": {"messages": None}}}, False),
        ({"pipeline": {"notify": [{"url_setting": "NOTIFY_A", "events": None}]}}, True),
    ],
)
def test_schema_and_parser_know_the_hard_cases(document: dict[str, Any], valid: bool) -> None:
    """Aliases, nulls, patterns and reserved keys are in both."""
    assert VALIDATOR.is_valid(document) is valid
    assert is_shaped(document) is valid


def test_published_schema_is_the_parsers() -> None:
    """After a change of the shape: `python -m droptune.api.schemas`."""
    place = resources.files("droptune.api.schemas").joinpath("fine-tune-job.schema.json")

    assert json.loads(place.read_text(encoding="utf-8")) == json_schema()


def test_schema_is_a_schema_and_describes_every_value() -> None:
    """An editor can say what a key is for."""
    jsonschema.Draft202012Validator.check_schema(json_schema())

    assert all("description" in each for each in _fields(json_schema(), SHAPE))


def _fields(schema: dict[str, Any], wanted: Wanted) -> list[dict[str, Any]]:
    if isinstance(wanted, Field):
        return [schema]
    if isinstance(wanted, ListOf):
        return _fields(schema["items"], wanted.item)
    if isinstance(wanted, Block):
        inner = (_fields(schema["properties"][key], each) for key, each in wanted.keys.items())
        return [field for fields in inner for field in fields]
    return []
