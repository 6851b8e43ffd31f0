"""Faults planted in the product, one at a time: what is broken, and how.

Each replaces one attribute of one of the app's modules by a broken variant, for as long as a world
runs; the app itself has no hook for it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

from simulation.world import load_function_app

Broken = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True)
class Plant:
    """One fault.

    Attributes:
        place: module and dotted attribute.
        broken: returns the broken variant of what stands there.
        profile: the profile in whose schedules it shows.
        also: what else is broken with it, where two things guard the same promise.
    """

    name: str
    place: tuple[str, str]
    broken: Broken
    profile: str
    also: Plant | None = None

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Break the product, and mend it again."""
        load_function_app()  # it cannot be imported without settings
        with self._replaced(), self.also.planted() if self.also else nullcontext():
            yield

    @contextmanager
    def _replaced(self) -> Iterator[None]:
        module, dotted = self.place
        *path, attribute = dotted.split(".")
        owner: Any = importlib.import_module(module)
        for each in path:
            owner = getattr(owner, each)
        whole = owner.__dict__[attribute]
        setattr(owner, attribute, self.broken(whole))
        try:
            yield
        finally:
            setattr(owner, attribute, whole)


def _always(value: Any) -> Broken:
    return lambda whole: lambda *_, **__: value


def _without_lease(whole: Any) -> Any:
    @contextmanager
    def held(registry: Any, record: Any) -> Iterator[Any]:
        claims = importlib.import_module("activities.claims")
        name = f"{record.project}/jobs/{record.training_digest}.json"
        claims._ensure(registry, name, record.training_digest)
        blob = registry.find(name)
        claim = claims.read_document(claims.JobClaim, blob.data)
        yield claims.HeldClaim(claim=claim, _store=registry, _name=name, _lease=None)

    return held


def _never_released(whole: Any) -> Any:
    class Keeping:
        def __init__(self, store: Any) -> None:
            self._store = store

        def __getattr__(self, name: str) -> Any:
            return getattr(self._store, name)

        def release_lease(self, name: str, lease: str) -> None:
            return None

    return lambda registry, record: whole(Keeping(registry), record)


def _posted_twice(whole: Any) -> Any:
    def create_job(self: Any, request: Any) -> Any:
        errors = importlib.import_module("droptune.domain.errors")
        try:
            return whole(self, request)
        except errors.OutcomeUnknownError:
            return whole(self, request)

    return create_job


def _unconditional(whole: Any) -> Any:
    def update(self: Any, ref: Any, change: Any, *, known: Any = None) -> Any:
        changed = change(known) if known is not None else change(self.get(ref))
        module = importlib.import_module("activities.run_records")
        self.store.write(ref.record, module.dump(changed.to_payload()))
        return changed

    return update


def _not_asked(whole: Any) -> Any:
    def test_deployment(context: Any, run: Any, purpose: str, promotion: int = 0) -> Any:
        return None
        yield

    return test_deployment


def _timer_kept(whole: Any) -> Any:
    def sleep(context: Any, seconds: float) -> Any:
        steps = importlib.import_module("orchestrators.steps")
        duration = min(steps.timedelta(seconds=max(seconds, 0.05)), steps.LONGEST_SLEEP)
        timer = context.create_timer(context.current_utc_datetime + duration)
        yield context.task_any([timer, context.wait_for_external_event(steps.WAKE)])

    return sleep


def _never_anew(whole: Any) -> Any:
    def ask_until_answered(context: Any) -> Any:
        steps = importlib.import_module("orchestrators.steps")
        question = context.get_input() or {}
        if question.get("wait"):
            yield from steps.sleep(context, question["wait"])
        while True:
            answer = yield from steps._call(context, question["step"], question["request"])
            if "later" not in answer:
                return answer
            due = context.current_utc_datetime + steps.timedelta(seconds=answer["later"])
            yield context.create_timer(due)

    return ask_until_answered


def _older_too(whole: Any) -> Any:
    def succeed(champion: Any, entry: Any, **more: Any) -> Any:
        if champion is None or champion.has_held(entry.run_id):
            return whole(champion, entry, **more)
        module = importlib.import_module("droptune.domain.champion")
        return module._replaced(champion, entry, more["rollback"])

    return succeed


