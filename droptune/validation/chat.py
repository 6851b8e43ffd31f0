"""The rules of the chat format: each names the place, what is wrong, and what would be right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from droptune.domain.findings import Severity

ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_SHOWN_ROLES = "system, developer, user, assistant, tool"
_KEYS = frozenset(
    {
        "role", "content", "name", "weight", "refusal", "audio", "tool_calls", "tool_call_id",
        "function_call",
    }
)  # fmt: skip
_TOP_KEYS = frozenset({"messages", "tools", "parallel_tool_calls", "functions", "metadata"})
_PARTS = {"text": "text", "image_url": "image_url", "refusal": "refusal"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Complaint:
    """What a rule says of one example."""

    rule: str
    path: str
    message: str
    fix: str
    severity: Severity = Severity.ERROR


def check_chat(example: Mapping[str, Any]) -> Iterator[Complaint]:
    """Yield everything that is wrong with a chat example.

    Source: facts 4; the cookbook's checks, made to accept tools, the developer role, parts and
    refusals.
    """
    messages = example.get("messages")
    if not isinstance(messages, list) or not messages:
        said = "messages is missing" if messages is None else "messages is not a list with messages"
        yield Complaint(
            rule="missing-messages",
            path="messages",
            message=f"{said}.",
            fix='Write {"messages": [{"role": "user", "content": "…"}, …]}.',
        )
        return
    yield from _unknown_keys(example, _TOP_KEYS, "")
    yield from check_messages(messages, "messages")
    yield from _check_ending(messages)


def check_messages(messages: list[Any], path: str) -> Iterator[Complaint]:
    """Yield what is wrong with single messages."""
    for position, message in enumerate(messages):
        where = f"{path}[{position}]"
        if isinstance(message, Mapping):
            yield from _check_message(message, where)
        else:
            said = "the message is not an object"
            yield _error("message-not-an-object", where, said, "Use role and content.")


def _check_message(message: Mapping[str, Any], path: str) -> Iterator[Complaint]:
    role = message.get("role")
    if not isinstance(role, str) or role not in ROLES:
        yield _bad_role(role, "role" in message, path)
    yield from _unknown_keys(message, _KEYS, f"{path}.")
    yield from _check_content(message, path)
    yield from _check_tools(message, path)
    weight = message.get("weight")
    if weight is not None and (isinstance(weight, bool) or weight not in (0, 1)):
        yield _error("bad-weight", f"{path}.weight", "weight is not 0 or 1", "Use 0 or 1.")
    if "weight" in message and role != "assistant":
        said = "weight stands on a message that is not the assistant's"
        yield _error("bad-weight", f"{path}.weight", said, "Remove it.")


def _bad_role(role: Any, present: bool, path: str) -> Complaint:
    if not present:
        return _error("missing-role", f"{path}.role", "role is missing", f"Use {_SHOWN_ROLES}.")
    shown = f'"{role[:40]}"' if isinstance(role, str) else "this"
    said = f"{shown} is not one of {_SHOWN_ROLES}"
    return _error("unknown-role", f"{path}.role", said, _role_fix(role))


def _role_fix(role: Any) -> str:
    known = {"bot": "assistant", "ai": "assistant", "model": "assistant", "gpt": "assistant"}
    known |= {"human": "user", "customer": "user", "instruction": "system"}
    meant = known.get(role.casefold()) if isinstance(role, str) else None
    return f'Use "{meant}".' if meant else f"Use one of {_SHOWN_ROLES}."


def _check_content(message: Mapping[str, Any], path: str) -> Iterator[Complaint]:
    content = message.get("content")
    if isinstance(content, str):
        if not content.strip() and message.get("role") in ("user", "assistant"):
            yield Complaint(
                rule="empty-content",
                path=f"{path}.content",
                message="content is empty.",
                fix="Write what was said, or remove the example.",
                severity=Severity.WARNING,
            )
    elif isinstance(content, list) and content:
        for position, part in enumerate(content):
            yield from _check_part(part, f"{path}.content[{position}]")
    elif content is None:
        instead = ("tool_calls", "function_call", "refusal")
        if message.get("role") != "assistant" or not any(message.get(key) for key in instead):
            said = "content is missing"
            yield _error("missing-content", f"{path}.content", said, "Write the message's text.")
    else:
        said = "content is neither text nor a list of parts"
        yield _error("bad-content", f"{path}.content", said, "Use text.")


def _check_part(part: Any, path: str) -> Iterator[Complaint]:
    kind = part.get("type") if isinstance(part, Mapping) else None
    if not isinstance(kind, str) or kind not in _PARTS:
        fix = 'Use {"type": "text", "text": "…"}.'
        yield _error("bad-part", path, "the part is not text, image_url or refusal", fix)
    elif kind == "image_url":
        image = part.get("image_url")
        if not isinstance(image, Mapping) or not isinstance(image.get("url"), str):
            fix = 'Use {"type": "image_url", "image_url": {"url": "…"}}.'
            yield _error("bad-part", path, "the image has no url", fix)
    elif not isinstance(part.get(_PARTS[kind]), str):
        said = f"the part has no {_PARTS[kind]}"
        yield _error("bad-part", path, said, f"Give it {_PARTS[kind]}.")


def _check_tools(message: Mapping[str, Any], path: str) -> Iterator[Complaint]:
    role = message.get("role")
    if role == "tool" and not isinstance(message.get("tool_call_id"), str):
        said = "tool_call_id is missing"
        yield _error("bad-tool-call", f"{path}.tool_call_id", said, "Name the call it answers.")
    if role == "function" and not isinstance(message.get("name"), str):
        yield _error("bad-tool-call", f"{path}.name", "name is missing", "Name the function.")
    calls = message.get("tool_calls")
    if calls is None:
        return
    if not isinstance(calls, list):
        yield _error("bad-tool-call", f"{path}.tool_calls", "it is not a list", "Use a list.")
        return
    for position, call in enumerate(calls):
        yield from _check_call(call, f"{path}.tool_calls[{position}]")


def _check_call(call: Any, path: str) -> Iterator[Complaint]:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        fix = 'Use {"id": "…", "type": "function", "function": {"name": "…", "arguments": "{}"}}.'
        yield _error("bad-tool-call", path, "the call names no function", fix)
        return
    if not isinstance(call.get("id"), str):
        yield _error("bad-tool-call", f"{path}.id", "id is missing", "Give the call an id.")
    if not isinstance(function.get("arguments"), str):
        said = "arguments is not text"
        fix = "Write the arguments as JSON inside a string."
        yield _error("bad-tool-call", f"{path}.function.arguments", said, fix)


def _check_ending(messages: list[Any]) -> Iterator[Complaint]:
    roles = [m.get("role") if isinstance(m, Mapping) else None for m in messages]
    known = all(role in ROLES for role in roles)
    if "assistant" not in roles and known:
        said = "no message is the assistant's, so there is nothing to learn"
        yield _error("no-assistant-message", "messages", said, "End with the wanted answer.")
    elif roles[-1] != "assistant" and known:
        path = f"messages[{len(messages) - 1}].role"
        said = "the last message is not the assistant's"
        yield _error("last-message-not-assistant", path, said, "End with the wanted answer.")


def _unknown_keys(
    value: Mapping[str, Any], known: frozenset[str], path: str
) -> Iterator[Complaint]:
    for key in value.keys() - known:
        yield Complaint(
            rule="unknown-key",
            path=f"{path}{key[:40]}",
            message=f"the key {key[:40]!r} is not part of the chat format.",
            fix="Remove it.",
            severity=Severity.WARNING,
        )


def _error(rule: str, path: str, said: str, fix: str) -> Complaint:
    return Complaint(rule=rule, path=path, message=f"{said}.", fix=fix)
