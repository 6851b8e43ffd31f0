"""Examples of other tools and vendors as chat messages, where nothing is lost by it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from droptune.validation.rules.foreign import foreign_shape

Example = Mapping[str, Any]
_SHAREGPT_ROLES = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "assistant": "assistant",
}
_GEMINI_ROLES = {"user": "user", "model": "assistant"}


class NotConvertibleError(Exception):
    """An example that cannot be converted without loss; says why as a clause."""


def convert(value: Any) -> tuple[str, dict[str, Any]]:
    """Return the shape's id and the example as messages; one of ours is returned as it is.

    Raises NotConvertibleError for what holds more than messages can say, or is no known shape.
    """
    if not isinstance(value, dict):
        raise NotConvertibleError("it is not an object")
    shape = foreign_shape(value)
    if shape is None:
        if isinstance(value.get("messages"), list):
            return "messages", value
        raise NotConvertibleError(f"its shape is not known (keys {_names(value)})")
    converter = _CONVERTERS.get(shape.id)
    if converter is None:
        raise NotConvertibleError(f"the shape {shape.name} holds no answers to convert")
    return shape.id, {"messages": converter(value)}


def to_line(example: Mapping[str, Any]) -> bytes:
    """Return an example as a line."""
    return json.dumps(example, ensure_ascii=False).encode("utf-8") + b"\n"


def _sharegpt(value: Example) -> list[dict[str, str]]:
    _only(value, "conversations", "id", "system")
    turns = value["conversations"]
    if not isinstance(turns, list) or not turns:
        raise NotConvertibleError("conversations is not a list of turns")
    messages = [_message("system", value["system"])] if value.get("system") else []
    for at, turn in enumerate(turns):
        if not isinstance(turn, dict) or turn.keys() != {"from", "value"}:
            raise NotConvertibleError(f"conversations[{at}] has more than from and value")
        role = _SHAREGPT_ROLES.get(str(turn["from"]).casefold())
        if role is None:
            raise NotConvertibleError(f"conversations[{at}].from is {turn['from']!r}")
        messages.append(_message(role, turn["value"]))
    return messages


def _alpaca(value: Example) -> list[dict[str, str]]:
    _only(value, "instruction", "input", "output", "system")
    asked = [value["instruction"], value.get("input") or ""]
    if not all(isinstance(text, str) for text in asked):
        raise NotConvertibleError("instruction or input is not text")
    question = "\n\n".join(text for text in asked if text)
    return [*_system(value), _message("user", question), _message("assistant", value["output"])]


def _prompt_completion(value: Example) -> list[dict[str, str]]:
    _only(value, "prompt", "completion")
    return [_message("user", value["prompt"]), _message("assistant", value["completion"])]


def _question_answer(value: Example) -> list[dict[str, str]]:
    _only(value, "question", "answer", "system")
    asked = _message("user", value["question"])
    return [*_system(value), asked, _message("assistant", value["answer"])]


def _gemini(value: Example) -> list[dict[str, str]]:
    _only(value, "contents", "systemInstruction")
    messages = []
    if instruction := value.get("systemInstruction"):
        messages.append(_message("system", _parts(instruction, "systemInstruction")))
    if not isinstance(value["contents"], list):
        raise NotConvertibleError("contents is not a list")
    for at, content in enumerate(value["contents"]):
        role = _GEMINI_ROLES.get(content.get("role", "user")) if isinstance(content, dict) else None
        if role is None:
            raise NotConvertibleError(f"contents[{at}].role is not user or model")
        messages.append(_message(role, _parts(content, f"contents[{at}]")))
    return messages


_CONVERTERS: Mapping[str, Callable[[Example], list[dict[str, str]]]] = {
    "sharegpt": _sharegpt,
    "alpaca": _alpaca,
    "prompt-completion": _prompt_completion,
    "question-answer": _question_answer,
    "gemini-contents": _gemini,
}


def _parts(content: Any, path: str) -> str:
    """Return the text of Gemini's parts, which may hold more than text."""
    parts = content.get("parts") if isinstance(content, dict) else None
    if not isinstance(parts, list) or not parts:
        raise NotConvertibleError(f"{path} has no parts")
    if not all(isinstance(part, dict) and part.keys() == {"text"} for part in parts):
        raise NotConvertibleError(f"{path} has parts that are not text")
    if len(parts) > 1:
        raise NotConvertibleError(f"{path} has several parts, whose borders would be lost")
    return str(parts[0]["text"])


def _system(value: Example) -> list[dict[str, str]]:
    return [_message("system", value["system"])] if value.get("system") else []


def _message(role: str, text: Any) -> dict[str, str]:
    if not isinstance(text, str):
        raise NotConvertibleError(f"what the {role} says is not text")
    return {"role": role, "content": text}


def _only(value: Example, *known: str) -> None:
    """Refuse keys whose content would be lost."""
    if more := sorted(value.keys() - set(known)):
        raise NotConvertibleError(
            f"it also has {', '.join(map(repr, more[:3]))}, which would be lost"
        )


def _names(value: Example) -> str:
    return ", ".join(repr(key[:20]) for key in list(value)[:4]) or "none"