def _created_anyway(whole: Any) -> Any:
    def create(self: Any, record: Any) -> bool:
        module = importlib.import_module("activities.runs")
        self._records.store.write(record.ref.record, module.dump(record.to_payload()))
        self._list(record)
        return True

    return create


def _quoting(whole: Any) -> Any:
    def refuse(self: Any, record: Any, ended: Any) -> Any:
        whole(self, record, ended)
        return ended

    return refuse


def _logging(whole: Any) -> Any:
    def upload(record: Any, role: Any, datasets: Any, *more: Any) -> Any:
        logging = importlib.import_module("logging")
        module = importlib.import_module("activities.training_files")
        data = module.open_data(datasets, record.pins_of(role)).read()
        logging.getLogger("droptune").info("uploading %s", data)
        return whole(record, role, datasets, *more)

    return upload


def _loser_takes_all(whole: Any) -> Any:
    def change_document(store: Any, name: str, kind: Any, change: Any) -> Any:
        module = importlib.import_module("activities.run_records")
        present, _ = module.load_document(store, name, kind)
        changed = change(present)
        if changed is not None:
            store.write(name, module.dump(changed.to_payload()))
        return changed

    return change_document


def _unlimited(whole: Any) -> Any:
    def reserve(ledger: Any, *, limits: Any, **more: Any) -> Any:
        return whole(ledger, limits=type(limits)(), **more)

    return reserve


def _app_alone(whole: Any) -> Any:
    def reserve(ledger: Any, *, limits: Any, **more: Any) -> Any:
        lifted = replace(limits, run=None, project_day=None, project_month=None)
        return whole(ledger, limits=lifted, **more)

    return reserve


def _first_look(whole: Any) -> Any:
    @wraps(whole)
    def look_at_dataset(*about: Any, **more: Any) -> Any:
        look = whole(*about, **more)
        unsettled = getattr(look, "state", "") == "unsettled"
        return replace(look, state="settled") if unsettled else look

    return look_at_dataset


def _only_broken(whole: Any) -> Any:
    return lambda status: status >= 500


def _keeping(whole: Any) -> Any:
    def delete(self: Any, name: str) -> None:
        return None

    return delete


def _at_once(whole: Any) -> Any:
    """Delete the predecessor although callers may still use it."""

    def deployments_in_use(self: Any, now: Any) -> frozenset[str]:
        return frozenset({self.current.deployment})

    return deployments_in_use


def _current_alone(whole: Any) -> Any:
    """Keep for nobody but the champion of the moment."""
    return lambda champion, now, policy: {champion.current.deployment}


def _forgetting(whole: Any) -> Any:
    def intending(self: Any, run: str, number: int, at: Any) -> Any:
        return replace(self, holders=(*self.holders, run))

    return intending


def _known_alone(whole: Any) -> Any:
    """Find the file that the record names, and none that was sent before a crash or by others."""

    def find(record: Any, role: Any, azure_openai: Any) -> Any:
        known = record.files.get(role.value)
        return azure_openai.find_file(known) if known else None

    return find


def _renamed(whole: Any) -> Any:
    """Let an event's id depend on when its record was changed last."""

    def event(record: Any, *about: Any, key: str, **more: Any) -> Any:
        return whole(record, *about, key=f"{key}-{record.updated_at:%H%M%S}", **more)

    return event


def _plant(
    name: str,
    module: str,
    attribute: str,
    broken: Broken,
    profile: str,
    also: Plant | None = None,
) -> Plant:
    place = (module, attribute)
    return Plant(name=name, place=place, broken=broken, profile=profile, also=also)


JOBS, RECORDS = "activities.fine_tuning_jobs", "activities.run_records"
CLAIM, STEPS = "droptune.domain.claim", "orchestrators.steps"
OPENAI = "droptune.adapters.azure_openai"

