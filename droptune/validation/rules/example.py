"""What rules are shown: a line, an example, a file, a dataset."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, Self, TypeVar

from droptune.domain.dataset import Role
from droptune.domain.models import ModelFacts
from droptune.validation.figures import Histogram
from droptune.validation.plain import FEW_MESSAGES, PlainMessage, as_written
from droptune.validation.report import ValidationRequest
from droptune.validation.rules.faults import Fault, find_fault

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
PROMPTING = ("system", "developer")
OUTPUTS = ("preferred_output", "non_preferred_output")
_PATHS = tuple(f"messages[{at}].content" for at in range(FEW_MESSAGES))
S = TypeVar("S", bound="State")


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """How a dataset shall be read.

    Attributes:
        format: supervised, dpo or reinforcement: as configured, else as the data shows.
        model: what is known of the model, or None.
    """

    request: ValidationRequest
    format: str
    model: ModelFacts | None


class Message(NamedTuple):
    """A message that is an object; what it holds may be anything."""

    path: str
    value: dict[str, Any]
    role: str


class Text(NamedTuple):
    """A text that is learned from: a message's content or a text part of it."""

    path: str
    role: str
    text: str


class RawLine:
    """One line's bytes, without its line end; `fault` is what makes it no example."""

    __slots__ = ("_fault", "_looked", "ended", "number", "raw")

    def __init__(self, raw: bytes, number: int, *, ended: bool, fault: Fault | None = None) -> None:
        """Hold a line; `ended` says whether a line end follows it."""
        self.raw, self.number, self.ended = raw, number, ended
        self._looked, self._fault = fault is not None, fault

    @property
    def fault(self) -> Fault | None:
        """What makes the line no JSON object, or None."""
        if not self._looked:
            self._fault, self._looked = find_fault(self.raw), True
        return self._fault


class Example:
    """One line that holds a JSON object.

    Attributes:
        plain: the messages of a plain example, with `role` and `content`; None of an odd one.
        raw: the line's bytes.
        line: from 1, counted from the start of the part of the file that is being read; rules do
            not write it into messages, because the part may begin anywhere.
        odd: whether it is anything but messages of text, the last of them the assistant's.
        tokens: all of the example's, with what is counted apart.
        asked: how the dataset shall be read.
        turns: what `turns_of` returned, once it was asked.
    """

    __slots__ = (
        "_digest", "_messages", "_texts", "_value",
        "asked", "line", "odd", "plain", "raw", "tokens", "turns",
    )  # fmt: skip

    def __init__(
        self,
        plain: list[PlainMessage] | None,
        value: dict[str, Any] | None,
        raw: bytes,
        line: int,
        tokens: int,
        asked: Asked,
    ) -> None:
        """Hold an example: the messages of a plain one, the value of any other."""
        self.plain, self._value, self.raw, self.line = plain, value, raw, line
        self.odd, self.tokens, self.asked = plain is None, tokens, asked
        self._digest: int | None = None
        self._messages: list[Message] | None = None
        self._texts: list[Text] | None = None
        self.turns: Any = None

    @property
    def digest(self) -> int:
        """64 bits of SHA-256 of the line without blanks at its end."""
        if self._digest is None:
            digest = hashlib.sha256(self.raw.rstrip()).digest()
            self._digest = int.from_bytes(digest[:8], "little")
        return self._digest

    @property
    def value(self) -> dict[str, Any]:
        """The object, as written; of a plain example it is made when it is asked for."""
        if self._value is None:
            self._value = as_written(self.plain or [])
        return self._value

    @property
    def system_prompt(self) -> Any:
        """What the first message holds if it is the system's or developer's, else None."""
        if self.plain is not None:
            first = self.plain[0]
            return first.content if first.role in PROMPTING else None
        for _, messages in message_lists(self.value):
            opening = messages[0] if messages else None
            if type(opening) is dict and opening.get("role") in PROMPTING:
                return opening.get("content")
            return None
        return None

    @property
    def messages(self) -> list[Message]:
        """Every message that is an object, in order; of preference pairs also both outputs'."""
        if self._messages is None:
            self._messages = [
                Message(f"{path}[{at}]", each, role if type(role) is str else "")
                for path, found in message_lists(self.value)
                for at, each in enumerate(found)
                if type(each) is dict
                for role in (each.get("role"),)
            ]
        return self._messages

    @property
    def texts(self) -> list[Text]:
        """Every text in messages' content, in order."""
        if self._texts is None:
            self._texts = (
                [text for message in self.messages for text in _texts_of(message)]
                if self.plain is None
                else [
                    Text(path, each.role, each.content)
                    for path, each in zip(_PATHS, self.plain, strict=False)
                ]
            )
        return self._texts


