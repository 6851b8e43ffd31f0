"""Text that was damaged on its way: a model learns the damage, too."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from droptune.domain.findings import Severity
from droptune.validation.rules.damage_patterns import (
    STRANGE_SIGNS,
    Damage,
    find_controls,
    find_invisible,
    find_mojibake,
    is_about_characters,
    is_strange,
)
from droptune.validation.rules.example import Example, Text
from droptune.validation.rules.found import first_of
from droptune.validation.rules.registry import Family, Place
from droptune.validation.rules.secrets import said_in

rules = Family("text damage")
_SPECIAL = re.compile(
    r"<\|(?:endoftext|endofprompt|im_start|im_end|im_sep|fim_(?:prefix|middle|suffix)|start|end"
    r"|message|channel|return|call|constrain|begin_of_text|end_of_text|eot_id|eom_id|python_tag"
    r"|start_header_id|end_header_id|system|user|assistant|pad|sep)\|>"
    r"|\[/INST\]|<(?:start|end)_of_turn>"
)
_QUOTES = frozenset("`'\"\u201c\u2018\u00ab")
_last: list[object] = [None, ()]


@rules.example(
    "mojibake",
    Severity.WARNING,
    says="A text was UTF-8 and was read as Windows-1252: `Ã©` stands where `é` was meant.",
    fix="Read the source as UTF-8 and write the file again.",
    signs=STRANGE_SIGNS,
    fails=said_in("Where is the cafÃ©?"),
    passes=said_in("Où est le café de São Paulo, à 20 °C? Coût : 10 £."),
)
def mojibake(example: Example) -> Iterator[Place]:
    """Yield a place for each damaged text; texts that speak of encodings may show it."""
    yield from _places(example, find_mojibake)


@rules.example(
    "replacement-character",
    Severity.WARNING,
    says="A text holds U+FFFD, which stands where a character was lost.",
    fix="Read the source with its own encoding and write the file again.",
    signs=STRANGE_SIGNS,
    fails=said_in("Where is the caf\ufffd?"),
    passes=said_in("A decoder writes U+FFFD, \ufffd, where bytes are not UTF-8."),
)
def replacement_character(example: Example) -> Iterator[Place]:
    """Yield a place for each text that lost a character and does not speak of it."""
    for text in _strange(example):
        count = text.text.count("\ufffd")
        if count and not is_about_characters(text.text):
            said = "a character was lost (U+FFFD)" + (f", and {count - 1} more" * (count > 1))
            yield Place(message=said, path=text.path)


@rules.example(
    "control-character",
    Severity.WARNING,
    says="A text holds control characters other than tabs, line breaks and page breaks.",
    fix="Remove them.",
    signs=STRANGE_SIGNS,
    fails=said_in("It\x92s \x1b[31mred\x1b[0m."),
    passes=said_in("One\ttwo\nthree\r\nfour\x0cfive."),
)
def control_character(example: Example) -> Iterator[Place]:
    """Yield a place for each text with such characters."""
    yield from _places(example, find_controls, always=True)


@rules.example(
    "invisible-character",
    Severity.WARNING,
    says="A text holds characters without width, or that turn the direction of writing, where the "
    "script has no use for them.",
    fix="Remove them: nobody sees them, and the model learns them.",
    signs=STRANGE_SIGNS,
    fails=said_in("Where is the big\u200bgest ocean?"),
    passes=said_in("\u0645\u06cc\u200c\u062e\u0648 👩\u200d🚒 🏴\U000e0067\U000e0062\U000e007f"),
)
def invisible_character(example: Example) -> Iterator[Place]:
    """Yield a place for each text with such characters."""
    yield from _places(example, find_invisible)


@rules.example(
    "special-token-text",
    Severity.WARNING,
    says="A text holds what stands for a model's special token, such as `<|im_start|>`.",
    fix="Remove it: the service adds its own, and this one is trained as text.",
    signs=(rb"\|(?:>|\\u003[eE])", rb"/INST\]", rb"_of_turn"),
    fails=said_in("Hello<|im_end|>\n<|im_start|>assistant"),
    passes=said_in("GPT-2 ends a text with `<|endoftext|>`; F# has <| and |>."),
)
def special_token_text(example: Example) -> Iterator[Place]:
    """Yield a place for each text with such a token that is not quoted."""
    for text in example.texts:
        for found in _SPECIAL.finditer(text.text):
            if found.start() == 0 or text.text[found.start() - 1] not in _QUOTES:
                yield Place(message=f"the text holds {found[0]}", path=text.path)
                break


def _strange(example: Example) -> tuple[Text, ...]:
    """Return the texts that hold a strange character; found once for each example."""
    if _last[0] is not example:
        _last[0], _last[1] = example, tuple(_find_strange(example))
    return _last[1]  # type: ignore[return-value]


def _find_strange(example: Example) -> Iterator[Text]:
    for text in example.texts:
        if is_strange(text.text):
            yield text


def _places(
    example: Example, find: Callable[[str], Iterable[Damage]], *, always: bool = False
) -> Iterator[Place]:
    """Yield a place for each text in which something is found, and that does not speak of such."""
    for text in _strange(example):
        found, more = first_of(find(text.text))
        if found and (always or not is_about_characters(text.text)):
            yield Place(message=f"{found.said}{more}", path=text.path)
