"""Tools, the calls of them, and their answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from droptune.domain.findings import Severity
from droptune.validation.rules.example import Example, Message
from droptune.validation.rules.fixtures import answer, assistant, call, calling, chat, tool, user
from droptune.validation.rules.quoting import quoted
from droptune.validation.rules.registry import Family, Place, case

rules = Family("tools")
GOOD = case(chat(user(), calling(), answer(), assistant(), tools=[tool()]))
MOST_TOOLS = 128
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CALL = '{"id": "…", "type": "function", "function": {"name": "…", "arguments": "{}"}}'
_TOOL = '{"type": "function", "function": {"name": "…", "parameters": {"type": "object"}}}'


class Call(NamedTuple):
    """A tool call that names a function; `message` is its place among the messages."""

    path: str
    id: Any
    name: str
    arguments: Any
    message: int


@rules.example(
    "bad-tool-call",
    Severity.ERROR,
    says="A tool call does not name a function.",
    fix=f"Use {_CALL}.",
    odd_only=True,
    fails=case(chat(user(), calling({"id": "call_1", "function": "look_up"}))),
    passes=GOOD,
)
def bad_tool_call(example: Example) -> Iterator[Place]:
    """Yield a place for `tool_calls` that is no list, and for each call of another shape."""
    for message in example.messages:
        calls = message.value.get("tool_calls")
        path = f"{message.path}.tool_calls"
        if calls is not None and type(calls) is not list:
            yield Place(message="tool_calls is not a list", path=path, fix="Use a list.")
        for at, each in enumerate(calls if type(calls) is list else ()):
            if _function_of(each) is None:
                yield Place(message="the call names no function", path=f"{path}[{at}]")
            elif each.get("type", "function") != "function":
                said = 'the type of a call is "function"'
                yield Place(message=said, path=f"{path}[{at}].type")


@rules.example(
    "tool-call-without-id",
    Severity.ERROR,
    says="A tool call has no id for an answer to name.",
    fix="Give the call an id.",
    odd_only=True,
    fails=case(chat(user(), calling(call(id=3)))),  # type: ignore[arg-type]  # the fault
    passes=GOOD,
)
def tool_call_without_id(example: Example) -> Iterator[Place]:
    """Yield a place for each call whose id is missing, empty or no text."""
    for each in calls_of(example):
        if type(each.id) is not str or not each.id:
            yield Place(message="id is missing", path=f"{each.path}.id")


@rules.example(
    "tool-call-on-others",
    Severity.ERROR,
    says="A message that is not the assistant's calls tools.",
    fix="Move the calls to an assistant message.",
    odd_only=True,
    fails=case(chat(user(tool_calls=[call()]), assistant())),
    passes=GOOD,
)
def tool_call_on_others(example: Example) -> Iterator[Place]:
    """Yield a place for each other role's calls."""
    for message in example.messages:
        if message.role != "assistant" and message.value.get("tool_calls"):
            said = "only the assistant calls tools"
            yield Place(message=said, path=f"{message.path}.tool_calls")


@rules.example(
    "tool-arguments",
    Severity.ERROR,
    says="The arguments of a tool call are not JSON inside a text.",
    fix="Write the arguments as a JSON object inside a string.",
    odd_only=True,
    fails=case(chat(user(), calling(call("{'q': 1}")))),
    passes=GOOD,
)
def tool_arguments(example: Example) -> Iterator[Place]:
    """Yield a place for arguments that are missing, an object, or a text that is no JSON."""
    for each in calls_of(example):
        if said := _arguments_fault(each.arguments):
            yield Place(message=said, path=f"{each.path}.function.arguments")


@rules.example(
    "unknown-tool",
    Severity.ERROR,
    says="A call names a function that is not among the example's tools.",
    fix="Describe the function in tools, or correct the name.",
    odd_only=True,
    fails=case(chat(user(), calling(call(name="look_down")), tools=[tool()])),
    passes=GOOD,
)
def unknown_tool(example: Example) -> Iterator[Place]:
    """Yield a place for each call of an undescribed function, if any function is described."""
    known = {name for _, name, _ in _described(example) if type(name) is str}
    for each in calls_of(example) if known else ():
        if each.name not in known:
            said = f"the function {quoted(each.name, 64)} is not among the tools"
            yield Place(message=said, path=f"{each.path}.function.name")


@rules.example(
    "tool-message-without-id",
    Severity.ERROR,
    says="A tool's answer does not say which call it answers.",
    fix="Name the call's id in tool_call_id.",
    odd_only=True,
    fails=case(chat(user(), calling(), {"role": "tool", "content": "x"}, assistant())),
    passes=GOOD,
)
def tool_message_without_id(example: Example) -> Iterator[Place]:
    """Yield a place for each tool message without the id of a call."""
    for message in example.messages:
        if message.role == "tool" and type(message.value.get("tool_call_id")) is not str:
            yield Place(message="tool_call_id is missing", path=f"{message.path}.tool_call_id")


