"""Held out, too: odd shapes, files that are no JSONL, and files that do not fit each other."""

from __future__ import annotations

import json
from typing import Any

from droptune.validation.rules.fixtures import (
    assistant,
    calling,
    chat,
    image,
    pair,
    system,
    text,
    tool,
    user,
)
from tests.validation.corpus.scene import Line, Marked, Scene, bad, good

_RIVERS = (
    "Elbe", "Loire", "Tagus", "Vistula", "Po", "Thames", "Glomma", "Danube", "Rhine", "Shannon",
    "Ebro", "Oder", "Seine", "Neva", "Douro", "Tiber", "Weser", "Rhone", "Torne", "Main",
)  # fmt: skip
_WHAT = ("rise", "end", "freeze", "meet a canal", "lie below a bridge of stone")
_CALM = tuple(
    (f"Where does the {river} {what}?", f"On sheet {at * 7 + on} of the atlas, under {river}.")
    for at, river in enumerate(_RIVERS)
    for on, what in enumerate(_WHAT)
)
_ASK, _SAY = user("Which pier is mine?"), assistant("The third one, beside the crane.")
_OPEN = {"type": "function", "function": {"name": "gate", "arguments": "{}"}}
_SHAPE: tuple[tuple[Line, str], ...] = (
    (b'{"messages": [], "price": -1e4000}', "number-range"),
    (b'{"messages": ' + b'{"a": ' * 400 + b"1" + b"}" * 400 + b"}", "too-deep"),
    ({"messages": None}, "missing-messages"),
    ({"text": "Which pier is mine?"}, "missing-messages"),
    ({"question": "Which pier?", "answer": "The third."}, "question-answer"),
    ({"contents": [{"role": "model", "parts": [{"text": "Ho"}]}]}, "gemini-contents"),
    ({"custom_id": "7", "method": "POST", "url": "/v1/responses", "body": {"a": 1}}, "batch-lines"),
    (chat(user("Which pier?", name=["ann"]), _SAY), "bad-name"),
    (chat(_ASK, calling({"id": "c1", "type": "function"})), "bad-tool-call"),
    (chat(_ASK, calling(_OPEN)), "tool-call-without-id"),
    (chat(system("x", tool_calls=[_OPEN | {"id": "c9"}]), _ASK, calling(_OPEN | {"id": "c2"})),
     "tool-call-on-others unanswered-call"),
    (chat(_ASK, calling(_OPEN | {"id": "c3"}), {"role": "tool", "content": "open"}, _SAY),
     "tool-message-without-id unanswered-call"),
    (chat(_ASK, {"role": "function", "name": 5, "content": "open"}, _SAY),
     "function-message-without-name bad-name"),
    (chat(_ASK, {"role": "assistant", "function_call": {"name": "gate", "arguments": {}}}),
     "bad-function-call"),
    (chat(_ASK, _SAY, tools=[{"type": "function"}]), "bad-tool"),
    (chat(_ASK, _SAY, tools=[tool("gate"), tool("pier"), tool("gate")]), "duplicate-tool"),
    (chat(_ASK, _SAY, tools=[tool(f"gate_{at}") for at in range(140)]), "too-many-tools"),
    (chat(_ASK, _SAY, tools=[tool()], parallel_tool_calls="true"), "bad-parallel-tool-calls"),
    (chat(user([text("Which?"), image(detail="hd")]), _SAY), "bad-image-detail"),
    (chat(user([text("Which?"), image("data:image/bmp;base64,Qk0+AAAA")]), _SAY), "bad-image-type"),
    (chat(user([image(f"https://example.com/{at}.png") for at in range(70)]), _SAY),
     "too-many-images"),
    (chat(*[_ASK, _SAY] * 1_100), "too-many-messages"),
    (chat(_ASK, calling(_OPEN | {"id": "c4"}), {"role": "tool", "tool_call_id": "c4",
                                              "content": ""}, _SAY), ""),
    (chat(_ASK, _SAY, tools=[tool("gate")], tool_choice="auto"), "unknown-key"),
    (chat(user([image("data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA")]), _SAY), ""),
)  # fmt: skip


def _asked(at: int, line: Line) -> Line:
    if isinstance(line, bytes):
        return line
    asked = json.dumps(line).replace("Which pier is mine?", f"Which pier is boat {at}'s?")
    found: dict[str, Any] = json.loads(asked)
    return found


def _calm(count: int, *before: Any, **top: Any) -> tuple[Marked, ...]:
    return tuple(
        good(chat(*before, user(asked), assistant(said), **top)) for asked, said in _CALM[:count]
    )


