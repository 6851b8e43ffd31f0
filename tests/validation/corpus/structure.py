"""Scenes: the format itself, as the service takes it, and what it looks like but is not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from droptune.validation.rules.fixtures import (
    answer,
    assistant,
    call,
    calling,
    chat,
    image,
    pair,
    system,
    text,
    tool,
    user,
)
from tests.validation.corpus.ordinary import ORDINARY
from tests.validation.corpus.scene import Line, Marked, Scene, bad, good

_ASK, _SAY = user("Is the shop open on Sunday?"), assistant("No, it is closed on Sundays.")
_LINE = json.dumps(chat(_ASK, _SAY)).encode()


def _image(kind: str, start: bytes) -> dict[str, Any]:
    import base64

    return image(f"data:image/{kind};base64,{base64.b64encode(start + bytes(64)).decode()}")


_PNG = _image("png", b"\x89PNG\r\n\x1a\n")
_BROKEN: tuple[tuple[Line, str], ...] = (
    (b'{"messages": [{"role": "user", "content": "caf\xe9"}]}', "not-utf-8"),
    (_LINE[:-30], "broken-off"),
    (b"{'messages': []}", "invalid-json"),
    (b'{"messages": [], "weight": NaN}', "not-a-number"),
    (b'{"messages": [], "weight": -Infinity}', "not-a-number"),
    (b'{"messages": [], "weight": 1e999}', "number-range"),
    (b'{"messages": [], "messages": []}', "duplicate-key"),
    (_LINE.replace(b'"role": "user"', b'"role": "user", "role": "user"'), "duplicate-key"),
    (_LINE.replace(b"Sunday?", b"\\ud83d?"), "lone-surrogate"),
    (b"3", "not-an-object"),
    (b'"text"', "not-an-object"),
    (b"null", "not-an-object"),
    (b'{"a":' + b"[" * 3_000 + b"]" * 3_000 + b"}", "too-deep"),
)
_FOREIGN: tuple[tuple[Line, str], ...] = (
    (
        {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Yo"}]},
        "sharegpt",
    ),
    ({"instruction": "Say hello.", "input": "", "output": "Hello."}, "alpaca"),
    ({"prompt": "Hello", "completion": " World"}, "prompt-completion"),
    ({"custom_id": "1", "method": "POST", "url": "/chat/completions", "body": {}}, "batch-lines"),
    ({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}, "gemini-contents"),
    ({"question": "How far?", "answer": "A mile."}, "question-answer"),
    (pair(), "wrong-format missing-messages"),
)
_CHAT: tuple[tuple[Line, str], ...] = (
    ({"message": [_ASK, _SAY]}, "missing-messages"),
    ({"messages": []}, "missing-messages"),
    ({"messages": {"role": "user"}}, "missing-messages"),
    (chat("hello", _SAY), "message-not-an-object"),
    (chat(["user", "hello"], _SAY), "message-not-an-object"),
    (chat({"content": "hello"}, _SAY), "missing-role"),
    (chat({"role": "bot", "content": "hello"}, _SAY), "unknown-role"),
    (chat({"role": "User", "content": "hello"}, _SAY), "unknown-role"),
    (chat({"role": 1, "content": "hello"}, _SAY), "unknown-role"),
    (chat(user("When?", timestamp=3), _SAY), "unknown-key"),
    (chat(_ASK, _SAY, source="crm"), "unknown-key"),
    (chat({"role": "user"}, _SAY), "missing-content"),
    (chat(user(None), _SAY), "missing-content"),
    (chat(user({"text": "hello"}), _SAY), "bad-content"),
    (chat(user(7), _SAY), "bad-content"),
    (chat(user([{"type": "text", "content": "hello"}]), _SAY), "bad-part"),
    (chat(user([{"type": "video", "video": "x"}]), _SAY), "bad-part"),
    (chat(user(" \n"), _SAY), "empty-content"),
    (chat(_ASK, assistant("")), "empty-content"),
    (chat(user("Who?", name=3), _SAY), "bad-name"),
    (chat(system("Be brief."), _ASK), "no-assistant-message"),
    (chat(_ASK, _SAY, user("And on Monday?")), "last-message-not-assistant"),
    (chat(_ASK, assistant("Yes.", weight=0.5)), "bad-weight"),
    (chat(_ASK, assistant("Yes.", weight="1")), "bad-weight"),
    (chat(user("Hm?", weight=0), _SAY), "weight-on-others"),
    (chat(_ASK, assistant("It is.", weight=0)), "all-weights-zero"),
    (chat(*[_ASK, _SAY] * 1_025), "too-many-messages"),
)
_TOOLS: tuple[tuple[Line, str], ...] = (
    (chat(_ASK, calling({"id": "call_1", "function": "look_up"})), "bad-tool-call"),
    (chat(_ASK, calling({"type": "function", "function": {"name": "f", "arguments": "{}"}})),
     "tool-call-without-id"),
    (chat(user("Now?", tool_calls=[call()]), _SAY), "tool-call-on-others unanswered-call"),
    (chat(_ASK, calling(call("{'q': 1}"))), "tool-arguments"),
    (chat(_ASK, calling(call('{"q": '))), "tool-arguments"),
    (chat(_ASK, calling(call(name="look_down")), tools=[tool()]), "unknown-tool"),
    (chat(_ASK, calling(), {"role": "tool", "content": "x"}, _SAY),
     "tool-message-without-id unanswered-call"),
    (chat(_ASK, {"role": "function", "content": "x"}, _SAY), "function-message-without-name"),
    (chat(_ASK, answer(), _SAY), "answer-without-call"),
    (chat(_ASK, calling(), user("Well?"), _SAY), "unanswered-call"),
    (chat(_ASK, {"role": "assistant", "function_call": {"name": "f"}}), "bad-function-call"),
    (chat(_ASK, _SAY, tools=[{"name": "look_up"}]), "bad-tool"),
    (chat(_ASK, _SAY, tools=[tool("look up")]), "bad-tool-name"),
    (chat(_ASK, _SAY, tools=[tool(), tool()]), "duplicate-tool"),
    (chat(_ASK, _SAY, tools=[tool(f"t{at}") for at in range(129)]), "too-many-tools"),
    (chat(_ASK, _SAY, tools=[tool()], parallel_tool_calls="yes"), "bad-parallel-tool-calls"),
)  # fmt: skip
_IMAGES: tuple[tuple[Line, str], ...] = (
    (chat(user([text(), image("file:///a.png")]), _SAY), "bad-image"),
    (chat(user([text(), image(detail="medium")]), _SAY), "bad-image-detail"),
    (chat(user([text(), image("data:image/gif;base64,R0lGODlh")]), _SAY), "bad-image-type"),
    (chat(user([image()] * 65), _SAY), "too-many-images"),
    (chat(_ASK, assistant([image()])), "image-in-answer"),
)
_FINE: tuple[Line, ...] = (
    chat({"role": "developer", "content": "Be kind."}, user("Is it far?"), assistant("A mile.")),
    chat(user("Who are you?", name="Ada"), assistant("A helper.", weight=1)),
    chat(user("One?"), assistant("Yes.", weight=0), user("Two?"), assistant("No.", weight=1)),
    chat(user("Do harm."), {"role": "assistant", "content": None, "refusal": "I cannot do that."}),
    chat(user("And now?"), {"role": "assistant", "content": "I will not.", "refusal": None}),
    chat(user("Where is it?"), calling(call(name="find_it")), tools=[tool("find_it")]),
    chat(user("Where was it?"), calling(call()), answer(), assistant("In the hall.")),
    chat(user("Two things?"), calling(call(id="a"), call(id="b")), answer("a"), answer("b"),
         assistant("Both are here.")),
    chat(user("Old way?"), {"role": "assistant", "content": None,
                            "function_call": {"name": "f", "arguments": "{}"}},
         {"role": "function", "name": "f", "content": "found"}, assistant("It is found.")),
    chat(user([text("What is on it?"), image()]), assistant("A tree beside a lake.")),
    chat(user([text("And this one?"), _PNG]), assistant("A white square.")),
    chat(user([text("Part one."), text("Part two.")]), assistant("Both parts are read.")),
    chat(user("Parallel?"), assistant("Not now."), tools=[tool()], parallel_tool_calls=False),
    json.dumps(chat(user("Blanks?"), assistant("Fine.")), separators=(" , ", " : ")).encode(),
    json.dumps(chat(user("Ünïcödé?"), assistant("Jä, gern.")), ensure_ascii=True).encode(),
    chat(user('He said "role": "bot".'), assistant('A quote: {"role": "bot"}, that is all.')),
    chat(user("😀 or 🙃?"), assistant("🙃 today.")),
    chat(system("Be brief."), system("Be kind."), user("Ready?"), assistant("Ready.")),
    chat(user("First."), user("Second."), assistant("Both are noted.")),
)  # fmt: skip
_SIDES: tuple[tuple[Line, str], ...] = (
    (pair(prompt=[]), "missing-input"),
    ({"preferred_output": [assistant("Yes")], "non_preferred_output": [assistant("No")]},
     "missing-input"),
    (pair(other=[]), "missing-output"),
    ({"input": {"messages": [_ASK]}, "preferred_output": [_SAY]}, "missing-output"),
    (pair([user("Me?"), assistant("Yes.")]), "bad-output"),
    (pair([assistant("The same.")], [assistant("The same.")]), "same-outputs"),
)  # fmt: skip
_PAIRS = tuple(
    good(
        pair(
            [assistant(f"Room {at} is on this floor.")],
            [assistant(f"Room {at} is somewhere else.")],
            prompt=[user(f"Where is room {at}?")],
        )
    )
    for at in range(50)
)
_GRADED = tuple(
    good({"messages": [user(f"What is {at} plus one?")], "reference": str(at + 1)})
    for at in range(50)
)
_GRADED_VALIDATION = tuple(
    good({"messages": [user(f"What is {at} minus one?")], "reference": str(at - 1)})
    for at in range(5)
)
_RFT = {"method": "reinforcement", "grader_fields": ("reference",)}
_NOT_YET = frozenset({"not-yet"})


def _marked(found: tuple[tuple[Line, str], ...]) -> tuple[Marked, ...]:
    """Return lines with the rules that are named, apart by their question."""
    return tuple(
        bad(_about_shop(line, number), *rule.split())
        for number, (line, rule) in enumerate(found, 1)
    )


def _about_shop(line: Line, number: int) -> Line:
    if isinstance(line, bytes):
        return line
    asked = f"Is shop no. {number} open on Sunday?"
    written: dict[str, Any] = json.loads(json.dumps(line).replace(_ASK["content"], asked))
    return written


def _one(name: str, data: bytes, rule: str, *, at_line: bool = False) -> Scene:
    """Return a scene of a file that is not what it should be as a whole."""
    if at_line:
        return Scene(name, (bad(data, rule),))
    return Scene(name, (good(data),), whole=frozenset({rule}))


_LONG = chat(user("a b " * 40_000), assistant("That is long."))


def _limit(name: str, *extra: Marked, whole: str = "", **request: Any) -> Scene:
    rules = frozenset(whole.split())
    given: Mapping[str, Any] = request
    return Scene(name, (*ORDINARY, *extra), request=given, whole=rules)


SCENES = (
    Scene("broken lines", (*ORDINARY, *_marked(_BROKEN))),
    Scene(
        "other vendors' shapes", (*ORDINARY, *_marked(_FOREIGN)), request={"method": "supervised"}
    ),
    Scene("messages", (*ORDINARY, *_marked(_CHAT)), request={"method": "supervised"}),
    Scene("tools", (*ORDINARY, *_marked(_TOOLS)), request={"method": "supervised"}),
    Scene("images", (*ORDINARY, *_marked(_IMAGES)), request={"method": "supervised"}),
    Scene("all that is allowed", (*ORDINARY, *map(good, _FINE)), request={"method": "supervised"}),
    Scene("preference pairs", (*_PAIRS, *_marked(_SIDES)), request={"method": "dpo"}),
    Scene("reinforcement", _GRADED, _GRADED_VALIDATION, request=_RFT, whole=_NOT_YET),
    Scene(
        "reinforcement that is not ready",
        (
            *_GRADED,
            bad(
                {"messages": [user("Two?"), assistant("2")], "reference": "2"},
                "last-message-not-user",
            ),
            bad({"messages": [user("Three?")]}, "missing-grader-field"),
        ),
        request=_RFT,
        whole=_NOT_YET | {"missing-validation-data"},
    ),
    _one("nothing", b"", "empty-file"),
    _one("a packed file", b"\x1f\x8b\x08rest of it", "not-jsonl"),
    _one("UTF-16", '{"messages": []}'.encode("utf-16"), "utf-16"),
    _one("a JSON array", b'[{"messages": []},\n{"messages": []}]\n', "json-array", at_line=True),
    _one(
        "JSON over several lines", b'{\n  "messages": [\n  ]\n}\n', "pretty-printed", at_line=True
    ),
    _one("a table", b"prompt,answer\nhi,ho\n", "csv", at_line=True),
    _one("blank lines alone", b"\n\n", "no-examples"),
    Scene("no training data", (), ORDINARY, whole=frozenset({"no-training-data"})),
    _limit("an example beyond the limit", bad(_LONG, "example-too-long"), model="gpt-4.1-nano"),
    _limit("a model without a public encoding", whole="unknown-encoding", model="Ministral-3B"),
    _limit("a model for another method", whole="wrong-model", method="supervised", model="o4-mini"),
    _limit("a billion epochs", whole="too-many-tokens absurd-hyperparameters", n_epochs=10**9),
)
