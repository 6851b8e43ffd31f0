"""Histories of orchestrations as each version left them, and whether today's code still fits them.

An instance in flight is replayed by whatever version runs next, so that a released orchestrator
keeps its order of steps. `python -m tests.orchestrators.record` writes this version's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import azure.durable_functions as df

FOLDER = Path(__file__).parent / "histories"
_LABEL = "$OutOfProcData$:"  # Source: azure-functions-durable 1.7.0, OrchestratorState of a failure
_EXECUTION_STARTED, _TASK_SCHEDULED = 0, 4
_NAMES = {
    0: "activity",
    1: "activity",
    2: "orchestration",
    3: "orchestration",
    4: "continue as new",
    5: "timer",
    6: "event",
    11: "any of",
    12: "all of",
}
ADVICE = (
    "An instance that was begun by {version} and is still in flight would break. Leave the order "
    "of steps as it was and add new ones at the end; or give the changed orchestrator a new name, "
    "let new runs start that one, and keep this one registered until its last instance has ended. "
    "If {version} was never released, record it anew: python -m tests.orchestrators.record"
)


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One execution of an orchestrator, to its last replay.

    Attributes:
        body: what the orchestrator was given: its whole history.
        answer: what it answered.
    """

    version: str
    story: str
    orchestrator: str
    body: Mapping[str, Any]
    answer: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.version}/{self.story}: {self.orchestrator} {self.body['instanceId']}"

    def to_payload(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return {"orchestrator": self.orchestrator, "body": self.body, "answer": self.answer}

    @property
    def asked(self) -> list[str]:
        """What it asked for, in order."""
        return list(asked_for(self.answer))

    def requests(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Iterate over the activities that it scheduled, with what each was asked."""
        for event in self.body["history"]:
            if event["EventType"] == _TASK_SCHEDULED:
                yield event["Name"], json.loads(event["Input"])


def asked_for(answer: Mapping[str, Any]) -> Iterator[str]:
    """Iterate over what an answer asks for: kind, name, and whom; not what is sent along."""
    for batch in answer.get("actions", []):
        yield from (_said(action) for action in batch)


def _said(action: Mapping[str, Any]) -> str:
    names = ("functionName", "instanceId", "externalEventName")
    parts = [_NAMES[action["actionType"]], *(str(action[n]) for n in names if action.get(n))]
    inner = [_said(each) for each in action.get("compoundActions", [])]
    return " ".join(parts) + (f" [{', '.join(inner)}]" if inner else "")


def ask(orchestrator: Callable[..., Any], body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what an orchestrator answers to a history, also one that it fails at."""
    try:
        answer = df.Orchestrator.create(orchestrator)(json.dumps(body))
    except Exception as error:
        _, _, answer = str(error).partition(_LABEL)
        if not answer:
            raise
    told: Mapping[str, Any] = json.loads(answer)
    return told


def misfit(recording: Recording, orchestrator: Callable[..., Any]) -> str:
    """Return why an instance in flight would break, and what to do; "" if it would go on.

    Steps that come after all that was recorded are welcome: no instance is there yet.
    """
    try:
        now = list(asked_for(ask(orchestrator, recording.body)))
    except Exception as error:  # noqa: BLE001 - a history that does not fit raises anything
        now = [f"{type(error).__name__}: {str(error).splitlines()[0]:.200}"]
    before = recording.asked
    if now[: len(before)] == before:
        return ""
    at = next((i for i, (a, b) in enumerate(zip(before, now, strict=False)) if a != b), len(now))
    there = now[at] if at < len(now) else "nothing"
    return (
        f"{recording} asked for {before[at]!r} as step {at + 1}; now it asks for {there!r}. "
        + ADVICE.format(version=recording.version)
    )


def versions() -> list[str]:
    """Return the versions whose histories are kept."""
    return sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


def recordings() -> list[Recording]:
    """Return every recorded execution of every version."""
    return [
        Recording(version=path.parent.name, story=path.stem, **each)
        for path in sorted(FOLDER.glob("*/*.json"))
        for each in json.loads(path.read_text(encoding="utf-8"))
    ]


def executions(
    payloads: Iterable[tuple[str, str]], orchestrators: Mapping[str, Callable[..., Any]]
) -> Iterator[dict[str, Any]]:
    """Iterate over the last replay of each execution of a line, each shape of it once."""
    last: dict[str, tuple[str, dict[str, Any]]] = {}
    for what, text in payloads:
        if what.startswith("history of "):
            body = json.loads(text)
            last[_execution(body)] = (what.removeprefix("history of "), body)
    shapes: dict[tuple[str, ...], dict[str, Any]] = {}
    for name, body in last.values():
        answer = ask(orchestrators[name], body)
        kept = {"orchestrator": name, "body": body, "answer": answer}
        shapes[(name, *asked_for(answer))] = kept
    yield from shapes.values()


def _execution(body: Mapping[str, Any]) -> str:
    events = (each for each in body["history"] if each["EventType"] == _EXECUTION_STARTED)
    return str(next(events)["OrchestrationInstance"]["ExecutionId"])
