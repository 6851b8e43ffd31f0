"""Runs as they look at each stage, for pages to show."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from droptune.domain.champion import Champion, ChampionEntry
from droptune.domain.findings import Problem
from droptune.domain.notifications import events_of
from droptune.domain.outbox import Subscription, deliveries
from droptune.domain.phases import Outcome, Phase
from droptune.domain.run import Pin, RunRecord
from tests.api.world import NOW, URL, World

ID = "shop-v2-4f1c09ab"
_LINE = (
    Phase.VALIDATING,
    Phase.ESTIMATING,
    Phase.CHECKING,
    Phase.QUEUED,
    Phase.UPLOADING,
    Phase.TRAINING,
    Phase.DEPLOYING,
    Phase.TESTING,
    Phase.PROMOTING,
)
_MINUTES = {Phase.QUEUED: 3, Phase.TRAINING: 34, Phase.DEPLOYING: 4}
CONFIGURATION = {
    "model": "gpt-4.1-mini",
    "suffix": "support",
    "seed": 105,
    "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": "auto"}}},
    "extra_body": {"trainingType": "GlobalStandard"},
    "pipeline": {
        "budget": {"run_usd": 50.0, "hosting_usd_month": 1300.0},
        "approval": {"training": "over_budget", "promotion": "replace", "timeout_hours": 72},
        "deploy": {
            "candidate": {"sku": "auto", "capacity": 100},
            "production": {"sku": "GlobalStandard", "capacity": 50},
        },
        "mode": "run",
    },
    "origins": {
        "model": "project.yaml",
        "suffix": "project.yaml",
        "seed": "fine-tune-job.yaml",
        "method.supervised.hyperparameters.n_epochs": "default",
        "pipeline.budget.run_usd": "installation",
        "pipeline.budget.hosting_usd_month": "project.yaml",
        "pipeline.deploy.production": "project.yaml",
    },
}
COST = {
    "currency": "USD",
    "low": 4.1,
    "estimate": 6.2,
    "high": 6.2,
    "epochs_low": 2,
    "epochs_high": 3,
    "training_tokens": 412_880,
    "training_usd_per_million": 5.0,
    "hosting_month": 1224.0,
    "as_of": "2026-10-06",
    "source": "third-party cost guide",
}
WARNING = {
    "rule": "duplicate-example",
    "severity": "warning",
    "message": "The same example stands in lines 12 and 88.",
    "file": "training.jsonl",
    "line": 88,
    "path": None,
    "fix": "Keep one of them.",
    "count": 4,
}
ERROR = {
    "rule": "unknown-role",
    "severity": "error",
    "message": '"bot" is not one of system, user, assistant, tool.',
    "file": "training.jsonl",
    "line": 17,
    "path": "messages[2].role",
    "fix": 'Write "assistant".',
    "count": 1,
}
TEST = {
    "prompt": "My parcel has not arrived after ten days. What now?",
    "answer": "I am sorry about that! Please give me your order number, and I will start a trace "
    "right away. If it is not found within 48 hours, we send you a new one at no cost.",
    "latency_ms": 412,
    "prompt_tokens": 61,
    "completion_tokens": 44,
    "base_deployment": "gpt-41-mini",
    "base_answer": "Check the carrier's tracking page and contact the seller. Delays can have many "
    "reasons, including weather, customs or high volume.",
}


def a_story(phase: Phase = Phase.TRAINING, *, run_id: str = ID, **changes: Any) -> RunRecord:
    """Return a run that has come as far as a phase, having spent a while in each."""
    begun = NOW - timedelta(minutes=50)
    pins = tuple(
        Pin(role=role, name=f"shop/v2/{role}.jsonl", etag="e", size_bytes=size, sha256="ab" * 32)
        for role, size in (("training", 1_840_233), ("validation", 211_004))
    )
    record = RunRecord(
        id=run_id,
        project="shop",
        version="v2",
        training_digest="t" * 64,
        run_digest="r" * 64,
        created_at=begun,
        updated_at=NOW,
        settled_at=begun,
        submit_after=begun,
        phase=Phase.SETTLING,
        dropped_by="droptune",
        pins=pins,
        configuration=CONFIGURATION,
    )
    return replace(advanced(record, phase), **changes)


def advanced(record: RunRecord, phase: Phase) -> RunRecord:
    """Return a run after it went on to a phase, through those before it."""
    at = record.history[-1].at if record.history else record.created_at + timedelta(seconds=12)
    for each in _LINE:
        if record.phase.position < each.position <= phase.position:
            record = record.entered(each, at=at)
            at += timedelta(minutes=_MINUTES.get(each, 0), seconds=9)
    record = record.entered(phase, at=at)
    if phase.position > Phase.VALIDATING.position:
        record = replace(record, examples=1200, tokens=412_880, cost=COST)
        record = replace(record, findings={"error": 0, "warning": 4})
    if phase.position >= Phase.TRAINING.position:
        record = replace(record, job=a_job(), files={"training": "file-1"})
    if phase.position >= Phase.DEPLOYING.position:
        record = replace(record, job=a_job(done=True), deployment=a_deployment())
    return replace(record, test=TEST) if phase.position > Phase.TESTING.position else record


def a_job(*, done: bool = False) -> dict[str, Any]:
    """Return a job as the record shows it, half way or done."""
    return {
        "id": "ftjob-6f1e2d3c4b5a",
        "status": "succeeded" if done else "running",
        "model": "gpt-4.1-mini-2025-04-14",
        "fine_tuned_model": "gpt-4.1-mini-2025-04-14.ft-6f1e-support-0a1b" if done else None,
        "trained_tokens": 1_238_640 if done else None,
        "training_type": "GlobalStandard",
        "hyperparameters": {"n_epochs": 3, "batch_size": 8, "learning_rate_multiplier": 1.0},
        "seed": 105,
        "step": 450 if done else 260,
        "train_loss": 0.48 if done else 0.702,
        "valid_loss": 0.59 if done else 0.781,
        "estimated_finish": None
        if done
        else (NOW + timedelta(minutes=19)).isoformat().replace("+00:00", "Z"),
    }


def a_deployment() -> dict[str, Any]:
    """Return a candidate's deployment."""
    return {
        "name": "shop-rrrrrrrrrrrr",
        "sku": "GlobalStandard",
        "state": "Succeeded",
        "endpoint": "https://shop.openai.azure.com",
        "expires_at": None,
        "model": "gpt-4.1-mini-2025-04-14.ft-6f1e-support-0a1b",
        "capacity": 50,
    }


