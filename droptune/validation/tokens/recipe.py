"""How an example's tokens are counted: the published recipe, and apart what it does not cover."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from droptune.validation.plain import PLAIN_ROLES, PlainMessage
from droptune.validation.tokens.counters import TokenCounter
from droptune.validation.tokens.reference import count_in_pieces

PER_MESSAGE, PER_NAME, PER_EXAMPLE = 3, 1, 3
LONGEST_TEXT = 2_000_000
IMAGE_TOKENS = {"low": 85, "high": 765, "auto": 765}
_SHORT_CHARS = 64
_REPEATING = frozenset({"system", "developer"})
_CACHED_CHARS = 4_000_000
_NUMBERS = (str, bool, int, float)


@dataclass(slots=True)
class ExampleTokens:
    """Tokens of one example; tools, parts and images are apart, because no recipe covers them.

    Attributes:
        tools: tools, functions and calls, counted as their JSON.
        parts: texts of parts.
        images: 85 for low detail, 765 otherwise. Unverified: what the service counts for high.
    """

    total: int = PER_EXAMPLE
    assistant: int = 0
    tools: int = 0
    parts: int = 0
    images: int = 0

    @property
    def apart(self) -> int:
        """All that the recipe does not cover."""
        return self.tools + self.parts + self.images


Plain = tuple[int, int, int, int]  # tokens known so far, the assistant's; texts to be counted


@dataclass(slots=True)
class Texts:
    """Texts that are to be counted: the assistant's answers, and all others."""

    others: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    def all(self) -> list[str]:
        """Return all, the answers last."""
        return self.others + self.answers


class Recipe:
    """Counts as the cookbook does: 3 a message, every string value, 1 for `name`, 3 an example.

    Source: OpenAI cookbook, data preparation and analysis for chat fine-tuning. What repeats
    (system prompts, names, roles, labels) is counted once and kept, up to a bound.
    """

    def __init__(self, counter: TokenCounter) -> None:
        """Count with a counter."""
        self._counter = counter
        self._count: Callable[[str], int] = counter.count
        self._cache: dict[str, int] = {}
        self._cached_chars = 0
        self._tools: dict[bytes, int] = {}
        self._roles = {role: PER_MESSAGE + self._count(role) for role in PLAIN_ROLES}

    def plan(self, messages: list[PlainMessage], texts: Texts) -> Plain:
        """Return what is known of a plain example's tokens, and put aside what is to be counted."""
        total, assistant, others, answers = PER_EXAMPLE, 0, 0, 0
        cache, roles = self._cache, self._roles
        for message in messages:
            role, content = message.role, message.content
            total += roles[role]
            if len(content) < _SHORT_CHARS or role in _REPEATING:
                tokens = cache.get(content)
                if tokens is None:
                    tokens = self._remember(content)
                total += tokens
                if role == "assistant":
                    assistant += tokens
            elif role == "assistant":
                texts.answers.append(content)
                answers += 1
            else:
                texts.others.append(content)
                others += 1
        return total, assistant, others, answers

    def count_example(
        self, value: Mapping[str, Any], messages: list[dict[str, Any]]
    ) -> ExampleTokens:
        """Return the tokens of any example, whatever its messages hold."""
        found = ExampleTokens()
        for message in messages:
            self._add_message(message, found)
        for key in ("tools", "functions"):
            if value.get(key):
                found.tools += self._count_json(value[key])
        given = value.get("input")
        if type(given) is dict and given.get("tools"):
            found.tools += self._count_json(given["tools"])
        return found

    def count(self, text: str) -> int:
        """Return the tokens of a text; one that is longer than any model takes, by estimate."""
        if len(text) < _SHORT_CHARS:
            found = self._cache.get(text)
            return self._remember(text) if found is None else found
        return self._long(text) if len(text) > LONGEST_TEXT else self._count(text)

    def _add_message(self, message: dict[str, Any], found: ExampleTokens) -> None:
        found.total += PER_MESSAGE
        for key, value in message.items():
            if type(value) is str:
                tokens = self.count(value)
                found.total += tokens + (PER_NAME if key == "name" else 0)
                if key == "content" and message.get("role") == "assistant":
                    found.assistant += tokens
            elif key == "content" and type(value) is list:
                for part in value:
                    self._add_part(part, found)
            elif value is not None and not isinstance(value, _NUMBERS):
                found.tools += self._count_json(value)

    def _add_part(self, part: Any, found: ExampleTokens) -> None:
        if type(part) is not dict:
            return
        for key in ("text", "refusal"):
            if type(part.get(key)) is str:
                found.parts += self.count(part[key])
        if part.get("type") == "image_url":
            image = part.get("image_url")
            detail = image.get("detail") if type(image) is dict else None
            found.images += IMAGE_TOKENS.get(detail if type(detail) is str else "", 765)

    def _count_json(self, value: Any) -> int:
        text = msgspec.json.encode(value)
        tokens = self._tools.get(text)
        if tokens is None:
            tokens = self.count(text.decode())
            if len(self._tools) >= 256:
                self._tools.clear()
            if len(text) < 65_536:
                self._tools[text] = tokens
        return tokens

    def _remember(self, text: str) -> int:
        tokens = self._long(text) if len(text) > LONGEST_TEXT else self._count(text)
        self._cached_chars += len(text)
        if self._cached_chars > _CACHED_CHARS:
            self._cache.clear()
            self._cached_chars = len(text)
        self._cache[text] = tokens
        return tokens

    def _long(self, text: str) -> int:
        return count_in_pieces(text, self._count)
