"""Characters that stand in a text by accident, and where they stand by right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_SIGNS = (
    "\u00a0\u00ab\u00bb\u00b0\u00b7\u00a7\u2018\u2019\u201c\u201d\u2026\u2013\u2014\u2022\u2122"
)
_LETTERS = "\u0192\u02c6\u0160\u0152\u017d\u02dc\u0161\u0153\u017e\u0178"
_CONTINUED = f"\u0080-\u00bf\u20ac\u201a\u201e\u2020\u2021\u2030\u2039\u203a{_SIGNS}{_LETTERS}"
_HIDDEN = "\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\U000e0001-\U000e007f"
_CONTROL = "\\x00-\\x08\\x0e-\\x1f\\x7f-\\x9f"
_LEADING = "\u00c2-\u00c5\u00ce-\u00d1\u00e2-\u00e9\u00ef\u00f0"
_STRANGE = re.compile(
    f"[{_CONTROL}{_HIDDEN}\ufffd{_LEADING}](?:(?<=[{_CONTROL}{_HIDDEN}\ufffd])"
    f"|(?<=[\u00c2-\u00d1])[{_CONTINUED}]|(?<=\u00e2)[\u20ac\u201a\u0192\u2020]"
    f"|(?<=[\u00e3-\u00ef])[{_CONTINUED}]{{2}}|(?<=\u00f0)\u0178)"
)
_STRANGE_ASCII = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")

_NEXT = (
    rb"(?:\xc2[\x80-\xbf]|[\xc5\xc6\xcb][\x80-\xbf]|\xe2[\x80-\x84][\x80-\xbf]"
    rb"|\\u(?:00[89abAB]|01[5679]|02[cdCD]|20[1-3]|20[aA]|21)[0-9a-fA-F]{1,2})"
)
STRANGE_SIGNS = (
    rb"\x7f|\xc2[\x80-\x9f]|[^\\](?:\\\\)*\\(?:b|u00(?:0[0-8b-fB-F]|1|7[fF]|[89]))",
    rb"\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xa9]|\xef\xbb\xbf|\xf3\xa0[\x80\x81]"
    rb"|\\u20(?:0[b-fB-F]|2[a-eA-E]|6)|\\u[fF][eE][fF][fF]|\\u[dD][bB]40",
    rb"\xef\xbf\xbd|\\u[fF]{3}[dD]",
    rb"(?:\xc3[\x82-\x85\x8e-\x91]|\\u00(?:[cC][2-5eEfF]|[dD][01]))" + _NEXT,
    rb"(?:\xc3[\xa2-\xa9\xaf]|\\u00[eE][2-9fF])" + _NEXT + _NEXT,
    rb"(?:\xc3\xa2|\\u00[eE]2)(?:\xe2\x82\xac|\xe2\x80[\x9a\xa0]|\xc6\x92"
    rb"|\\u(?:20[aA][cC]|201[aA]|2020|0192))",
    rb"(?:\xc3\xb0|\\u00[fF]0)(?:\xc5\xb8|\\u0178)",
)
"""One of them is in each line that holds such a text, as UTF-8 or as escapes; see `Rule.signs`."""

_MOJIBAKE = re.compile(
    f"(?:[\u00c2-\u00df][{_CONTINUED}]|[\u00e0-\u00ef][{_CONTINUED}]{{2}}"
    f"|[\u00f0-\u00f4][{_CONTINUED}]{{3}}){{1,12}}"
)
_CONTROLS = re.compile(f"[{_CONTROL}]")
_INVISIBLE = re.compile(f"[{_HIDDEN}]")
_ABOUT = re.compile(
    r"(?i)mojibake|unicode|utf-?8|latin-?1|cp-?1252|windows-1252|encod|decod|charset|codepage"
    r"|code point|U\+[0-9A-F]{4}|zero[- ]width|replacement char|control char|ansi|escape"
)
_RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_LATIN = re.compile("[A-Za-z0-9\u00c0-\u024f\u0370-\u03ff\u0400-\u04ff]")
_NAMES = {
    "\u200b": "zero-width space", "\u200c": "zero-width non-joiner", "\u200d": "zero-width joiner",
    "\u200e": "left-to-right mark", "\u200f": "right-to-left mark", "\u2060": "word joiner",
    "\ufeff": "byte order mark", "\u202e": "right-to-left override", "\u00a0": "no-break space",
    "\x1b": "escape, as terminals take it", "\x00": "NUL", "\x08": "backspace", "\x7f": "delete",
}  # fmt: skip
_TURNING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u2066\u2067\u2068\u2069")
_FLAG = "\U0001f3f4"


class Damage(NamedTuple):
    """Something that stands in a text by accident; `said` tells what."""

    start: int
    said: str


def is_strange(text: str) -> bool:
    """Whether a text holds what begins whatever may be damage: most texts hold nothing of it."""
    strange = _STRANGE_ASCII if text.isascii() else _STRANGE
    return strange.search(text) is not None


def is_about_characters(text: str) -> bool:
    """Whether a text speaks of encodings or characters, and so may show what they do."""
    return _ABOUT.search(text) is not None


def find_mojibake(text: str) -> Iterator[Damage]:
    """Yield UTF-8 that was read as Windows-1252: what it was meant to be can be read back."""
    for found in _MOJIBAKE.finditer(text):
        before = text[max(0, found.start() - 1) : found.start()]
        meant = "" if _is_written_so(found[0], before) else _read_back(found[0])
        if meant:
            yield Damage(found.start(), f"{found[0]!r} stands where {meant!r} was meant")


def _is_written_so(found: str, before: str) -> bool:
    """Whether a letter and the quotes or signs after it may be meant: `CAFÉ»`, `voilà»…`."""
    usual = all(char in _SIGNS or char in _LETTERS for char in found[1:])
    return usual and (found[0] not in "\u00c2\u00c3\u00e2" or before.isupper())


def _read_back(damaged: str) -> str:
    """Return the text that was read wrongly, or nothing if it cannot be that."""
    data = bytearray()
    for char in damaged:
        try:
            data += char.encode("cp1252")
        except UnicodeEncodeError:
            if ord(char) > 0xFF:
                return ""
            data.append(ord(char))
    try:
        meant = data.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return "" if len(meant) == 1 and "\u0080" <= meant <= "\u009f" else meant


def find_controls(text: str) -> Iterator[Damage]:
    """Yield control characters other than tabs, line and page breaks."""
    for found in _CONTROLS.finditer(text):
        char = found[0]
        meant = char.encode("latin-1").decode("cp1252", "ignore") if char > "\x7f" else ""
        instead = f", where Windows-1252 has {meant!r}," if meant else ""
        yield Damage(
            found.start(), f"the control character {_name(char)}{instead} stands in the text"
        )


def find_invisible(text: str) -> Iterator[Damage]:
    """Yield characters without width or that turn the direction, where the script has no use."""
    turned = _RTL.search(text) is not None
    for found in _INVISIBLE.finditer(text):
        if not _is_of_use(found[0], text, found.start(), turned):
            said = f"the invisible character {_name(found[0])} stands in the text"
            yield Damage(found.start(), said)


def _is_of_use(char: str, text: str, at: int, turned: bool) -> bool:
    """Whether a script needs such a character here; `turned`: some is written from the right."""
    before, after = text[max(0, at - 1) : at], text[at + 1 : at + 2]
    if char > "\U000e0000":
        return _FLAG in text[max(0, at - 8) : at]
    if char in "\u200b\u200c\u200d":
        return not (_LATIN.match(before) and (_LATIN.match(after) or after in ("", " ")))
    return turned and char in _TURNING


def _name(char: str) -> str:
    name = _NAMES.get(char)
    return f"U+{ord(char):04X} ({name})" if name else f"U+{ord(char):04X}"