@rules.example(
    "function-message-without-name",
    Severity.ERROR,
    says="A function's answer does not name the function.",
    fix="Name the function.",
    odd_only=True,
    fails=case(chat(user(), {"role": "function", "content": "x"}, assistant())),
    passes=case(chat(user(), {"role": "function", "name": "f", "content": "x"}, assistant())),
)
def function_message_without_name(example: Example) -> Iterator[Place]:
    """Yield a place for each message of the deprecated role without a name."""
    for message in example.messages:
        if message.role == "function" and type(message.value.get("name")) is not str:
            yield Place(message="name is missing", path=f"{message.path}.name")


@rules.example(
    "answer-without-call",
    Severity.ERROR,
    says="A tool's answer names a call that no message before it makes.",
    fix="Put the assistant's tool call before it, or correct tool_call_id.",
    odd_only=True,
    fails=case(chat(user(), answer(), assistant())),
    passes=GOOD,
)
def answer_without_call(example: Example) -> Iterator[Place]:
    """Yield a place for each answer to no call; DPO's outputs may answer the input's calls."""
    calls = calls_of(example)
    for position, message in enumerate(example.messages):
        wanted = message.value.get("tool_call_id")
        if message.role != "tool" or type(wanted) is not str:
            continue
        if not any(each.id == wanted and each.message < position for each in calls):
            said = f"no call before has the id {quoted(wanted, 64)}"
            yield Place(message=said, path=f"{message.path}.tool_call_id")


@rules.example(
    "unanswered-call",
    Severity.WARNING,
    says="A tool call is followed by another message than its answer.",
    fix="Put the tool's answer after the call; only a call at the very end needs none.",
    formats=("supervised", "reinforcement"),
    odd_only=True,
    fails=case(chat(user(), calling(), user("Well?"), assistant())),
    passes=case(chat(user(), calling())),
)
def unanswered_call(example: Example) -> Iterator[Place]:
    """Yield a place for each call without an answer, unless its message is the last."""
    answered = {m.value.get("tool_call_id") for m in example.messages if _is_answer(m)}
    for each in calls_of(example):
        last = each.message == len(example.messages) - 1
        if not last and type(each.id) is str and each.id not in answered:
            yield Place(message="the call has no answer", path=each.path)


@rules.example(
    "bad-function-call",
    Severity.ERROR,
    says="A deprecated function_call lacks its name, or its arguments are not JSON in a text.",
    fix='Use {"name": "…", "arguments": "{}"}, or better tool_calls.',
    odd_only=True,
    fails=case(chat(user(), {"role": "assistant", "function_call": {"name": "f"}})),
    passes=case(
        chat(user(), {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}})
    ),
)
def bad_function_call(example: Example) -> Iterator[Place]:
    """Yield a place for each call of another shape."""
    for message in example.messages:
        made = message.value.get("function_call")
        if made is None:
            continue
        path = f"{message.path}.function_call"
        if type(made) is not dict or type(made.get("name")) is not str:
            yield Place(message="the call names no function", path=path)
        elif said := _arguments_fault(made.get("arguments")):
            yield Place(message=said, path=f"{path}.arguments")


@rules.example(
    "bad-tool",
    Severity.ERROR,
    says="A tool is not described as the format wants it.",
    fix=f"Use {_TOOL}.",
    odd_only=True,
    fails=case(chat(tools=[{"name": "look_up"}])),
    passes=case(chat(tools=[tool(), tool("other", parameters={})])),
)
def bad_tool(example: Example) -> Iterator[Place]:
    """Yield a place for `tools` that is no list, and for each tool of another shape."""
    for key, path, tools in _tool_lists(example):
        if type(tools) is not list:
            yield Place(message=f"{key} is not a list", path=path, fix="Use a list.")
            continue
        for at, each in enumerate(tools):
            function = _function_of(each) if key == "tools" else each
            if type(function) is not dict or type(function.get("name")) is not str:
                yield Place(message="the tool describes no function", path=f"{path}[{at}]")
            elif said := _schema_fault(function.get("parameters")):
                yield Place(message=said, path=f"{path}[{at}].function.parameters")


