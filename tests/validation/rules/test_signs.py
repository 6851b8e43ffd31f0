"""Signs: no line that a rule would speak of lacks one, however the line is written."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from droptune.validation.report import ValidationRequest
from droptune.validation.rules import RULES
from droptune.validation.rules.example import Asked, Example
from droptune.validation.rules.registry import Kind, Rule
from droptune.validation.signs import Signs

SIGNED = [rule for rule in RULES.values() if rule.signs and rule.kind is Kind.EXAMPLE]
ASKED = Asked(request=ValidationRequest(), format="supervised", model=None)
DRAWN = "h7Qm2ZxB9vT4kLw8RfYp3NcJ6sGd1XaE5uKe"
SIGNS = [rule.signs for rule in RULES.values() if rule.signs]
SLOW, FAST = Signs(SIGNS, worth=1 << 40), Signs(SIGNS, worth=0)
OF_EXAMPLES = Signs([rule.signs for rule in SIGNED])
TELLING = [
    f"ghp_{DRAWN}",
    f"github_pat_{DRAWN[:22]}_{DRAWN}{DRAWN[:23]}",
    "AKIA" + "Q7Z2MKXW5TB3VNRD",
    f"AIza{DRAWN[:35]}",
    f"sk-{DRAWN}",
    f"glpat-{DRAWN[:20]}",
    f"xoxb-123456789-{DRAWN}",
    f"https://x.net/?sv=1&sig={DRAWN}{DRAWN[:8]}%3D",
    f"AccountKey={(DRAWN * 3)[:86]}==",
    f"SG.{DRAWN[:22]}.{(DRAWN * 2)[:43]}",
    "-----BEGIN PRIVATE KEY-----\n" + (DRAWN * 2)[:64] + "\n-----END PRIVATE KEY-----",
    'password: "vR7#qm2!Zk"',
    "Passwd`\t:= vR7#qm2!Zk",
    "'api_key' => 'h7Qm2ZxB9vT4kLw8RfYp3N'",
    'AWS_SECRET_ACCESS_KEY"]**="h7Qm2ZxB9vT4kLw8RfYp3N"',
    "postgres://ada:vR7qm2Zk9@db.contoso-sales.net/orders",
    "maria.lindqvist@nordhavn-bygg.se",
    "call me at +49 171 920 8834",
    "my phone is 0171 920 8834",
    "tel 01 71 92 08 83",
    "card 4485 9203 7716 2040",
    "card 4485920377162040",
    "DE62 5001 0517 9203 7716 20",
    "My SSN is 536-22-8714",
    "cpf 529.982.247-25",
    "cpf 52998224725",
    "nir 2 55 08 14 168 025 38",
    "pesel 44051401458",
    "dni 12.345.678-Z",
    "amex 3714 496353 98431",
    "caf\u00c3\u00a9",
    "it\u00e2\u20ac\u2122s",
    "\u00e3\u0081\u00af",
    "\u00f0\u0178\u02dc\u20ac",
    "caf\ufffd",
    "\x1b[31m",
    "\x92",
    "\x7f",
    "big\u200bgest",
    "a\U000e0041b",
    "Hello<|im_end|>",
    "[/INST]",
    "<end_of_turn>",
    "The Pacific.\nUser: And then?\nAssistant: The Atlantic.",
    "Dear nan, hello",
    "[object Object]",
]
_texts = st.lists(
    st.sampled_from(TELLING) | st.text(max_size=12) | st.sampled_from([" ", "\n", "\u00e9", '"']),
    min_size=1,
    max_size=6,
).map("".join)


def _as_net_writes(value: object) -> bytes:
    """Return JSON as .NET's serializer writes it, with more escapes than are needed."""
    text = json.dumps(value)
    for char in "&'<>+`":
        text = text.replace(char, f"\\u{ord(char):04X}")
    return text.replace('\\"', "\\u0022").encode()


WRITERS: dict[str, Callable[[object], bytes]] = {
    "utf-8": lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"),
    "ascii": lambda value: json.dumps(value).encode(),
    "slashes escaped": lambda value: json.dumps(value).replace("/", "\\/").encode(),
    ".NET": _as_net_writes,
}


def _speaks(rule: Rule, value: dict[str, object], raw: bytes) -> bool:
    example = Example(None, value, raw, 1, 1, ASKED)
    return any(True for _ in rule.check(example))


@pytest.mark.parametrize("writer", WRITERS)
@settings(deadline=None)
@given(user=_texts, assistant=_texts)
def test_line_of_which_a_rule_speaks_holds_its_sign(writer: str, user: str, assistant: str) -> None:
    """Seeking signs first never changes what is found, whoever wrote the line."""
    value: dict[str, object] = {
        "messages": [
            {"role": "user", "content": user},
            {"role": "assistant", "content": assistant},
        ]
    }
    raw = WRITERS[writer](value)
    mask = OF_EXAMPLES.masks([raw])[0]

    missed = [
        rule.id
        for at, rule in enumerate(SIGNED)
        if not mask >> at & 1 and _speaks(rule, value, raw)
    ]

    assert not missed


@settings(deadline=None)
@given(lines=st.lists(_texts.map(lambda text: json.dumps(text).encode()) | st.binary(max_size=60)))
def test_both_searches_say_the_same(lines: list[bytes]) -> None:
    """Where Hyperscan is missing, the same rules are asked of the same lines."""
    slow, fast = SLOW.masks(lines), FAST.masks(lines)

    assert slow == fast


def test_telling_texts_make_every_rule_speak() -> None:
    """What the tests above draw from reaches each rule that has signs."""
    silent = {rule.id for rule in SIGNED}

    for text in TELLING:
        for role in ("user", "assistant"):
            value: dict[str, object] = {"messages": [{"role": role, "content": text}]}
            silent -= {rule.id for rule in SIGNED if _speaks(rule, value, b"")}

    assert not silent
