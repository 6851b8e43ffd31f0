"""Azure OpenAI's JSON as domain objects: the wire, which is not the schema.

Source: facts 1.3 to 1.6: nulls are missing, auto comes back as -1, statuses are an open set.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from droptune.domain.deployment import ChatAnswer
from droptune.domain.job import (
    Checkpoint,
    FileStatus,
    FineTuningJob,
    JobEvent,
    JobStatus,
    TrainingFile,
)

_HYPERPARAMETERS = "hyperparameters"


def training_file(wire: Any) -> TrainingFile:
    """Read a file; raises ValueError."""
    wire = _object(wire, "a file")
    return TrainingFile(
        id=_text(wire, "id"),
        name=str(wire.get("filename") or ""),
        size_bytes=_whole(wire.get("bytes")) or 0,
        status=FileStatus(str(wire.get("status") or "")),
        created_at=_time(wire.get("created_at")),
        detail=_detail(wire),
    )


def job(wire: Any) -> FineTuningJob:
    """Read a fine-tuning job; raises ValueError."""
    wire = _object(wire, "a fine-tuning job")
    error = _mapping(wire.get("error"))
    status = str(wire.get("status") or "")
    results = wire.get("result_files")
    return FineTuningJob(
        id=_text(wire, "id"),
        status=JobStatus(status),
        raw_status=status,
        model=str(wire.get("model") or ""),
        training_file=str(wire.get("training_file") or ""),
        validation_file=wire.get("validation_file") or None,
        created_at=_time(wire.get("created_at")) or datetime.fromtimestamp(0, UTC),
        finished_at=_time(wire.get("finished_at")),
        estimated_finish=_time(wire.get("estimated_finish")),
        fine_tuned_model=wire.get("fine_tuned_model") or None,
        trained_tokens=_whole(wire.get("trained_tokens")),
        hyperparameters=_hyperparameters(wire),
        seed=_whole(wire.get("seed")),
        suffix=str(wire.get("suffix") or ""),
        user_provided_suffix=str(wire.get("user_provided_suffix") or ""),
        training_type=str(wire.get("trainingType") or wire.get("training_type") or ""),
        error_code=str(error.get("code") or ""),
        error_message=str(error.get("message") or ""),
        result_files=tuple(map(str, results)) if isinstance(results, list) else (),
    )


def event(wire: Any) -> JobEvent:
    """Read an event of a job; raises ValueError."""
    wire = _object(wire, "an event")
    return JobEvent(
        id=_text(wire, "id"),
        created_at=_time(wire.get("created_at")) or datetime.fromtimestamp(0, UTC),
        level=str(wire.get("level") or ""),
        type=str(wire.get("type") or "message"),
        message=str(wire.get("message") or ""),
        data=dict(_mapping(wire.get("data"))),
    )


def checkpoint(wire: Any) -> Checkpoint:
    """Read a checkpoint; raises ValueError."""
    wire = _object(wire, "a checkpoint")
    return Checkpoint(
        id=_text(wire, "id"),
        created_at=_time(wire.get("created_at")) or datetime.fromtimestamp(0, UTC),
        step=_whole(wire.get("step_number")) or 0,
        model=str(wire.get("fine_tuned_model_checkpoint") or ""),
        metrics=dict(_mapping(wire.get("metrics"))),
    )


def chat_answer(wire: Any, latency_ms: int) -> ChatAnswer:
    """Read a chat completion; raises ValueError."""
    wire = _object(wire, "a chat completion")
    choices = wire.get("choices")
    if not isinstance(choices, list) or not choices:
        raise ValueError("a chat completion without choices")
    choice = _object(choices[0], "a choice")
    usage = _mapping(wire.get("usage"))
    return ChatAnswer(
        content=_said(_mapping(choice.get("message"))),
        prompt_tokens=_whole(usage.get("prompt_tokens")) or 0,
        completion_tokens=_whole(usage.get("completion_tokens")) or 0,
        latency_ms=latency_ms,
        finish_reason=str(choice.get("finish_reason") or ""),
        raw=wire,
    )


def _said(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str) and content:
        return content
    calls = message.get("tool_calls") or message.get("function_call")
    return json.dumps(calls, ensure_ascii=False) if calls else ""


def _hyperparameters(wire: Mapping[str, Any]) -> dict[str, Any]:
    """Return them from the top level, completed from `method`; auto is always -1."""
    method = _mapping(wire.get("method"))
    named = _mapping(_mapping(method.get(str(method.get("type")))).get(_HYPERPARAMETERS))
    merged = {**named, **_mapping(wire.get(_HYPERPARAMETERS))}
    present = {name: value for name, value in merged.items() if value is not None}
    return {name: -1 if value == "auto" else value for name, value in present.items()}


def _detail(wire: Mapping[str, Any]) -> str:
    """Return why a file is in error: `status_details` (v1), or `error.message` (dated)."""
    return str(wire.get("status_details") or _mapping(wire.get("error")).get("message") or "")


def _object(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"expected {what}, got {type(value).__name__}")
    return value


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(wire: Mapping[str, Any], key: str) -> str:
    value = wire.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"the field {key!r} is missing")
    return value


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _time(value: Any) -> datetime | None:
    """Read Unix seconds; 0 stands for "not known"."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return None
    return datetime.fromtimestamp(value, UTC)
