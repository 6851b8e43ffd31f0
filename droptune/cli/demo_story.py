"""What the demo tells before its first act and after its last."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from droptune.cli.app_client import Document
from droptune.cli.demo_acts import OWN_JOB_FILE, Stage
from droptune.cli.given import sort_given
from droptune.cli.ledger import read_ledger
from droptune.cli.storage import read_json
from droptune.cli.terminal import Terminal, money
from droptune.cli.validation_report import make_document
from droptune.domain.payload import Payload
from droptune.domain.report.wording import number_of

_SHORTEST_SHOWN_SECONDS = 0.05


def tell_price(folder: Path, terminal: Terminal) -> None:
    """Say first that nothing here is Azure, and what the same would cost there."""
    given = sort_given([folder, *([] if _has_job_file(folder) else [OWN_JOB_FILE])])
    document, _ = make_document(given)
    terminal.say(
        "A stand-in on your machine: nothing here is Azure and nothing is billed. "
        f"{_price(document.get('cost') or {})}",
        "bold",
    )


def _has_job_file(folder: Path) -> bool:
    return (folder / "fine-tune-job.yaml").is_file()


def _price(cost: Payload) -> str:
    low, high, hosting = cost.get("low"), cost.get("high"), cost.get("hosting_month")
    if high is None:
        return str(cost.get("message") or "What the same would cost on Azure is not known.")
    training = money(high) if low in (None, high) else f"{money(low)} to {money(high)}"
    held = f" and {money(hosting)} for 30 days of hosting" if hosting else ""
    as_of = f" (prices of {cost['as_of']})" if cost.get("as_of") else ""
    return f"On Azure the same would cost {training} for training{held}{as_of}."


def tell_ending(stage: Stage, status: Document) -> None:
    """Say what came of it: report, cost, loss, deployment, answers, addresses, and the time."""
    record = read_json(
        stage.app.storage_connection_string,
        "runs",
        f"{status['project']}/{status['id']}/run.json",
    )
    stage.terminal.say("\nWhat came of it", "bold")
    for label, text in _ending(stage, status, record):
        stage.terminal.say(f"  {label:<18} {text}")
    stage.terminal.say("\nWhere the time went", "bold")
    for label, seconds in _times(stage, record):
        stage.terminal.say(f"  {label:<18} {seconds:5.1f} s")


def _ending(stage: Stage, status: Document, record: Payload) -> Iterator[tuple[str, str]]:
    dataset, test = status["dataset"], record.get("test") or {}
    found, ledger = dataset["findings"], read_ledger(stage.app.emulator_url)
    yield (
        "report",
        f"{number_of(found['error'], 'error')}, {number_of(found['warning'], 'warning')}",
    )
    yield (
        "data",
        f"{number_of(dataset['examples'], 'example')}, {number_of(dataset['tokens'], 'token')}",
    )
    yield "cost", _cost(status["cost"])
    yield "ledger", _ledger(ledger, stage.app.time_scale)
    yield "training loss", _loss(stage.client.get("runs", status["id"], "metrics"))
    yield "outcome", f"{status['outcome']}: {status['message']}"
    yield "deployment", _name(status)
    yield "question", str(test.get("prompt"))
    yield "candidate", str(test.get("answer"))
    yield "base model", str(test.get("base_answer"))


def _name(status: Document) -> str:
    return str((status["champion"] or {}).get("deployment") or status["deployment"]["name"])


def _cost(cost: Document) -> str:
    spent, high = cost.get("spent"), cost.get("high")
    said = f"{money(spent)} for training" if isinstance(spent, int | float) else "nothing yet"
    return f"{said}; the estimate was at most {money(high)}" if high is not None else said


def _ledger(ledger: Document, time_scale: float) -> str:
    """Return what everything that was made would have cost, and for what."""
    jobs, made = ledger["jobs"], ledger["deployments"]
    training, hosting = (sum(each["usd"] for each in those) for those in (jobs, made))
    hours = sum(each["billed_hours"] for each in made if each["usd"])
    return (
        f"{money(training)} for {number_of(len(jobs), 'job')} and {money(hosting)} for "
        f"{hours:.2f} h of hosting, at {time_scale:g} times the real pace"
    )


def _loss(metrics: Document) -> str:
    losses = [step["train_loss"] for step in metrics["steps"] if "train_loss" in step]
    if not losses:
        return "not reported"
    return f"{losses[0]:.3f} at the first step, {losses[-1]:.3f} at step {len(losses)}"


def _times(stage: Stage, record: Payload) -> Iterator[tuple[str, float]]:
    """Yield how long each phase of the run took, and the whole demo."""
    entered = [(change["phase"], _time(change["at"])) for change in record.get("history", ())]
    for (phase, at), (_, until) in pairwise(entered):
        if (seconds := (until - at).total_seconds()) >= _SHORTEST_SHOWN_SECONDS:
            yield phase, seconds
    yield "host away", stage.back_after
    yield "all of the demo", stage.elapsed()


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
