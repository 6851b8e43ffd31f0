"""An installation in memory, and datasets to drop into it; everything has a default."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from activities.run_records import RunRecords
from activities.runs import Register
from activities.training_files import upload_training_file
from droptune.domain.budget import BudgetLimits
from droptune.domain.champion import Champion, ChampionEntry
from droptune.domain.claim import JobClaim
from droptune.domain.configuration import Ceilings
from droptune.domain.dataset import DatasetRef
from droptune.domain.errors import TransientError
from droptune.domain.job import FineTuningJob
from droptune.domain.phases import Phase
from droptune.domain.registration import Cause, Registration, RunRequest
from droptune.domain.run import RunRecord, RunRef, Word
from droptune.domain.service_limits import ServiceLimits, published_limits
from droptune.domain.steps import Later, Policy, StepRequest
from tests.fakes import (
    CrashError,
    FakeBlobStore,
    FakeClock,
    FakeFineTuning,
    FakeOrchestrations,
    FakeResourceManager,
    Fuse,
)

MODEL = "gpt-4.1-mini-2025-04-14"
ENDPOINT = "https://fake.openai.azure.com/"
SHOP = DatasetRef(project="shop", version="v1")


def an_example(number: int = 0, answer: str = "An answer.") -> dict[str, Any]:
    """Return a chat example."""
    said = [("system", "Be kind."), ("user", f"Question {number}?"), ("assistant", answer)]
    return {"messages": [{"role": role, "content": content} for role, content in said]}


def examples(count: int = 12, *, answer: str = "An answer.") -> str:
    """Return so many chat examples as JSONL."""
    return "".join(json.dumps(an_example(i, answer)) + "\n" for i in range(count))


def a_job_file(**pipeline: Any) -> str:
    """Return a fine-tune-job.yaml (JSON is YAML) with a block `pipeline`."""
    return json.dumps({"model": MODEL, "pipeline": pipeline})


def an_entry(run_id: str = "shop-v0-00000000", **changes: Any) -> ChampionEntry:
    """Return an entry of a champion's history."""
    clock = FakeClock()
    clock.advance(-3600)
    values: dict[str, Any] = {
        "endpoint": ENDPOINT,
        "deployment": "shop-aaaaaaaaaaaa",
        "model": f"{MODEL}.ft-0-aaaa",
        "base_model": MODEL,
        "run_id": run_id,
        "since": clock.now(),
        "settled_at": clock.now(),
        "sku": "GlobalStandard",
        "capacity": 50,
    }
    return ChampionEntry(**values | changes)


PRODUCTION = {
    "deploy": {"production": {"sku": "GlobalStandard", "capacity": 50}},
    "budget": {"hosting_usd_month": 2000},
}


A_COST = {
    "currency": "USD",
    "low": 0.5,
    "estimate": 1.0,
    "high": 1.5,
    "epochs_low": 2,
    "epochs_high": 3,
    "training_tokens": 100_000,
    "training_usd_per_million": 5.0,
    "hosting_month": 1224.0,
    "candidate_month": 1224.0,
}