PLANTS: tuple[Plant, ...] = (
    _plant("a paid job is not adopted", JOBS, "_adopt", _always(None), "twins"),
    _plant("submission is not serialised", JOBS, "held", _without_lease, "workers"),
    _plant("the intent is not written", CLAIM, "JobClaim.intending", _forgetting, "submission"),
    _plant(
        "an unknown outcome is not waited for",
        CLAIM,
        "JobClaim.outcome_unknown_for",
        _always(0.0),
        "submission",
    ),
    _plant(
        "the POST is repeated", OPENAI, "AzureOpenAIService.create_job", _posted_twice, "submission"
    ),
    _plant("the lease is not released", JOBS, "held", _never_released, "calm"),
    _plant(
        "the record is written without if_match",
        RECORDS,
        "RunRecords.update",
        _unconditional,
        "workers",
    ),
    _plant(
        "a run is created although it is there",
        "activities.runs",
        "Register._create",
        _created_anyway,
        "workers",
    ),
    _plant(
        "the sweep finds no new dataset", "activities.sweeps", "find_new", _always([]), "events"
    ),
    _plant("the sweep finds no open run", "activities.sweeps", "find_live", _always([]), "hub"),
    _plant(
        "the deployment is not asked before it is promoted",
        STEPS,
        "test_deployment",
        _not_asked,
        "calm",
        also=_plant("", "activities.promotions", "look_once_more", _always(None), "calm"),
    ),
    _plant(
        "an older dataset is promoted", "activities.promotions", "succeed", _older_too, "promotions"
    ),
    _plant("a timer is not cancelled", STEPS, "sleep", _timer_kept, "words"),
    _plant(
        "the control document is not read",
        RECORDS,
        "RunRecords.control",
        lambda whole: _no_control,
        "words",
    ),
    _plant("history is never begun anew", STEPS, "ask_until_answered", _never_anew, "limits"),
    _plant("the service's words travel", RECORDS, "RunRecords.refuse", _quoting, "service"),
    _plant("training data is logged", "activities.training_files", "_upload", _logging, "calm"),
    _plant("nothing is reserved", "activities.approvals", "reserve", _always(None), "calm"),
    _plant(
        "limits of the budget are not looked at",
        "droptune.domain.budget",
        "reserve",
        _unlimited,
        "limits",
    ),
    _plant("a run's end is not written", "activities.endings", "_close", _always(None), "calm"),
    _plant(
        "busy is taken for a no",
        "droptune.adapters.failures",
        "is_transient",
        _only_broken,
        "answers",
    ),
    _plant("files are not deleted", OPENAI, "AzureOpenAIService.delete_file", _keeping, "calm"),
    _plant(
        "deployments are not deleted",
        "droptune.adapters.resource_manager",
        "RequestsResourceManager.delete_deployment",
        _keeping,
        "promotions",
    ),
    _plant("a cancelled run's job goes on", "activities.releases", "_stop", _always(True), "words"),
    _plant(
        "replaced champions go at once",
        "droptune.domain.champion",
        "Champion.deployments_in_use",
        _at_once,
        "promotions",
        also=_plant("", "droptune.domain.retention", "_in_use", _current_alone, "promotions"),
    ),
    _plant(
        "what was uploaded is not looked for",
        "activities.training_files",
        "_find",
        _known_alone,
        "twins",
    ),
    _plant(
        "the ledger is written without if_match",
        "activities.money",
        "change_document",
        _loser_takes_all,
        "contended",
    ),
    _plant(
        "budgets of run and project are not looked at",
        "droptune.domain.budget",
        "reserve",
        _app_alone,
        "budgets",
    ),
    _plant(
        "hosting is not held", "activities.deployments", "hold_hosting", _always(None), "hosting"
    ),
    _plant(
        "limits of hosting are not looked at",
        "droptune.domain.hosting",
        "hold_hosting",
        _unlimited,
        "hosting",
    ),
    _plant(
        "the first look at a folder is taken for the last",
        "function_app",
        "look_at_dataset",
        _first_look,
        "orders",
    ),
    _plant(
        "what the outbox lacks is not put in",
        "function_app",
        "put_missing",
        _always(None),
        "notifications",
    ),
    _plant(
        "an event's id changes with its record",
        "droptune.domain.notifications",
        "_event",
        _renamed,
        "notifications",
    ),
)


def _no_control(self: Any, ref: Any) -> Any:
    return importlib.import_module("droptune.domain.run").Control()


NAMES: Mapping[str, Plant] = {plant.name: plant for plant in PLANTS}
