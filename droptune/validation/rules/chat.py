"""Messages: roles, content, keys, and how an example ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from droptune.domain.findings import Severity
from droptune.validation.rules.example import ROLES, Example, Message, message_lists
from droptune.validation.rules.fixtures import assistant, chat, system, text, user
from droptune.validation.rules.foreign import foreign_shape
from droptune.validation.rules.quoting import quoted, shown
from droptune.validation.rules.registry import Family, Place, case

rules = Family("chat")
GOOD = case(chat(system(), user(), assistant()))
SHOWN_ROLES = "system, developer, user, assistant, tool"
_KEYS = frozenset(
    {
        "role", "content", "name", "weight", "refusal", "audio", "tool_calls", "tool_call_id",
        "function_call",
    }
)  # fmt: skip
_TOP_KEYS = frozenset(
    {"messages", "tools", "parallel_tool_calls", "functions", "function_call", "metadata"}
)
_MEANT = {
    **dict.fromkeys(("bot", "ai", "model", "gpt", "chatgpt"), "assistant"),
    **dict.fromkeys(("human", "customer", "prompter"), "user"),
    "instruction": "system",
}
_PARTS = {"text": "text", "refusal": "refusal"}
_INSTEAD = ("tool_calls", "function_call", "refusal", "audio")


@rules.example(
    "missing-messages",
    Severity.ERROR,
    says="An example has no list of messages.",
    fix='Write {"messages": [{"role": "user", "content": "…"}, …]}.',
    cookbook="missing_messages_list",
    formats=("supervised", "reinforcement"),
    odd_only=True,
    fails=case({"message": []}),
    passes=GOOD,
)
def missing_messages(example: Example) -> Iterator[Place]:
    """Yield a place if `messages` is missing, empty or no list, and the shape is nobody else's."""
    messages = example.value.get("messages")
    if (type(messages) is list and messages) or foreign_shape(example.value):
        return
    said = "missing" if messages is None else "not a list with messages"
    yield Place(message=f"messages is {said}", path="messages")


@rules.example(
    "message-not-an-object",
    Severity.ERROR,
    says="A message is not an object.",
    fix="Write role and content.",
    cookbook="message_missing_key",
    odd_only=True,
    fails=case(chat("hello", assistant())),
    passes=GOOD,
)
def message_not_an_object(example: Example) -> Iterator[Place]:
    """Yield a place for each message that is no object."""
    for path, messages in message_lists(example.value):
        for at, message in enumerate(messages):
            if type(message) is not dict:
                yield Place(message="the message is not an object", path=f"{path}[{at}]")


@rules.example(
    "missing-role",
    Severity.ERROR,
    says="A message has no role.",
    fix=f"Use one of {SHOWN_ROLES}.",
    cookbook="message_missing_key",
    odd_only=True,
    fails=case(chat({"content": "hello"}, assistant())),
    passes=GOOD,
)
def missing_role(example: Example) -> Iterator[Place]:
    """Yield a place for each message without a role."""
    for message in example.messages:
        if "role" not in message.value:
            yield Place(message="role is missing", path=f"{message.path}.role")


@rules.example(
    "unknown-role",
    Severity.ERROR,
    says="A role is none of those that the service knows.",
    fix=f"Use one of {SHOWN_ROLES}.",
    cookbook="unrecognized_role",
    odd_only=True,
    fails=case(chat({"role": "bot", "content": "hello"}, assistant())),
    passes=case(chat({"role": "developer", "content": "Be kind."}, user(), assistant())),
)
def unknown_role(example: Example) -> Iterator[Place]:
    """Yield a place for each role that is unknown; the fix says which may be meant."""
    for message in example.messages:
        if "role" in message.value and message.role not in ROLES:
            role = message.value["role"]
            said = f'"{shown(role, 40)}"' if type(role) is str else "this"
            meant = _MEANT.get(role.casefold()) if type(role) is str else None
            yield Place(
                message=f"{said} is not one of {SHOWN_ROLES}",
                path=f"{message.path}.role",
                fix=f'Use "{meant}".' if meant else "",
            )


@rules.example(
    "unknown-key",
    Severity.WARNING,
    says="A key is not part of the format; the service may refuse or ignore it.",
    fix="Remove it.",
    cookbook="message_unrecognized_key",
    odd_only=True,
    fails=case(chat(user(timestamp=3), assistant())),
    passes=case(chat(user(name="Ada"), assistant(weight=1, refusal=None))),
)
def unknown_key(example: Example) -> Iterator[Place]:
    """Yield a place for each unknown key, in the order in which they are written."""
    if example.asked.format == "supervised" and "messages" in example.value:
        yield from _unknown(example.value, _TOP_KEYS, "")
    for message in example.messages:
        yield from _unknown(message.value, _KEYS, f"{message.path}.")


def _unknown(value: Iterable[str], known: frozenset[str], path: str) -> Iterator[Place]:
    for key in value:
        if key not in known:
            said = f"the key {quoted(key, 40)} is not part of the chat format"
            yield Place(message=said, path=f"{path}{shown(key, 40)}")