def steps(last: int) -> list[dict[str, Any]]:
    """Return the metrics of a training that learns, with some noise that is always the same."""
    found = []
    for step in range(1, last + 1):
        noise = ((step * 7919) % 101 - 50) / 900
        row = {"step": step, "train_loss": 0.45 + 1.6 / (1 + step / 40) + noise}
        if step % 25 == 0:
            row["valid_loss"] = 0.55 + 1.6 / (1 + step / 40)
        found.append(row)
    return found


def keep_documents(
    world: World,
    record: RunRecord,
    *,
    last_step: int = 0,
    findings: tuple[dict[str, Any], ...] = (WARNING,),
) -> None:
    """Store what a run has stored by then: report, metrics, events, checkpoints, answers."""
    folder = record.ref.folder
    if record.phase is Phase.AWAITING_PROMOTION:
        world.runs.put(f"{folder}answers.json", side_by_side())
    if record.phase.position > Phase.VALIDATING.position:
        report = {"verdict": "accept", "findings": list(findings)}
        world.runs.put(f"{folder}report.json", report)
        world.runs.put(f"{folder}report.html", b"<!doctype html><title>Report</title><p>Report")
    if last_step:
        world.runs.put(f"{folder}metrics.json", {"steps": steps(last_step)})
        points = [{"id": f"c{s}", "step": s, "model": f"m:ckpt-{s}"} for s in (150, 300, 450)]
        done = [point for point in points if point["step"] <= last_step]
        world.runs.put(f"{folder}checkpoints.json", {"data": done})
        at = (NOW - timedelta(minutes=20)).isoformat().replace("+00:00", "Z")
        event = {"id": "e", "created_at": at, "level": "info", "type": "message"}
        lines = [event | {"message": text} for text in ("Job enqueued.", "Training started.")]
        text = "".join(f"{json.dumps(line)}\n" for line in lines)
        world.runs.put(f"{folder}events.jsonl", text.encode())


