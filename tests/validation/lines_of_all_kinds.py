"""Strategies: lines as they come, good, odd, torn and hostile, and the files made of them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from droptune.validation.rules import RULES
from droptune.validation.rules.registry import Case

_texts = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "",
            " ",
            "Yes",
            'say "role": now',
            '\\":',
            "<|endoftext|>",
            "{{name}}",
            "é",
            "😀",
            "\u200b",
        ]
    ),
)
_roles = st.sampled_from(["system", "developer", "user", "assistant", "tool", "function", "bot"])
_junk: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=6,
)
_messages = st.one_of(
    st.fixed_dictionaries({"role": _roles, "content": _texts}),
    st.fixed_dictionaries(
        {"role": _roles},
        optional={
            "content": _texts | _junk,
            "weight": st.sampled_from([0, 1, 0.5, True, "1"]),
            "name": _texts | _junk,
            "tool_calls": _junk,
            "tool_call_id": _texts | _junk,
            "refusal": _texts,
            "extra": _junk,
        },
    ),
    _junk,
)
_examples = st.one_of(
    st.fixed_dictionaries({"messages": st.lists(_messages, max_size=5)}),
    st.fixed_dictionaries(
        {"messages": st.lists(_messages, max_size=3)},
        optional={"tools": _junk, "functions": _junk, "parallel_tool_calls": _junk, "x": _junk},
    ),
    st.fixed_dictionaries(
        {"preferred_output": st.lists(_messages, max_size=2)},
        optional={"input": _junk, "non_preferred_output": st.lists(_messages, max_size=2)},
    ),
    _junk,
)


def _lines_of(found: Case) -> list[bytes]:
    lines = (*found.training, *found.validation)
    small = lines if len(lines) < 50 else ()
    return [line if isinstance(line, bytes) else json.dumps(line).encode() for line in small]


KNOWN = sorted(
    {
        line.replace(b"\n", b" ")
        for rule in RULES.values()
        for fixture in (rule.fails, rule.passes)
        if isinstance(fixture, Case)
        for line in _lines_of(fixture)
        if len(line) < 10_000
    }
)
_written = st.builds(
    lambda value, escaped, spaced: json.dumps(
        value, ensure_ascii=escaped, separators=(" , ", " : ") if spaced else None
    ).encode("utf-8", "surrogatepass"),
    _examples,
    st.booleans(),
    st.booleans(),
)


@st.composite
def _mutated(draw: st.DrawFn) -> bytes:
    """Return a known line with a stretch replaced, doubled or cut."""
    line = draw(st.sampled_from(KNOWN) | _written)
    start = draw(st.integers(0, len(line)))
    end = draw(st.integers(start, min(len(line), start + 12)))
    middle = draw(
        st.binary(max_size=6)
        | st.sampled_from([b'"', b"\\", b"{", b"}", b'":', b"\x00", b"\\ud800", b"NaN", b"1e999"])
        | st.just(line[start:end] * 2)
    )
    return line[:start] + middle + line[end:]


lines = st.one_of(
    _written,
    st.sampled_from(KNOWN),
    _mutated(),
    st.binary(max_size=40),
    st.sampled_from(
        [b"", b" ", b"\r", b"\xef\xbb\xbf{}", b'{"a": 1, "a": 2}', b'{"a" : 1, "a":2}']
    ),
)
files = st.builds(
    lambda found, end, last: end.join(found) + (end if last else b""),
    st.lists(lines, max_size=25),
    st.sampled_from([b"\n", b"\n", b"\r\n"]),
    st.booleans(),
)