@rules.example(
    "missing-content",
    Severity.ERROR,
    says="A message has no content, and nothing that stands for it.",
    fix="Write the message's text.",
    cookbook="missing_content",
    odd_only=True,
    fails=case(chat({"role": "user"}, assistant())),
    passes=case(chat(user(), {"role": "assistant", "content": None, "refusal": "I cannot."})),
)
def missing_content(example: Example) -> Iterator[Place]:
    """Yield a place for each message that says nothing; calls and refusals say something."""
    for message in example.messages:
        if message.value.get("content") is None and not _says_otherwise(message):
            yield Place(message="content is missing", path=f"{message.path}.content")


def _says_otherwise(message: Message) -> bool:
    return message.role == "assistant" and any(message.value.get(key) for key in _INSTEAD)


@rules.example(
    "bad-content",
    Severity.ERROR,
    says="A message's content is neither text nor a list of parts.",
    fix="Write text.",
    cookbook="missing_content",
    odd_only=True,
    fails=case(chat(user({"text": "hello"}), assistant())),
    passes=case(chat(user([text()]), assistant())),
)
def bad_content(example: Example) -> Iterator[Place]:
    """Yield a place for each content of another kind, or without parts."""
    for message in example.messages:
        content = message.value.get("content")
        if content is not None and type(content) is not str and not _is_list(content):
            said = "content is neither text nor a list of parts"
            yield Place(message=said, path=f"{message.path}.content")


def _is_list(content: Any) -> bool:
    return type(content) is list and bool(content)


@rules.example(
    "bad-part",
    Severity.ERROR,
    says="A part of a content is not a text, an image or a refusal.",
    fix='Use {"type": "text", "text": "…"}.',
    odd_only=True,
    fails=case(chat(user([{"type": "text", "content": "hello"}]), assistant())),
    passes=case(chat(user([text()]), assistant([{"type": "refusal", "refusal": "No."}]))),
)
def bad_part(example: Example) -> Iterator[Place]:
    """Yield a place for each part of an unknown kind, or without what its kind promises."""
    for message in example.messages:
        content = message.value.get("content")
        for at, part in enumerate(content if type(content) is list else ()):
            if said := _part_fault(part):
                yield Place(message=said, path=f"{message.path}.content[{at}]")


def _part_fault(part: Any) -> str:
    kind = part.get("type") if type(part) is dict else None
    if kind == "image_url":
        return ""
    if type(kind) is not str or kind not in _PARTS:
        return "the part is not text, image_url or refusal"
    return "" if type(part.get(_PARTS[kind])) is str else f"the part has no {_PARTS[kind]}"


@rules.example(
    "empty-content",
    Severity.WARNING,
    says="A user's or an assistant's text is empty.",
    fix="Write what was said, or remove the example.",
    odd_only=True,
    fails=case(chat(user(" "), assistant())),
    passes=GOOD,
)
def empty_content(example: Example) -> Iterator[Place]:
    """Yield a place for each text without a visible character."""
    for message in example.messages:
        content = message.value.get("content")
        blank = type(content) is str and not content.strip()
        if blank and message.role in ("user", "assistant") and not _says_otherwise(message):
            yield Place(message="content is empty", path=f"{message.path}.content")


@rules.example(
    "bad-name",
    Severity.ERROR,
    says="A name is no text.",
    fix="Write a text, or leave name out.",
    odd_only=True,
    fails=case(chat(user(name=3), assistant())),
    passes=case(chat(user(name="Ada"), assistant())),
)
def bad_name(example: Example) -> Iterator[Place]:
    """Yield a place for each name of another kind."""
    for message in example.messages:
        name = message.value.get("name")
        if name is not None and type(name) is not str:
            yield Place(message="name is not text", path=f"{message.path}.name")


@rules.example(
    "no-assistant-message",
    Severity.ERROR,
    says="No message is the assistant's, so there is nothing to learn.",
    fix="End with the wanted answer.",
    cookbook="example_missing_assistant_message",
    formats=("supervised",),
    odd_only=True,
    fails=case(chat(system(), user()), method="supervised"),
    passes=GOOD,
)
def no_assistant_message(example: Example) -> Iterator[Place]:
    """Yield a place if all roles are known and none is the assistant's."""
    roles = _known_roles(example)
    if roles and "assistant" not in roles:
        said = "no message is the assistant's, so there is nothing to learn"
        yield Place(message=said, path="messages")


@rules.example(
    "last-message-not-assistant",
    Severity.ERROR,
    says="The last message is not the assistant's.",
    fix="End with the wanted answer.",
    formats=("supervised",),
    odd_only=True,
    fails=case(chat(user(), assistant(), user("And the smallest?")), method="supervised"),
    passes=GOOD,
)
def last_message_not_assistant(example: Example) -> Iterator[Place]:
    """Yield a place if there is an answer, but not at the end."""
    roles = _known_roles(example)
    if roles and "assistant" in roles and roles[-1] != "assistant":
        path = f"messages[{len(roles) - 1}].role"
        yield Place(message="the last message is not the assistant's", path=path)


def _known_roles(example: Example) -> list[str]:
    """Return the roles of all messages, or nothing if one of them is not known."""
    messages = example.value.get("messages")
    if type(messages) is not list:
        return []
    roles = [message.get("role") if type(message) is dict else None for message in messages]
    known = [role for role in roles if type(role) is str and role in ROLES]
    return known if len(known) == len(roles) else []