def message_lists(value: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """Yield path and content of each list of messages that an example has."""
    found = value.get("messages")
    if type(found) is list:
        yield "messages", found
    given = value.get("input")
    if type(given) is dict and type(given.get("messages")) is list:
        yield "input.messages", given["messages"]
    for name in OUTPUTS:
        if type(value.get(name)) is list:
            yield name, value[name]


def _texts_of(message: Message) -> Iterator[Text]:
    content = message.value.get("content")
    if type(content) is str:
        yield Text(f"{message.path}.content", message.role, content)
    elif type(content) is list:
        for at, part in enumerate(content):
            if type(part) is dict and type(part.get("text")) is str:
                yield Text(f"{message.path}.content[{at}].text", message.role, part["text"])


class FileStart:
    """A file's name, role, length and first bytes (64 KiB at most)."""

    __slots__ = ("asked", "data", "name", "role", "size_bytes")

    def __init__(
        self, *, name: str, role: Role, size_bytes: int, data: bytes, asked: Asked
    ) -> None:
        """Hold a file's start."""
        self.name, self.role, self.size_bytes, self.data = name, role, size_bytes, data
        self.asked = asked


class State(Protocol):
    """What is gathered over a file, in ranges that may be read by different processes.

    It is made without arguments, must survive pickling, and takes bounded memory. Merging is
    associative: however the file was cut, the whole is the same.

    A state with `signs` is shown only examples whose line holds one, as rules are. One that keeps a
    part may have `follow(earlier)`: it is told once, before anything else, of what was gathered
    over another part of the same file, and may leave out from the start what that part left out.
    """

    def add(self, example: Example) -> None:
        """Take an example in; examples come in the order of the file."""

    def merge(self, later: Self, lines: int) -> None:
        """Take in what was gathered after this; its lines are counted from after `lines` lines."""


class FileView:
    """A file that was read to its end."""

    def __init__(
        self,
        *,
        role: Role,
        name: str,
        size_bytes: int,
        lines: int,
        examples: int,
        tokens: Mapping[str, Histogram],
        states: Mapping[type[Any], Any],
        dataset: DatasetView,
    ) -> None:
        """Hold a file's figures and what was gathered over it."""
        self.role, self.name, self.size_bytes = role, name, size_bytes
        self.lines, self.examples, self.tokens = lines, examples, tokens
        self.dataset = dataset
        self._states = states

    def state(self, kind: type[S]) -> S:
        """Return what was gathered; a rule names the kinds it wants in `states`."""
        found: S = self._states[kind]
        return found


class DatasetView:
    """All files that were read, in the order training, validation, test.

    A role usually has one file. `refused` are the roles of files that were not read, because of
    how they begin.
    """

    def __init__(self, asked: Asked) -> None:
        """Begin without files."""
        self.asked = asked
        self.files: list[FileView] = []
        self.refused: set[Role] = set()

    def of(self, role: Role) -> list[FileView]:
        """Return the files of a role."""
        return [file for file in self.files if file.role is role]

    @property
    def training(self) -> list[FileView]:
        """The files of training data."""
        return self.of(Role.TRAINING)
