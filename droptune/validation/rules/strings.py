"""Every text in an example, wherever it stands: contents, names, arguments, fields of a grader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from droptune.validation.rules.example import Example, Text
from droptune.validation.rules.quoting import shown

_LONGEST_KEY = 40


def strings_of(example: Example) -> Iterator[Text]:
    """Yield every text value in the order in which it is written; images' data are left out."""
    if example.plain is not None:  # roles apart, its contents are all there is
        yield from (text for text in example.texts if not text.text.startswith("data:"))
        return
    for key, value in example.value.items():
        yield from _within(value, _step(key), "")


def _within(value: Any, path: str, role: str) -> Iterator[Text]:
    if type(value) is str:
        if not value.startswith("data:"):
            yield Text(path, role, value)
    elif type(value) is list:
        for at, each in enumerate(value):
            yield from _within(each, f"{path}[{at}]", role)
    elif type(value) is dict:
        own = value.get("role")
        for key, each in value.items():
            inner = own if type(own) is str else role
            yield from _within(each, f"{path}.{_step(key)}", inner)


def _step(key: str) -> str:
    return key if len(key) <= _LONGEST_KEY else shown(key, _LONGEST_KEY)
