"""Examples of other tools and vendors as chat messages, where nothing is lost by it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from droptune.validation.rules.faults import find_fault
from droptune.validation.rules.foreign import foreign_shape
from droptune.validation.rules.quoting import quoted

Example = Mapping[str, Any]
OURS = "messages"
_SHAREGPT_ROLES = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "assistant": "assistant",
}
_GEMINI_ROLES = {"user": "user", "model": "assistant"}
_CARRIED = ("messages", "tools", "parallel_tool_calls", "functions")


class NotConvertibleError(Exception):
    """An example that cannot be converted without loss; says why as a clause."""


class Converter:
    """Converts examples; what is named in `drop` may get lost, nothing else."""

    def __init__(self, drop: Collection[str] = ()) -> None:
        """Begin; `drop` are keys that may be left out wherever they stand in an example's shape."""
        self._drop = frozenset(drop)

    def convert_line(self, line: bytes) -> tuple[str, bytes]:
        """Return the shape's id and the new line; one that holds messages stays as it is.

        Raises NotConvertibleError.
        """
        if fault := find_fault(line):
            raise NotConvertibleError(fault.detail)
        shape, example = self.convert(json.loads(line))
        if shape == OURS:
            return shape, line
        return shape, json.dumps(example, ensure_ascii=False).encode("utf-8")

    def convert(self, value: Example) -> tuple[str, Mapping[str, Any]]:
        """Return the shape's id and the example as messages; one of ours is returned as it is.

        Raises NotConvertibleError for what holds more than messages can say, or is no known shape.
        """
        shape = foreign_shape(value)
        if shape is None:
            if OURS in value or "preferred_output" in value:
                return OURS, value
            names = ", ".join(quoted(key, 20) for key in list(value)[:4]) or "none"
            raise NotConvertibleError(f"its shape is not known (keys: {names})")
        return shape.id, _SHAPES[shape.id](self, value)

    def sharegpt(self, value: Example) -> Example:
        """Convert conversations with from and value."""
        self._only(value, "conversations", "system")
        messages = _system(value)
        for at, turn in enumerate(_list(value, "conversations")):
            path = f"conversations[{at}]"
            if not isinstance(turn, dict):
                raise NotConvertibleError(f"{path} is not an object")
            self._only(turn, "from", "value", path=path)
            role = _SHAREGPT_ROLES.get(str(turn.get("from")).casefold())
            if role is None:
                raise NotConvertibleError(f"{path}.from is {quoted(str(turn.get('from')), 40)}")
            messages.append(_message(role, turn.get("value")))
        return _answered(messages)

    def alpaca(self, value: Example) -> Example:
        """Convert instruction, input and output; the input follows after a blank line."""
        self._only(value, "instruction", "input", "output", "system")
        asked = (value["instruction"], value.get("input") or "")
        if not all(isinstance(text, str) for text in asked):
            raise NotConvertibleError("instruction or input is not text")
        question = "\n\n".join(text for text in asked if text)
        answer = _message("assistant", value["output"])
        return {OURS: [*_system(value), _message("user", question), answer]}

    def prompt_completion(self, value: Example) -> Example:
        """Convert prompt and completion: texts, or lists of messages."""
        self._only(value, "prompt", "completion", "system")
        asked, answered = value["prompt"], value["completion"]
        if isinstance(asked, list) and isinstance(answered, list):
            return _answered([*_system(value), *asked, *answered])
        return {OURS: [*_system(value), _message("user", asked), _message("assistant", answered)]}

    def question_answer(self, value: Example) -> Example:
        """Convert question and answer."""
        self._only(value, "question", "answer", "system")
        asked = _message("user", value["question"])
        return {OURS: [*_system(value), asked, _message("assistant", value["answer"])]}

    def batch(self, value: Example) -> Example:
        """Convert a request of the Batch service whose messages end with the answer."""
        self._only(value, "body")
        body = value["body"]
        if not isinstance(body, dict):
            raise NotConvertibleError("body is not an object")
        self._only(body, *_CARRIED, path="body")
        example = _answered(_list(body, OURS, "body."))
        return example | {key: body[key] for key in _CARRIED[1:] if key in body}

    def gemini(self, value: Example) -> Example:
        """Convert contents with parts of text."""
        self._only(value, "contents", "systemInstruction", "system_instruction")
        messages: list[dict[str, Any]] = []
        for key in ("systemInstruction", "system_instruction"):
            if instruction := value.get(key):
                messages.append({"role": "system", "content": self._parts(instruction, key)})
        for at, content in enumerate(_list(value, "contents")):
            path = f"contents[{at}]"
            role = content.get("role", "user") if isinstance(content, dict) else None
            if not isinstance(role, str) or role not in _GEMINI_ROLES:
                raise NotConvertibleError(f"{path}.role is not user or model")
            said = self._parts(content, path)
            messages.append({"role": _GEMINI_ROLES[role], "content": said})
        return _answered(messages)

    def _parts(self, content: Any, path: str) -> Any:
        """Return the text of parts; several become text parts, so that their borders stay."""
        if not isinstance(content, dict):
            raise NotConvertibleError(f"{path} is not an object")
        self._only(content, "role", "parts", path=path)
        texts = []
        for at, part in enumerate(_list(content, "parts", f"{path}.")):
            if not isinstance(part, dict) or not isinstance(part.get("text"), str):
                raise NotConvertibleError(f"{path}.parts[{at}] is not text")
            self._only(part, "text", path=f"{path}.parts[{at}]")
            texts.append(part["text"])
        return texts[0] if len(texts) == 1 else [{"type": "text", "text": text} for text in texts]

    def _only(self, value: Example, *known: str, path: str = "") -> None:
        """Refuse keys whose content would be lost."""
        if more := sorted(value.keys() - set(known) - self._drop):
            where = f"{path} also has" if path else "it also has"
            raise NotConvertibleError(
                f"{where} {', '.join(quoted(key, 40) for key in more[:5])}, which would be lost"
            )


_SHAPES: Mapping[str, Callable[[Converter, Example], Example]] = {
    "sharegpt": Converter.sharegpt,
    "alpaca": Converter.alpaca,
    "prompt-completion": Converter.prompt_completion,
    "question-answer": Converter.question_answer,
    "batch-lines": Converter.batch,
    "gemini-contents": Converter.gemini,
}


def _list(value: Example, key: str, path: str = "") -> list[Any]:
    found = value.get(key)
    if not isinstance(found, list) or not found:
        raise NotConvertibleError(f"{path}{key} is not a list with something in it")
    return found


def _answered(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """Return messages as an example if an answer is the last of them."""
    last = messages[-1]
    if not isinstance(last, dict) or last.get("role") != "assistant":
        raise NotConvertibleError("it does not end with an answer, so there is nothing to learn")
    return {OURS: messages}


def _system(value: Example) -> list[dict[str, Any]]:
    return [_message("system", value["system"])] if value.get("system") else []


def _message(role: str, text: Any) -> dict[str, Any]:
    if not isinstance(text, str):
        raise NotConvertibleError(f"what the {role} says is not text")
    return {"role": role, "content": text}
