"""Lines made and spoilt by a seed, thousands a second: what no strategy draws fast enough."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

from tests.validation.lines_of_all_kinds import KNOWN as ALL_KNOWN

KNOWN = [line for line in ALL_KNOWN if len(line) < 2_000]
_WORDS = (
    "The Pacific.", "yes", "no", "", " ", "nan", "None", "[object Object]", "Dear {{name}}",
    "${order_id}", "<|im_start|>user", "[/INST]", "User: hi\nAssistant: ho", "```json\n{}\n",
    '{"topic": "ship", "urgent": true}', '{"topic": "sh', "caf\u00c3\u00a9", "a\u200bb", "\u202ec",
    "\ud7ff\ue000", "\ufffd", "\x00", "\x1b[2J", "\u043e\u043a\u0435\u0430\u043d", "\u6d77\u6d0b",
    "\U0001f9d1\u200d\U0001f692", "ghp_x7Kq2mZ9vT4bWnR8sYd3LfHj6Pc1Ga5UeQ0o", "password: hunter22!",
    "maria.lindqvist@nordhavn-bygg.se", "call +49 171 920 8834", "card 4485 9203 7716 2040",
    "DE62 5001 0517 9203 7716 20", "My SSN is 536-22-8714.", "I'm sorry, but I can't help.",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE", "Server=x;AccountKey=abc123==;", "=" * 300,
    "data:image/png;base64,iVBORw0KGgo=", "https://ann:pw12345678@db.example.com/x", "\r", "\u2028",
)  # fmt: skip
_KEYS = (
    "messages", "role", "content", "weight", "name", "tool_calls", "tool_call_id", "function_call",
    "tools", "functions", "parallel_tool_calls", "refusal", "input", "preferred_output",
    "non_preferred_output", "type", "function", "arguments", "parameters", "id", "image_url", "url",
    "detail", "text", "conversations", "from", "value", "prompt", "completion", "instruction",
    "contents", "parts", "question", "answer", "custom_id", "body", "audio", "x", "", "\u0000",
)  # fmt: skip
_ROLES = ("system", "developer", "user", "assistant", "tool", "function", "bot", "User", "", 3)
_PIECES = (
    b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b'":', b"\x00", b"\xff", b"\xc3", b"\xf0\x9f",
    b"\\ud800", b"\\u0000", b"\\u003c|", b"NaN", b"-Infinity", b"1e999", b"9" * 400, b"1" * 5_000,
    b"0.1e-400", b"tru", b"null", b"[" * 120, b'{"a":' * 120, b"\xef\xbb\xbf", b"\r", b"\t",
    b'"role": "user", ', b'"content": 1, ', b"\xe2\x80\xa8", b"\x1f\x8b", b"//", b"\\u00e9", b"\\/",
)  # fmt: skip
_OPENING = (
    b'{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}]}'
)


def a_file(random: Random, lines: int) -> bytes:
    """Return so many lines; most files begin as data does, so that no first look refuses them."""
    end = random.choice((b"\n", b"\n", b"\n", b"\r\n"))
    found = [a_line(random) for _ in range(lines)]
    if random.random() < 0.97:
        found[0] = _OPENING
    mark = b"\xef\xbb\xbf" if random.random() < 0.1 else b""
    return mark + end.join(found) + (end if random.random() < 0.7 else b"")


def a_line(random: Random) -> bytes:
    """Return a line without a line break in it: good, odd, spoilt, torn or nothing but bytes."""
    make = random.choice(_MAKERS)
    return make(random).replace(b"\n", b" ")


def _made(random: Random) -> bytes:
    """Return an example of any format, some of it odd."""
    example: Any = random.choice((_chat, _chat, _chat, _pair, _junk))(random)
    return _written(random, example)


def _remade(random: Random) -> bytes:
    """Return a known line of which a node is another, is gone, or stands twice."""
    line = random.choice(KNOWN)
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return _torn(random)
    holders = list(_holders(value))
    for _ in range(random.choice((1, 1, 2, 4))):
        if holders:
            _change(random, random.choice(holders))
    return _written(random, value)


def _torn(random: Random) -> bytes:
    """Return a line with a stretch replaced, doubled, moved or cut, once or a few times."""
    line = random.choice(KNOWN) if random.random() < 0.6 else _made(random)
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        start = random.randrange(len(line) + 1)
        end = min(len(line), start + random.choice((0, 0, 1, 2, 8, 40)))
        piece = random.choice((_piece, _doubled, _stolen, _nothing))(random, line[start:end])
        line = line[:start] + piece + line[end:]
    return line[: random.randrange(len(line) + 1)] if random.random() < 0.1 else line


def _bytes(random: Random) -> bytes:
    return random.choice((b"", b" ", b"\r", b"\t\t", random.randbytes(random.randrange(40))))


def _known(random: Random) -> bytes:
    return random.choice(KNOWN)


_MAKERS: tuple[Callable[[Random], bytes], ...] = (
    _made, _made, _made, _remade, _remade, _remade, _torn, _torn, _torn, _known, _bytes,
)  # fmt: skip


def _piece(random: Random, _: bytes) -> bytes:
    return random.choice(_PIECES)


def _doubled(_: Random, stretch: bytes) -> bytes:
    return stretch * 2


def _stolen(random: Random, _: bytes) -> bytes:
    other = random.choice(KNOWN)
    start = random.randrange(len(other) + 1)
    return other[start : start + 60]


def _nothing(_: Random, __: bytes) -> bytes:
    return b""


def _chat(random: Random) -> Any:
    value: dict[str, Any] = {"messages": [_message(random) for _ in range(random.randrange(6))]}
    if random.random() < 0.8:
        value["messages"].append({"role": "assistant", "content": random.choice(_WORDS)})
    while random.random() < 0.3:
        value[random.choice(_KEYS)] = _junk(random)
    return value


def _pair(random: Random) -> Any:
    messages = [[_message(random) for _ in range(random.randrange(3))] for _ in range(3)]
    return {
        "input": {"messages": messages[0]},
        "preferred_output": messages[1],
        "non_preferred_output": messages[2] if random.random() < 0.8 else messages[1],
    }


def _message(random: Random) -> Any:
    message: dict[str, Any] = {
        "role": random.choice(_ROLES[:4] if random.random() < 0.8 else _ROLES),
        "content": random.choice(_WORDS) if random.random() < 0.8 else _junk(random),
    }
    while random.random() < 0.2:
        message[random.choice(_KEYS)] = _junk(random)
    return message if random.random() < 0.97 else _junk(random)


def _junk(random: Random, deep: int = 0) -> Any:
    kind = random.randrange(10 if deep < 4 else 7)
    if kind < 3:
        return random.choice(_WORDS)
    if kind < 7:
        return random.choice((None, True, False, 0, 1, -3, 0.5, 10**30, 1e300, float("inf"), "1"))
    if kind == 7:
        return [_junk(random, deep + 1) for _ in range(random.randrange(4))]
    return {random.choice(_KEYS): _junk(random, deep + 1) for _ in range(random.randrange(4))}


def _holders(value: Any) -> Any:
    if isinstance(value, dict | list):
        yield value
        for each in value.values() if isinstance(value, dict) else value:
            yield from _holders(each)


def _change(random: Random, holder: Any) -> None:
    """Replace, remove, rename or repeat something that a list or object holds."""
    if not holder:
        return
    at = random.choice(list(holder)) if isinstance(holder, dict) else random.randrange(len(holder))
    act = random.randrange(4)
    if act == 0:
        del holder[at]
    elif act == 1 and isinstance(holder, dict):
        holder[random.choice(_KEYS)] = holder.pop(at)
    elif act == 2 and isinstance(holder, list):
        holder.insert(at, holder[at])
    else:
        holder[at] = _junk(random)


def _written(random: Random, value: Any) -> bytes:
    spaced = (" , ", " : ") if random.random() < 0.1 else None
    if random.random() < 0.01:
        value = {"messages": [{"role": "user", "content": "x" * 9_000}, value]}
    text = json.dumps(value, ensure_ascii=random.random() < 0.5, separators=spaced)
    return text.encode("utf-8", "surrogatepass")
