"""Tools of validation and test data that are not those of training."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, Self

import msgspec

from droptune.domain.dataset import Role
from droptune.domain.findings import Severity
from droptune.validation.rules.example import DatasetView, Example
from droptune.validation.rules.fixtures import assistant, chat, tool, user
from droptune.validation.rules.quoting import quoted
from droptune.validation.rules.registry import Family, Place, case

rules = Family("consistency")
_encode = msgspec.json.encode
_LEAST, _MOST_TOOLS, _EXAMPLES_EACH = 10, 64, 3
CALLS = tuple(chat(user(f"Question {at}"), assistant(), tools=[tool()]) for at in range(12))


class ToolSets:
    """The tools that examples offer: name, digest of the schema, and the first line of each.

    The 1,000 with the smallest digest of name and schema only.
    """

    most = 1_000

    def __init__(self) -> None:
        """Begin with none."""
        self.examples = self.without = 0
        self.tools: dict[tuple[int, str, int], int] = {}
        self._seen: set[int] = set()

    def add(self, example: Example) -> None:
        """Look at the tools of an example."""
        self.examples += 1
        if example.plain is not None:
            self.without += 1
            return
        given = example.value.get("tools") or example.value.get("functions")
        if type(given) is not list or not given:
            self.without += 1
            return
        whole = zlib.crc32(_encode(given))
        if whole in self._seen:
            return
        if len(self._seen) < self.most:
            self._seen.add(whole)
        for each in given:
            if (found := _tool(each)) is not None:
                self.tools.setdefault(found, example.line)
        self._bound()

    def merge(self, later: Self, lines: int) -> None:
        """Take in those of what follows."""
        self.examples += later.examples
        self.without += later.without
        for found, line in later.tools.items():
            self.tools.setdefault(found, line + lines)
        self._bound()

    def _bound(self) -> None:
        while len(self.tools) > self.most:
            del self.tools[max(self.tools)]


def _tool(given: Any) -> tuple[int, str, int] | None:
    """Return digest, name and digest of the parameters; descriptions may be reworded."""
    function = given.get("function", given) if type(given) is dict else None
    name = function.get("name") if type(function) is dict else None
    if type(name) is not str:
        return None
    parameters = function.get("parameters") if type(function) is dict else None
    schema = zlib.crc32(msgspec.json.encode(parameters, order="sorted"))
    return zlib.crc32(f"{name[:100]}:{schema}".encode("utf-8", "surrogatepass")), name[:100], schema


@rules.dataset(
    "tools-differ",
    Severity.WARNING,
    says="A tool of the validation or test data is not offered in training, or with other "
    "parameters.",
    fix="Offer the same tools in all files, as in production.",
    states=(ToolSets,),
    fails=case(*CALLS, validation=(chat(user("Another"), assistant(), tools=[tool("find")]),)),
    passes=case(*CALLS, validation=(chat(user("Another"), assistant(), tools=[tool()]),)),
)
def tools_differ(dataset: DatasetView) -> Iterator[Place]:
    """Yield a place for each tool that is only offered outside the training data.

    Silent where the training data teaches the use of tools at large: many tools, few examples each.
    """
    states = [file.state(ToolSets) for file in dataset.training]
    examples = sum(state.examples for state in states)
    known = {found for state in states for found in state.tools}
    if examples < _LEAST or len(known) > min(_MOST_TOOLS, examples // _EXAMPLES_EACH):
        return
    names = {name for _, name, _ in known}
    all_have = not any(state.without for state in states)
    for file in dataset.files:
        state = file.state(ToolSets)
        if file.role is Role.TRAINING:
            continue
        if all_have and state.without == state.examples:
            yield Place(message="no example offers tools; all training examples do", file=file.name)
        for found, line in sorted(state.tools.items(), key=lambda item: (item[1], item[0])):
            if found not in known:
                how = "with these parameters " if found[1] in names else ""
                said = f"the tool {quoted(found[1])} is not offered {how}in the training data"
                yield Place(message=said, file=file.name, line=line, path="tools")