def a_failure() -> RunRecord:
    """Return a run that was rejected for a wrong role in line 17."""
    record = a_story(Phase.VALIDATING)
    problem = Problem(
        code="training-data",
        message=f"training.jsonl, line 17: {ERROR['message']}",
        remedy=str(ERROR["fix"]),
    )
    ended = record.ended(
        Phase.REJECTED,
        Outcome.NONE,
        at=record.history[-1].at + timedelta(seconds=2),
        message=problem.message,
        error=problem,
    )
    return replace(ended, examples=1200, tokens=412_880, findings={"error": 1, "warning": 4})


def a_success() -> RunRecord:
    """Return a promoted run."""
    record = a_story(Phase.PROMOTING)
    ended = record.ended(
        Phase.SUCCEEDED,
        Outcome.PROMOTED,
        at=NOW,
        message="Promoted: shop-rrrrrrrrrrrr became the project's champion.",
        error=None,
    )
    return replace(ended, cost=COST | {"spent": 6.1932})


def keep_notifications(world: World, record: RunRecord) -> None:
    """Store what three teams were told: one has it, one is being tried, one cannot be reached."""
    names = ("NOTIFY_AUDIT", "NOTIFY_TEAM_WITH_A_LONG_NAME", "NOTIFY_ON_CALL")
    to = [Subscription(url_setting=name) for name in names]
    told = events_of(record, app_url=URL)[-1]
    taken, tried, given_up = deliveries([told], to, now=NOW - timedelta(minutes=4))
    for _ in range(12):
        given_up = given_up.failed(at=NOW, problem="request-rejected", answer="4xx", status=404)
    tried = tried.failed(at=NOW, problem="transient", answer="none")
    for each in (taken.delivered(at=NOW - timedelta(minutes=3)), tried, given_up):
        world.runs.put(each.name, each.to_payload())


def champions(world: World, *run_ids: str) -> None:
    """Make runs champion one after the other, the last one now."""
    entries = tuple(
        ChampionEntry(
            endpoint="https://shop.openai.azure.com",
            deployment=f"shop-{number}ab12cd34ef5",
            model=f"gpt-4.1-mini-2025-04-14.ft-{number}",
            base_model="gpt-4.1-mini-2025-04-14",
            run_id=run_id,
            since=NOW - timedelta(days=20 * (len(run_ids) - number)),
            settled_at=NOW - timedelta(days=20 * (len(run_ids) - number)),
            by="ann@example.com" if number else "droptune",
        )
        for number, run_id in enumerate(run_ids)
    )
    champion = Champion(
        project="shop",
        current=entries[-1],
        previous=entries[-2] if len(entries) > 1 else None,
        history=entries,
    )
    world.registry.put("shop/champion.json", dict(champion.to_document()))


def side_by_side() -> dict[str, Any]:
    """Return the answers that were compared for an approval; not everybody has answered all."""
    said = {
        "candidate": "I will start a trace today and write to you by Friday.",
        "champion": "Please wait five working days.",
        "base": "I'm sorry to hear that your parcel has not arrived. " * 4,
    }
    exchanges = [
        {"line": line, "prompt": f"Where is parcel {line}?", "expected": "I look.", "answers": said}
        for line in range(1, 8)
    ]
    lacking = {"candidate": said["candidate"]}
    exchanges[1] |= {"answers": lacking, "missing": {"champion": "not-found", "base": "transient"}}
    return {"role": "test", "exchanges": exchanges}
