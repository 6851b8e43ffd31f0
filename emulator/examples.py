"""Training files as the emulated service reads them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """One line: what is asked and what the model should answer (an assistant message)."""

    system: str
    prompt: str
    answer: Json

    @property
    def text(self) -> str:
        """The answer as the text that is learned; tool calls are learned as JSON."""
        content = text_of(self.answer.get("content"))
        calls = self.answer.get("tool_calls") or self.answer.get("function_call")
        return content if not calls else content + json.dumps(calls, ensure_ascii=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspection:
    """What the service finds in a file; `problem` is the reason to refuse it, or ""."""

    format: str = ""
    examples: int = 0
    tokens: int = 0
    problem: str = ""


def text_of(content: object) -> str:
    """Return the text of a message's content, which may be a list of parts."""
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def inspect(path: Path, count_tokens: Callable[[str], int]) -> Inspection:
    """Read a training file and count examples and billed tokens.

    Unverified: the texts; only the legacy "Validation of jsonl file failed" beginning is on record.
    """
    examples = tokens = 0
    formats: set[str] = set()
    for number, line in _lines(path):
        try:
            row = json.loads(line)
            if "\\ud" in line.lower():
                json.dumps(row, ensure_ascii=False).encode()  # half a surrogate pair is no text
        except (ValueError, RecursionError):
            return Inspection(problem=_problem(number, "the line is not valid JSON"))
        kind, problem = _format_of(row)
        if problem:
            return Inspection(problem=_problem(number, problem))
        formats.add(kind)
        examples += 1
        tokens += sum(_message_tokens(m, count_tokens) for m in _messages(row)) + 3
    if not examples:
        return Inspection(problem=_problem(1, "No valid json line found in file."))
    if len(formats) > 1:
        return Inspection(problem=_problem(1, "the file mixes formats"))
    return Inspection(format=formats.pop(), examples=examples, tokens=tokens)


def read_examples(path: Path, *, count: int, most: int = 1000) -> list[Example]:
    """Return examples of a good file, evenly chosen when it has more than `most` of its `count`."""
    stride = max(1, -(-count // most))
    kept = (line for position, (_, line) in enumerate(_lines(path)) if not position % stride)
    rows = map(json.loads, kept)
    return [example for row in rows if (example := _example(row)) is not None]


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield numbered lines that are not blank; a byte-order mark is dropped (facts 1.3)."""
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, line


def _problem(line: int, what: str) -> str:
    return f"Validation of jsonl file failed: line {line}: {what}"


def _format_of(row: Any) -> tuple[str, str]:
    """Return a line's format and what is wrong with it."""
    if not isinstance(row, dict):
        return "", "the line is not a JSON object"
    if isinstance(row.get("messages"), list):
        return "chat", _chat_problem(row["messages"])
    if isinstance(row.get("input"), dict):
        return "dpo", _preference_problem(row)
    return "", "the line has neither messages nor input"


_ROLES = ("system", "developer", "user", "assistant", "tool", "function")


def _chat_problem(messages: list[Any]) -> str:
    if not messages or not all(isinstance(message, dict) for message in messages):
        return "messages must be a list of objects"
    wrong = next((m.get("role") for m in messages if m.get("role") not in _ROLES), None)
    if wrong is not None or any("role" not in m for m in messages):
        return f"the role {wrong!r} is not supported"
    return "" if messages[-1]["role"] in ("assistant", "user") else "the last message is no answer"


def _preference_problem(row: Json) -> str:
    asked, outputs = row["input"].get("messages"), ("preferred_output", "non_preferred_output")
    lists = [asked, *(row.get(key) for key in outputs)]
    if all(isinstance(each, list) and each for each in lists):
        whole = all(isinstance(message, dict) for each in lists for message in each)
        return "" if whole else "messages must be objects"
    return "input.messages, preferred_output and non_preferred_output are required"


def _messages(row: Json) -> list[Json]:
    if "messages" in row:
        return list(row["messages"])
    outputs = [row["preferred_output"], row["non_preferred_output"]]
    messages = [*row["input"].get("messages", []), *(m for output in outputs for m in output)]
    return [message for message in messages if isinstance(message, dict)]


def _message_tokens(message: Json, count_tokens: Callable[[str], int]) -> int:
    """Count a message as the published recipe does: 3, every string value, 1 for a name."""
    values = [value for value in message.values() if isinstance(value, str)]
    if isinstance(message.get("content"), list):
        values.append(text_of(message["content"]))
    if message.get("tool_calls"):
        values.append(json.dumps(message["tool_calls"]))
    return 3 + ("name" in message) + sum(count_tokens(value) for value in values)


def _example(row: Json) -> Example | None:
    messages, answers = row.get("messages"), row.get("preferred_output")
    if messages is None:
        messages = [*row["input"].get("messages", []), *(answers or [])]
    last = max((i for i, m in enumerate(messages) if m.get("role") == "assistant"), default=None)
    if last is None:
        return None
    before = messages[:last]
    keep = ("role", "content", "tool_calls", "function_call")
    answer = {key: messages[last][key] for key in keep if messages[last].get(key) is not None}
    system, prompt = last_text(before, "system"), last_text(before, "user")
    return Example(system=system, prompt=prompt, answer=answer)


def last_text(messages: list[Json], role: str) -> str:
    """Return the text of the last message of a role, or ""."""
    found = (text_of(m.get("content")) for m in reversed(messages) if m.get("role") == role)
    return next(found, "")
