"""The JSON Schema of `fine-tune-job.yaml`, made from the shape that files are held to."""

from __future__ import annotations

from typing import Any

from droptune.domain.configuration.shape import SHAPE, Block, Field, ListOf, MapOf, Wanted

_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}
_WITH_ALIAS = frozenset({"n_epochs", "epochs"})


def json_schema() -> dict[str, Any]:
    """Return the schema of a configuration file (JSON Schema 2020-12).

    It knows shapes alone: that a model exists, a ceiling holds or a text is a secret it cannot say.
    """
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "fine-tune-job.yaml",
        "description": "What Droptune trains and deploys, in the field names of "
        "`azd ai finetuning jobs submit`; Droptune's own keys are in `pipeline`.",
    }
    return head | _block(SHAPE) | {"type": "object"}


def _schema(wanted: Wanted) -> dict[str, Any]:
    if isinstance(wanted, Field):
        return _field(wanted)
    if isinstance(wanted, Block):
        return _block(wanted)
    return _list(wanted) if isinstance(wanted, ListOf) else _map(wanted)


def _field(field: Field) -> dict[str, Any]:
    types = [_TYPES[kind] for kind in field.kinds]
    if "number" in types and "integer" in types:
        types.remove("integer")  # every integer is a number
    rules: dict[str, Any] = {"type": types[0] if len(types) == 1 else types}
    if field.choices:
        rules["enum"] = list(field.choices)
    if field.pattern:
        rules["pattern"] = rf"^(?:{field.pattern})$(?!\n)"
    limits = {"minimum": field.minimum, "maximum": field.maximum, "maxLength": field.longest}
    rules |= {name: limit for name, limit in limits.items() if limit is not None}
    others: list[dict[str, Any]] = [{"enum": ["auto", -1]}] if field.auto else []
    others += [{"type": "null"}] if field.null else []
    described: dict[str, Any] = {"description": field.expected.capitalize()}
    return described | ({"anyOf": [rules, *others]} if others else rules)


def _block(block: Block) -> dict[str, Any]:
    rules: dict[str, Any] = {
        "type": ["object", "null"],
        "properties": {key: _schema(wanted) for key, wanted in block.keys.items()},
        "additionalProperties": False,
    }
    for key in block.required:
        if isinstance(kinds := rules["properties"][key].get("type"), list):
            rules["properties"][key]["type"] = kinds[0]  # null is no value of it
    if block.required:
        rules["required"] = list(block.required)
    if block.keys.keys() >= _WITH_ALIAS:
        rules["not"] = {"type": "object", "required": sorted(_WITH_ALIAS)}
    return rules


def _list(wanted: ListOf) -> dict[str, Any]:
    items = _schema(wanted.item)
    if isinstance(wanted.item, Block):
        items["type"] = "object"
    rules: dict[str, Any] = {"type": ["array", "null"], "items": items}
    return rules | ({"minItems": wanted.least} if wanted.least else {})


def _map(wanted: MapOf) -> dict[str, Any]:
    rules: dict[str, Any] = {"type": ["object", "null"]}
    if wanted.value is not None:
        rules["additionalProperties"] = _schema(wanted.value)
    if wanted.most is not None:
        rules["maxProperties"] = wanted.most
    if wanted.longest_key is not None:
        rules["propertyNames"] = {"maxLength": wanted.longest_key}
    if wanted.reserved:
        rules["properties"] = dict.fromkeys(wanted.reserved, False)
    return rules
