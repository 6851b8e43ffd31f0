"""An example as a conversation: what the user said, what else is given, what is answered."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from droptune.validation.plain import PlainMessage
from droptune.validation.rules.example import Example

_encode = msgspec.json.encode


class Turns(NamedTuple):
    """One example's texts.

    Attributes:
        users: what the user said, a text a turn.
        rest: every other message before the last answer, and tools, each as a text.
        answer: the text of the last assistant message; "" if it says nothing or there is none.
    """

    users: list[str]
    rest: list[str]
    answer: str


def turns_of(example: Example) -> Turns:
    """Return the example's turns; asked for the same example again, what was found before."""
    found: Turns | None = example.turns
    if found is None:
        found = example.turns = _read(example)
    return found


def _read(example: Example) -> Turns:
    if example.plain is not None:
        return _read_plain(example.plain)
    value = example.value
    users: list[str] = []
    rest: list[str] = []
    given = value.get("input")
    messages = _list(value.get("messages")) or _list(
        given.get("messages") if type(given) is dict else None
    )
    answers = _list(value.get("preferred_output"))
    for message in (*messages, *answers):
        if type(message) is not dict:
            continue
        said, role = content_text(message), message.get("role")
        if role == "user":
            users.append(said)
        else:
            calls = message.get("tool_calls") or message.get("function_call")
            rest.append(f"{role}:{said}{_encode(calls).decode() if calls else ''}")
    answer = ""
    last = answers[-1] if answers else messages[-1] if messages else None
    if type(last) is dict and last.get("role") == "assistant":
        answer = content_text(last)
        if rest and not last.get("tool_calls") and not last.get("function_call"):
            rest.pop()
    if tools := value.get("tools") or value.get("functions"):
        rest.append(_encode(tools).decode())
    return Turns(users, rest, answer)


def _read_plain(messages: list[PlainMessage]) -> Turns:
    users: list[str] = []
    rest: list[str] = []
    for message in messages:
        (users if message.role == "user" else rest).append(message.content)
    return Turns(users, rest, rest.pop())


def _list(found: Any) -> list[Any]:
    return found if type(found) is list else []


def content_text(message: dict[str, Any]) -> str:
    """Return a message's text, text parts joined; images stand as their address."""
    content = message.get("content")
    if type(content) is str:
        return content
    if type(content) is not list:
        return ""
    return "\n".join(_part_text(part) for part in content)


def _part_text(part: Any) -> str:
    if type(part) is not dict:
        return ""
    text = part.get("text")
    return text if type(text) is str else _encode(part).decode()
