"""Scenes: files that do not fit each other, and settings that do not fit the size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from droptune.validation.rules.fixtures import assistant, calling, chat, pair, system, tool, user
from tests.validation.corpus.ordinary import ORDINARY
from tests.validation.corpus.scene import Marked, Scene, bad, good, qa

PROMPT, TOOLS = "system-prompt-differs", "tools-differ"
_WHO = "You answer for a furniture shop. Be short and friendly."


def _prompted(marked: Iterable[Marked], prompt: str = _WHO) -> tuple[Marked, ...]:
    """Return the same lines with a system prompt."""
    return tuple(good(chat(system(prompt), *_messages(each))) for each in marked)


def _messages(marked: Marked) -> list[Any]:
    assert not isinstance(marked.line, bytes)
    return list(marked.line["messages"])


def _dated(at: int) -> Marked:
    prompt = f"Today is day {at} of the year. You answer for a furniture shop."
    return good(chat(system(prompt), *_messages(ORDINARY[at])))


_OTHER = "You are a poet. Answer in verse."
_FIRST, _REST = ORDINARY[:54], ORDINARY[54:]


def _offering(at: int, *tools: dict[str, Any], mark: str = "") -> Marked:
    line = chat(*_messages(ORDINARY[at]), tools=list(tools))
    return bad(line, mark) if mark else good(line)


_ORDERS = tool("find_order")
_PRICES = tool("get_price")
_CHANGED = tool(
    "find_order", parameters={"type": "object", "properties": {"id": {"type": "integer"}}}
)
_REWORDED = tool("find_order", description="Finds an order by its number.")
_CALLING = tuple(
    good(chat(user(f"Where is order no. {at}?"),
              calling({"id": "call_1", "type": "function",
                       "function": {"name": "find_order", "arguments": f'{{"q": "{at}"}}'}}),
              tools=[_ORDERS]))
    for at in range(50)
)  # fmt: skip


def _pairs(preferred: str, other: str, count: int = 40) -> tuple[Marked, ...]:
    return tuple(
        good(
            pair(
                [assistant(preferred.format(at))],
                [assistant(other.format(at))],
                prompt=[user(f"Which is house number {at}?")],
            )
        )
        for at in range(count)
    )


_LONG = "House number {0} is the blue one on the corner, opposite the bakery with the red door."
_SHORT = "The {0}th."

SCENES = (
    Scene(
        "another system prompt in validation",
        _prompted(_FIRST),
        validation=(
            bad(_prompted(_REST[:1], _OTHER)[0].line, PROMPT),
            *_prompted(_REST[1:]),
        ),
    ),
    Scene(
        "no system prompt in the test",
        _prompted(_FIRST),
        test=(bad(_REST[0].line, PROMPT), *_prompted(_REST[1:])),
    ),
    Scene(
        "a system prompt in validation alone",
        _FIRST,
        validation=(bad(_prompted(_REST[:1])[0].line, PROMPT), *_REST[1:]),
    ),
    Scene("the same system prompt", _prompted(_FIRST), _prompted(_REST)),
    Scene("system prompts with a date", tuple(map(_dated, range(54))), tuple(map(_dated, range(54, 60)))),
    Scene(
        "two system prompts, one in validation",
        (*_prompted(_FIRST[:25]), *_prompted(_FIRST[25:], _OTHER)),
        validation=_prompted(_REST, _OTHER),
    ),
    Scene(
        "some with a system prompt, some without",
        (*_prompted(_FIRST[:25]), *_FIRST[25:]),
        validation=_REST,
    ),
    Scene("blanks around the system prompt", _prompted(_FIRST), _prompted(_REST, _WHO + "\n")),
    Scene(
        "a tool that training does not offer",
        _CALLING,
        validation=(_offering(1, _ORDERS), _offering(2, _PRICES, mark=TOOLS)),
    ),
    Scene(
        "a tool with other parameters",
        _CALLING,
        test=(_offering(1, _CHANGED, mark=TOOLS), _offering(2, _ORDERS)),
    ),
    Scene("tools in validation alone", _FIRST, (_offering(55, _ORDERS, mark=TOOLS), *_REST[2:])),
    Scene("no tools in validation", _CALLING, _REST, whole=frozenset({TOOLS})),
    Scene("a tool that is described otherwise", _CALLING, (_offering(3, _REWORDED),)),
    Scene("fewer tools in validation", (*_CALLING, _offering(1, _PRICES)), (_offering(3, _ORDERS),)),
    Scene(
        "many tools, few examples each",
        tuple(_offering(at, tool(f"tool_{at}"), tool(f"aid_{at}")) for at in range(54)),
        (_offering(55, tool("tool_x")), _offering(56, tool("tool_y"))),
    ),
    Scene("49 examples", ORDINARY[:49], whole=frozenset({"few-examples"})),
    Scene("10 examples", ORDINARY[:10], whole=frozenset({"few-examples"})),
    Scene("9 examples", ORDINARY[:9], whole=frozenset({"too-few-examples"})),
    Scene("50 examples", ORDINARY[:50]),
    Scene("usual settings", ORDINARY,
          request={"n_epochs": 3, "batch_size": 4, "learning_rate_multiplier": 2.0}),
    Scene("slow and careful", ORDINARY,
          request={"n_epochs": 10, "batch_size": 1, "learning_rate_multiplier": 0.05}),
    Scene("a large batch", ORDINARY, request={"batch_size": 64},
          whole=frozenset({"absurd-hyperparameters"})),
    Scene("50 epochs", ORDINARY, request={"n_epochs": 50},
          whole=frozenset({"absurd-hyperparameters"})),
    Scene("a rate of 100", ORDINARY, request={"learning_rate_multiplier": 100.0},
          whole=frozenset({"absurd-hyperparameters"})),
    Scene("a rate of nearly nothing", ORDINARY, request={"learning_rate_multiplier": 1e-6},
          whole=frozenset({"absurd-hyperparameters"})),
    Scene("25 epochs for a hundred",
          tuple(good(qa(f"Which way is it to no. {at}?", f"Turn left {at} times.")) for at in range(100)),
          request={"n_epochs": 25}, whole=frozenset({"absurd-hyperparameters"})),
    Scene("preferred is longer", _pairs(_LONG, _SHORT, 60), request={"method": "dpo"},
          whole=frozenset({"length-bias"})),
    Scene("preferred is shorter", _pairs(_SHORT, _LONG, 60), request={"method": "dpo"},
          whole=frozenset({"length-bias"})),
    Scene("preferred is longer half the time",
          (*_pairs(_LONG, _SHORT, 30), *_pairs(_SHORT, _LONG, 30)), request={"method": "dpo"}),
    Scene("preferred is a little longer", _pairs(_LONG, _LONG[:-10], 60), request={"method": "dpo"}),
)  # fmt: skip