def _file(name: str, data: bytes, *whole: str, at_line: str = "") -> Scene:
    line = bad(data, at_line) if at_line else good(data)
    return Scene(f"held out: {name}", (line,), whole=frozenset(whole))


def _limit(name: str, *lines: Marked, whole: str = "", **request: Any) -> Scene:
    return Scene(
        f"held out: {name}", (*_calm(60), *lines), request=request, whole=frozenset(whole.split())
    )


_HARBOUR = system("You are the harbour office. Say the pier first.")
_RHYMING = system("You are a shanty singer. Say it in rhyme.")
_GATE = [tool("gate")]
_LATER = (
    bad(chat(_RHYMING, user("Who sails tonight?"), assistant("The Mary, off to sea.")),
        "system-prompt-differs"),
    good(chat(_HARBOUR, user("Who is at pier two?"), assistant("Pier 2: the Anna."))),
)  # fmt: skip
_OFFERED = (
    bad(chat(user("Lower the bridge."), assistant("It is down."), tools=[tool("bridge")]),
        "tools-differ"),
    good(chat(user("Open the gate."), assistant("It is open."), tools=_GATE)),
)  # fmt: skip
_GRADED = tuple(
    good({"messages": [user(f"How many legs have {at} spiders?")], "legs": 8 * at})
    for at in range(50)
)
_VERBOSE = tuple(
    good(
        pair(
            [assistant(f"{said} The sheet before it shows the coast, the one after it the hills.")],
            [assistant("No.")],
            prompt=[user(asked)],
        )
    )
    for asked, said in _CALM[:40]
)
_LONG = chat(user("word and " * 70_000), assistant("That was long."))

SCENES = (
    Scene(
        "held out: odd shapes",
        (*_calm(60), *(bad(_asked(at, line), *rules.split()) for at, (line, rules) in
                       enumerate(_SHAPE))),
        request={"method": "supervised"},
    ),
    Scene("held out: system prompts", _calm(60, _HARBOUR), validation=_LATER),
    Scene("held out: tools", _calm(60, tools=_GATE), validation=_OFFERED),
    Scene(
        "held out: long is better", _VERBOSE,
        request={"method": "dpo"}, whole=frozenset({"length-bias", "few-examples"}),
    ),
    Scene(
        "held out: sides", (*_VERBOSE[:12], bad(pair("yes"), "missing-output"),
                            bad(pair([assistant("Aye."), user("Why?")]), "bad-output"),
                            bad(chat(_ASK, _SAY), "wrong-format", "missing-input", "missing-output")),
        request={"method": "dpo"}, whole=frozenset({"few-examples"}),
    ),
    Scene(
        "held out: graded",
        (*_GRADED, bad({"messages": [user("Ants?"), assistant("6")], "legs": 6},
                       "last-message-not-user"),
         bad({"messages": [user("And cats?")]}, "missing-grader-field")),
        request={"method": "reinforcement", "grader_fields": ("legs",)},
        whole=frozenset({"not-yet", "missing-validation-data"}),
    ),
    _file("nothing", b"", "empty-file"),
    _file("a ZIP file", b"PK\x03\x04\x14\x00\x08\x08training", "not-jsonl"),
    _file("UTF-16 without a mark", '{"messages": []}\n'.encode("utf-16-le"), "utf-16"),
    _file("blanks alone", b"  \n\n\t\n", "no-examples"),
    _file("one array", b'[\n{"messages": []},\n{"messages": []}\n]\n', at_line="json-array"),
    _file("spread over lines", b'{\n\t"messages": []\n}\n', at_line="pretty-printed"),
    _file("semicolons", b"question;answer\nWhich pier?;The third.\n", at_line="csv"),
    Scene("held out: seven lines", _calm(7), whole=frozenset({"too-few-examples"})),
    Scene("held out: tests alone", (), test=_calm(12), whole=frozenset({"no-training-data"})),
    _limit("too long for the model", bad(_LONG, "example-too-long"), model="gpt-4.1-nano"),
    _limit("a model of another maker", whole="unknown-encoding", model="Llama-4-Scout"),
    _limit("a model for graders", whole="wrong-model", method="supervised", model="o4-mini"),
    _limit("forty epochs", whole="absurd-hyperparameters", n_epochs=40),
    _limit("a rate of fifty", whole="absurd-hyperparameters", learning_rate_multiplier=50),
    _limit("epochs without end", whole="too-many-tokens absurd-hyperparameters", n_epochs=10**10),
)  # fmt: skip