@rules.example(
    "bad-tool-name",
    Severity.ERROR,
    says="A function's name holds other characters than the service allows, or too many.",
    fix="Use 1 to 64 of a-z, A-Z, 0-9, _ and -.",
    odd_only=True,
    fails=case(chat(tools=[tool("look up")])),
    passes=GOOD,
)
def bad_tool_name(example: Example) -> Iterator[Place]:
    """Yield a place for each described function with such a name."""
    for path, name, _ in _described(example):
        if type(name) is str and not _NAME.fullmatch(name):
            yield Place(message=f"{quoted(name, 70)} cannot name a function", path=f"{path}.name")


@rules.example(
    "duplicate-tool",
    Severity.ERROR,
    says="Two tools have the same name.",
    fix="Keep one of them, or rename it.",
    odd_only=True,
    fails=case(chat(tools=[tool(), tool()])),
    passes=GOOD,
)
def duplicate_tool(example: Example) -> Iterator[Place]:
    """Yield a place for each name that was there before."""
    seen: set[tuple[str, str]] = set()
    for path, name, group in _described(example):
        if type(name) is str:
            if (group, name) in seen:
                yield Place(message=f"{quoted(name, 64)} is described twice", path=f"{path}.name")
            seen.add((group, name))


@rules.example(
    "too-many-tools",
    Severity.ERROR,
    says=f"An example has more than {MOST_TOOLS} tools.",
    fix="Leave out the tools that no message needs.",
    odd_only=True,
    fails=lambda: case(chat(tools=[tool(f"t{at}") for at in range(MOST_TOOLS + 1)])),
    passes=GOOD,
)
def too_many_tools(example: Example) -> Iterator[Place]:
    """Yield a place for each list that is too long. Source: quotas and limits, February 2026."""
    for _, path, tools in _tool_lists(example):
        if type(tools) is list and len(tools) > MOST_TOOLS:
            yield Place(message=f"{len(tools)} tools are more than {MOST_TOOLS}", path=path)


@rules.example(
    "bad-parallel-tool-calls",
    Severity.ERROR,
    says="parallel_tool_calls is neither true nor false.",
    fix="Use true or false.",
    odd_only=True,
    fails=case(chat(tools=[tool()], parallel_tool_calls="yes")),
    passes=case(chat(tools=[tool()], parallel_tool_calls=False)),
)
def bad_parallel_tool_calls(example: Example) -> Iterator[Place]:
    """Yield a place if it is given and of another kind."""
    given = example.value.get("parallel_tool_calls")
    if given is not None and type(given) is not bool:
        yield Place(message="it is neither true nor false", path="parallel_tool_calls")


def calls_of(example: Example) -> list[Call]:
    """Return every tool call that names a function, in order."""
    return [
        Call(f"{message.path}.tool_calls[{at}]", each.get("id"), function["name"],
             function.get("arguments"), position)
        for position, message in enumerate(example.messages)
        if type(calls := message.value.get("tool_calls")) is list
        for at, each in enumerate(calls)
        if (function := _function_of(each)) is not None
    ]  # fmt: skip


def _function_of(value: Any) -> dict[str, Any] | None:
    function = value.get("function") if type(value) is dict else None
    if type(function) is not dict or type(function.get("name")) is not str:
        return None
    return function


def _arguments_fault(arguments: Any) -> str:
    if arguments is None:
        return "arguments is missing"
    if type(arguments) is not str:
        return "arguments is not text"
    try:
        value = json.loads(arguments)
    except (ValueError, RecursionError):
        return "arguments is text, but not JSON"
    return "" if type(value) is dict else "arguments is JSON, but not an object"


def _schema_fault(parameters: Any) -> str:
    if parameters is None:
        return ""
    if type(parameters) is not dict:
        return "parameters is not an object"
    if parameters and parameters.get("type", "object") != "object":
        return 'the type of parameters is not "object"'
    properties = parameters.get("properties", {})
    if type(properties) is not dict:
        return "properties is not an object"
    required = parameters.get("required", [])
    if type(required) is not list or not all(type(each) is str for each in required):
        return "required is not a list of names"
    return ""


def _tool_lists(example: Example) -> Iterator[tuple[str, str, Any]]:
    given = example.value.get("input")
    places = [("", example.value)]
    if type(given) is dict:
        places.append(("input.", given))
    for path, holder in places:
        for key in ("tools", "functions"):
            if holder.get(key) is not None:
                yield key, f"{path}{key}", holder[key]


def _described(example: Example) -> Iterator[tuple[str, Any, str]]:
    """Yield path, name and kind of each described function."""
    for key, path, tools in _tool_lists(example):
        for at, each in enumerate(tools if type(tools) is list else ()):
            function = _function_of(each) if key == "tools" else each
            if type(function) is dict:
                inner = ".function" if key == "tools" else ""
                yield f"{path}[{at}]{inner}", function.get("name"), key


def _is_answer(message: Message) -> bool:
    return message.role == "tool" and type(message.value.get("tool_call_id")) is str
