"""Plain examples: messages of text alone, as nearly all examples are, decoded without a detour."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

FEW_MESSAGES = 1_000
PLAIN_ROLES = ("system", "developer", "user", "assistant")


class PlainMessage(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A message of a known role and a text."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[str, msgspec.Meta(min_length=1)]


class _PlainExample(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    messages: Annotated[list[PlainMessage], msgspec.Meta(min_length=1, max_length=FEW_MESSAGES)]


_decode = msgspec.json.Decoder(_PlainExample).decode


def decode_plain(raw: bytes) -> list[PlainMessage] | None:
    """Return the messages of a plain example, None of any other.

    The last message is the assistant's, and no text is blank. Raises what msgspec raises of what is
    no JSON.
    """
    try:
        messages = _decode(raw).messages
    except msgspec.ValidationError:
        return None
    if messages[-1].role != "assistant":
        return None
    for message in messages:
        if message.content.isspace():
            return None
    return messages


def as_written(messages: list[PlainMessage]) -> dict[str, Any]:
    """Return a plain example as the object that its line holds."""
    return {"messages": [{"role": each.role, "content": each.content} for each in messages]}