@dataclass(kw_only=True)
class World:
    """Containers, Azure and a clock, and the activities' way to them."""

    clock: FakeClock = field(default_factory=FakeClock)
    policy: Policy = field(default_factory=Policy)
    ceilings: Ceilings = field(default_factory=Ceilings)
    budgets: BudgetLimits = field(default_factory=BudgetLimits)
    service_limits: ServiceLimits = field(default_factory=published_limits)

    def __post_init__(self) -> None:
        """Begin empty, as installed."""
        self.datasets = FakeBlobStore(self.clock)
        self.runs = FakeBlobStore(self.clock)
        self.registry = FakeBlobStore(self.clock)
        self.azure_openai = FakeFineTuning(self.clock)
        self.resource_manager = FakeResourceManager(self.clock)
        self.orchestrations = FakeOrchestrations()
        self.registry.put("_installed.json", "{}")

    def kill_at(self, point: int) -> Fuse:
        """Let the worker die once, at the n-th point between two effects from now on."""
        fuse = Fuse(point)
        self._arm(fuse)
        return fuse

    def survive(self) -> None:
        """Let no worker die any more."""
        self._arm(None)

    def _arm(self, fuse: Fuse | None) -> None:
        self.datasets.fuse = self.runs.fuse = self.registry.fuse = fuse
        self.azure_openai.fuse = self.resource_manager.fuse = fuse

    @property
    def records(self) -> RunRecords:
        """The runs' records."""
        return RunRecords(self.runs, self.clock)

    @property
    def register(self) -> Register:
        """What finds or creates a run."""
        return Register(
            datasets=self.datasets,
            registry=self.registry,
            records=self.records,
            clock=self.clock,
            policy=self.policy,
            ceilings=self.ceilings,
        )

    def drop(
        self, dataset: DatasetRef = SHOP, *, job: str | None = None, **files: str | bytes
    ) -> DatasetRef:
        """Write a dataset's files; by default training data and a job file."""
        named = {"training": examples()} | files
        for role, data in named.items():
            self.datasets.put(f"{dataset.prefix}{role}.jsonl", data)
        self.datasets.put(f"{dataset.prefix}fine-tune-job.yaml", job or a_job_file())
        return dataset

    def wish(self, dataset: DatasetRef = SHOP, **wish: Any) -> Registration:
        """Wish for a run of a dataset."""
        return self.register(RunRequest(dataset=dataset, **wish))

    def repeat(self, run: RunRecord, cause: Cause = Cause.RETRY) -> RunRecord:
        """Repeat a run and return the new one."""
        return self.run_of(self.wish(run.dataset, cause=cause, repeats=run.id))

    def run_of(self, registration: Registration) -> RunRecord:
        """Return the record of the run that a registration names."""
        assert registration.run is not None, registration
        return self.records.get(registration.run)

    def a_run(
        self, dataset: DatasetRef = SHOP, *, job: str | None = None, **files: str | bytes
    ) -> RunRecord:
        """Drop a dataset and return its run, so old that money may be spent."""
        run = self.run_of(self.wish(self.drop(dataset, job=job, **files)))
        self.clock.advance(self.policy.submit_after_seconds)
        return run

    def a_ready_run(self, dataset: DatasetRef = SHOP, **drop: Any) -> RunRecord:
        """Return a run that is validated and uploaded: next comes its job."""
        run = self.at(self.a_run(dataset, **drop), cost=A_COST, examples=12, tokens=500)
        for role in ("training", "validation"):
            if run.content.get(role):
                self.ask(upload_training_file, run, role)
        return self.now(run)

    def at(self, run: RunRecord, **changes: Any) -> RunRecord:
        """Change a run's record."""
        return self.records.update(run.ref, lambda r: replace(r, **changes))

    def now(self, run: RunRecord | RunRef) -> RunRecord:
        """Return a run's record as it is now."""
        return self.records.get(RunRef(project=run.project, id=run.id))

    def say(self, run: RunRecord, word: str, *, about: str = "", reason: str = "") -> None:
        """Write a person's word into the run's control document."""
        said = Word(word=word, at=self.clock.now(), by="Ada", reason=reason, about=about)
        control = self.records.control(run.ref).with_word(said)
        self.runs.put(run.ref.control, json.dumps(control.to_payload()))

    def ask(
        self, activity: Callable[..., Any], run: RunRecord, about: str = "", *, polls: int = 0
    ) -> Any:
        """Run an activity for a run, with the services that it asks for."""
        return self.call(activity, StepRequest(run=run.ref, about=about, polls=polls))

    def call(self, activity: Callable[..., Any], *request: Any) -> Any:
        """Run an activity with the services that it asks for."""
        wanted = inspect.signature(activity).parameters.values()
        services = {
            p.name: getattr(self, p.name)
            for p in wanted
            if p.kind is p.KEYWORD_ONLY and p.default is p.empty
        }
        return activity(*request, **services)

    def claim(self, run: RunRecord) -> JobClaim:
        """Return the claim on a run's training."""
        data = self.registry.data(f"{run.project}/jobs/{run.training_digest}.json")
        return JobClaim.from_payload(json.loads(data))

    def champion(self, project: str = "shop") -> Champion | None:
        """Return a project's champion."""
        blob = self.registry.blobs.get(f"{project}/champion.json")
        return Champion.from_document(json.loads(blob.data)) if blob else None

    def crown(self, entry: ChampionEntry, *, project: str = "shop", **more: Any) -> Champion:
        """Make an entry the champion, with its deployment, as if it always had been."""
        champion = Champion(project=project, current=entry, history=(entry,), **more)
        document = json.dumps(dict(champion.to_document()))
        self.registry.put(f"{project}/champion.json", document)
        return champion

    def only_job(self) -> FineTuningJob:
        """Return the one job that there is."""
        [job] = self.azure_openai.jobs.values()
        return job

    def ended(self, run: RunRecord, phase: Phase = Phase.FAILED) -> RunRecord:
        """End a run without letting go of anything."""
        return self.at(run, phase=phase, ended_at=self.clock.now())


def until_done(world: World, ask: Callable[[], Any]) -> Any:
    """Ask again, as the step does, until the answer is not "later"; time passes in between.

    A worker that dies is followed by another.
    """
    for _ in range(50):
        try:
            answer = ask()
        except (TransientError, CrashError):
            answer = Later(seconds=5)
        if not isinstance(answer, Later):
            return answer
        world.clock.advance(max(answer.seconds, 5))
    raise AssertionError("the step never answers")
