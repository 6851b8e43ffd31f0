"""What must hold of every world: checks while it runs, and checks of what is left at the end."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from droptune.domain.budget import open_reservations
from droptune.domain.champion import Champion
from droptune.domain.claim import JobClaim
from droptune.domain.hosting import hosting_standings
from droptune.domain.job import JobStatus
from droptune.domain.ledger import LEDGER, RESERVED, Ledger
from droptune.domain.notifications import events_of, wants
from droptune.domain.outbox import subscriptions_of
from droptune.domain.payload import read_document
from droptune.domain.phases import Phase
from droptune.domain.registration import DatasetRecord
from droptune.domain.run import Control, RunRecord
from droptune.domain.service_errors import all_codes
from emulator.records import Deployment, Job
from simulation.datasets import CANARY
from simulation.transports import Call, Reply
from simulation.world import KEY, World

MOST_ROWS = 150
_REMEMBERED = timedelta(days=5)  # what is closed later than that may be folded into its day
_QUOTA = re.compile(r"quota|too many|at most|the most (it|there) may", re.IGNORECASE)
_BROKEN = {"step-failed", "gave-up", "record-missing", "error", "request-rejected", *all_codes()}
_REASONS = {  # the service's own end of what it was asked, not a refusal to ask
    "deployment-failed",
    "base-model-not-fine-tunable",
}
_CHAMPION = re.compile(r"([^/]+)/champion\.json")
_RUN = re.compile(r"[^/]+/([^/]+)/run\.json")
_MARK = re.compile(r"([0-9a-f]{16})(?:-(\d+))?$")


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A promise that did not hold: the check that saw it, and what it saw."""

    check: str
    said: str
    at: float

    def __str__(self) -> str:
        return f"{self.check}: {self.said} (at {self.at:.0f} s)"


@dataclass(kw_only=True)
class Witness:
    """Sees everything that passes in a world, and judges it at once."""

    world: World
    violations: list[Violation] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)
    phases: dict[str, Phase] = field(default_factory=dict)
    jobs: dict[str, dict[str, bool]] = field(default_factory=dict)
    shown: dict[str, int] = field(default_factory=dict)
    looked_at: float = 0.0
    settled: dict[str, datetime] = field(default_factory=dict)
    pointed: dict[str, str] = field(default_factory=dict)
    reserved: set[str] = field(default_factory=set)

    def accuse(self, check: str, said: str) -> None:
        """Note a violation, each once."""
        known = {(each.check, each.said) for each in self.violations}
        if (check, said) not in known:
            at = self.world.clock.passed
            self.violations.append(Violation(check=check, said=said, at=at))
            self.world.note(f"VIOLATION {check}: {said}")

    def on_call(self, call: Call, reply: Reply) -> None:
        """See a call as the service answered it."""
        if call.method == "POST" and call.path.endswith("/chat/completions"):
            if reply.status == 200:
                self.answered.add(json.loads(call.body)["model"])
        elif call.method == "POST" and call.path.endswith("/fine_tuning/jobs"):
            if reply.status == 201:
                made = self.world.state.jobs[json.loads(reply.body)["id"]]
                self._one_job(made)
                self._within_budget(made)
        elif call.method == "POST" and call.path.endswith("/files") and reply.status == 201:
            self._one_file(json.loads(reply.body)["filename"])
        elif call.method == "PUT" and "/deployments/" in call.path and reply.status < 300:
            self._hosted_within_budget(call.path.rpartition("/")[2])
        elif call.method == "DELETE" and "/deployments/" in call.path and reply.status < 300:
            self._not_needed(call.path.rpartition("/")[2])

    def on_write(self, container: str, name: str, data: bytes) -> None:
        """See a blob that the app has written."""
        if container == "registry":
            self._no_canary(f"registry {name}", data.decode())
            if found := _CHAMPION.fullmatch(name):
                self._answers(found[1], Champion.from_document(json.loads(data)))
            if name == LEDGER:
                self._keeps_account(read_document(Ledger, data))
        elif found := _RUN.fullmatch(name):
            record = json.loads(data)
            self._goes_forward(found[1], Phase(record["phase"]))
            self._keeps_jobs_end(found[1], record["job"] or {})
            if record["phase"] == Phase.CANCELLED:
                self._lets_go(record)
        if KEY.encode() in data:
            self.accuse("nothing leaks", f"a credential stands in {container} {name}")

    def on_told(self, what: str, text: str) -> None:
        """See what Durable keeps."""
        self._no_canary(f"Durable {what}", text)

    def on_log(self, text: str) -> None:
        """See what is logged."""
        self._no_canary("the log", text)

    def on_status(self, run: str, status: int, document: Any) -> None:
        """See what a reader of the status route sees."""
        if status != 200:
            return
        index = int(document["phase_index"])
        if index < self.shown.get(run, 0):
            self.accuse("status goes forward", f"{run} was shown in an earlier phase than before")
        self.shown[run] = max(index, self.shown.get(run, 0))

    def on_rest(self) -> None:
        """See the world while nothing is left to do now."""
        for instance in self.world.hub.idle():
            self.accuse("nobody waits for nothing", f"{instance} has neither timer nor work")
        for instance, rows in self.world.hub.longer_than(MOST_ROWS):
            self.accuse("history is bounded", f"{instance} has {rows} rows")
        if self._quiet_for(60):
            for name in self.world.registry.leased():
                self.accuse("leases are let go", f"{name} is leased by nobody who works")
        if self.world.clock.passed > self.looked_at + 600:
            self.looked_at = self.world.clock.passed
            self._words_are_heard()

    def _one_job(self, made: Job) -> None:
        for other in self.world.state.jobs.values():
            same = _mark(other)[0] == _mark(made)[0] and other.id != made.id
            if same and other.status not in ("failed", "cancelled"):
                said = f"{made.id} ({made.suffix}) while {other.id} is {other.status}"
                self.accuse("one job a training", said)

    def _one_file(self, name: str) -> None:
        files = self.world.state.live_files()  # what ended `error` may be sent once more
        same = [file for file in files if file.name == name and not file.problem]
        at_once = {"late", "other-worker", "blob-other-worker", "stall", "blob-stall", "blob-slow"}
        if len(same) > 1 and not at_once & set(self.world.faults.counts):
            self.accuse("one file a content", f"{name} was uploaded {len(same)} times")

    def _keeps_account(self, ledger: Ledger) -> None:
        """No writer of the ledger loses what another one has reserved."""
        oldest = (self.world.clock.now() - _REMEMBERED).strftime("%Y-%m-%d")
        for run in self.reserved - {entry.run for entry in ledger.entries}:
            self.accuse("within budget", f"what {run} reserved is in the ledger no more")
        self.reserved = {e.run for e in ledger.entries if e.state == RESERVED and e.day > oldest}

    def _within_budget(self, made: Job) -> None:
        limits = self.world.services.settings.budgets
        ledger = ledger_of(self.world)
        mark = _mark(made)[0]
        askers = [r.id for r in records(self.world) if r.training_digest.startswith(mark)]
        if not any(ledger.find(run) for run in askers):
            self.accuse("within budget", f"{made.id} was submitted, and nothing is reserved")
        day = self.world.clock.now().strftime("%Y-%m-%d")
        whose = next((r.project for r in records(self.world) if r.id in askers), None)
        for record in (r for r in records(self.world) if r.id in askers):
            self._within_the_runs_own(record, ledger)
        for scope, project, period, limit in (
            ("app_day", None, day, limits.app_day),
            ("app_month", None, day[:7], limits.app_month),
            ("project_day", whose, day, limits.project_day),
            ("project_month", whose, day[:7], limits.project_month),
        ):
            held = sum(ledger.sums(project, period)) / 1e6
            if limit is not None and held > limit + 1e-9:
                self.accuse("within budget", f"{scope}: {held} of {limit} at a submission")

    def _within_the_runs_own(self, record: RunRecord, ledger: Ledger) -> None:
        """What a run's files allow it, unless a person approved more."""
        entry, control = ledger.find(record.id), control_of(self.world, record)
        budget = (record.configuration or {}).get("pipeline", {}).get("budget", {})
        limit, held = budget.get("run_usd"), entry.micros / 1e6 if entry else 0
        approved = any(word.word == "approve" for word in control.words)
        if limit is not None and held > limit + 1e-9 and not approved:
            self.accuse("within budget", f"{record.id}: {held} of {limit} for the run")

    def _hosted_within_budget(self, name: str) -> None:
        """What bills by the hour is held before it is made; who is replaced makes room."""
        made = self.world.state.find_deployment(name)
        if made is None or not made.job_id or not _bills(made) or not self._is_asked_for(name):
            return
        limits = self.world.services.settings.budgets
        ledger = ledger_of(self.world)
        own = next((each for each in ledger.hosting if each.deployment == name), None)
        if own is None:
            self.accuse("hosting within budget", f"{name} was made, and nothing is held for it")
            return
        replaced = dict(champions(self.world)).get(own.project)
        gives_way = replaced.current.deployment if replaced else ""
        held = tuple(each for each in ledger.hosting if each.deployment != gives_way)
        sums = hosting_standings(
            replace(ledger, hosting=held),
            project=own.project,
            limits=limits,
            now=self.world.clock.now(),
        )
        for scope, each in sums.items():
            if each.limit is not None and each.reserved > each.limit + 1e-9:
                said = f"{scope}: {each.reserved} of {each.limit} when {name} was made"
                self.accuse("hosting within budget", said)

    def _is_asked_for(self, name: str) -> bool:
        """Whether a run that goes on needs it: what is made again for callers is never refused.

        A candidate that was tried is given back. A request from before that acts late, or of a
        worker that stood still, may make it again; it is deleted, which another check sees to.
        """
        given_back = name.endswith("-candidate")
        own = [
            record
            for record in records(self.world)
            if record.run_digest[:12] in name and not (given_back and record.test is not None)
        ]
        live = (record for record in own if not record.phase.is_terminal)
        return any(not control_of(self.world, record).cancelled for record in live)

    def _answers(self, project: str, champion: Champion) -> None:
        name = champion.current.deployment
        found = self.world.state.find_deployment(name)
        now = self.world.clock.now().timestamp()
        before = self.settled.get(project)
        current = champion.current
        self.settled[project] = current.settled_at
        moved = self.pointed.get(project) != name
        self.pointed[project] = name
        if not moved:
            return  # a rollback that waits for its deployment leaves the pointer where it is
        earlier = {entry.run_id for entry in champion.history[:-1]}
        back = current.by != "droptune" and current.run_id in earlier
        own = next((r for r in records(self.world) if r.id == current.run_id), None)
        wished = own is not None and own.promotion is not None
        if before is not None and current.settled_at < before and not wished and not back:
            self.accuse("champion gets newer", f"{name} knows older data than its predecessor")
        same = (each for each in self.world.state.deployments.values() if each.name == name)
        if found is None and any(each.deleted_by in ("15d", "24h") for each in same):
            return  # Azure removed it after it had answered; the sweep makes it again
        if found is None or found.state(now) != "Succeeded":
            self.accuse("champion is there", f"{project} points to {name}, which is not there")
        elif name not in self.answered:
            self.accuse("champion has answered", f"{project} points to {name}, never asked")

    def _not_needed(self, name: str) -> None:
        for project, champion in champions(self.world):
            if name in needed(champion, self.world.clock.now()):
                self.accuse("nothing needed goes", f"{name} was deleted; {project} needs it")

    def _goes_forward(self, run: str, phase: Phase) -> None:
        before = self.phases.get(run)
        if before is not None and phase is not before and not phase.may_follow(before):
            self.accuse("status goes forward", f"{run} went from {before} to {phase}")
        self.phases[run] = phase

    def _keeps_jobs_end(self, run: str, job: Mapping[str, Any]) -> None:
        """A job that was seen to have ended is not on its way again, and none comes back that
        another one has replaced."""
        if not job:
            return
        id, ended = str(job["id"]), JobStatus(str(job["status"])).is_terminal
        known = self.jobs.setdefault(run, {})
        if id in known and id != next(reversed(known)):
            self.accuse("status goes forward", f"{id} of {run} was replaced, and came back")
        if known.get(id) and not ended:
            self.accuse("status goes forward", f"{id} of {run} had ended, and went on again")
        known[id] = ended

    def _lets_go(self, record: Mapping[str, Any]) -> None:
        """A run that was cancelled leaves no job that goes on for it alone."""
        job = self.world.state.jobs.get((record["job"] or {}).get("id", ""))
        if job is None or job.is_terminal:
            return
        held = next(c for c in claims(self.world) if c.training_digest.startswith(_mark(job)[0]))
        if not set(held.holders) - {record["id"]}:
            said = f"{job.id} goes on although {record['id']} was cancelled"
            self.accuse("nothing bills without need", said)

    def _quiet_for(self, seconds: float) -> bool:
        """Whether no fault has struck for so long."""
        return self.world.clock.passed - self.world.troubled_at > seconds

    def _words_are_heard(self) -> None:
        if not self._quiet_for(2 * 3600):
            return
        since = self.world.clock.now() - timedelta(minutes=15)
        for record in records(self.world):
            said = control_of(self.world, record).cancelled
            if said and said.at < since and not record.phase.is_terminal:
                self.accuse("words are heard", f"{record.id} was cancelled and goes on")

    def _no_canary(self, where: str, text: str) -> None:
        for canary in (CANARY, KEY):
            if canary in text:
                self.accuse("nothing leaks", f"{canary} stands in {where}")


class LogWitness(logging.Handler):
    """Shows every log record to a witness, as a line of text with its traceback."""

    def __init__(self, witness: Witness) -> None:
        """Show to `witness`."""
        super().__init__(logging.INFO)
        self._witness = witness
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record."""
        extra = {k: v for k, v in vars(record).items() if k not in _STANDARD}
        self._witness.on_log(f"{self.format(record)} {extra or ''}")


_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def champions(world: World) -> Iterator[tuple[str, Champion]]:
    """Iterate over every project's champion."""
    for name, blob in world.registry.blobs.items():
        if found := _CHAMPION.fullmatch(name):
            yield found[1], Champion.from_document(json.loads(blob.data))


def needed(champion: Champion, now: datetime) -> set[str]:
    """Return the deployments that a champion's callers may still use."""
    replaced = (e for e in champion.history if e.retires_at is not None and e.retires_at > now)
    return {champion.current.deployment, *(entry.deployment for entry in replaced)}


def records(world: World) -> list[RunRecord]:
    """Return the record of every run."""
    found = (blob for name, blob in world.runs.blobs.items() if _RUN.fullmatch(name))
    return [read_document(RunRecord, blob.data) for blob in found]


def control_of(world: World, record: RunRecord) -> Control:
    """Return what people said of a run."""
    blob = world.runs.blobs.get(record.ref.control)
    return read_document(Control, blob.data) if blob else Control()


def ledger_of(world: World) -> Ledger:
    """Return what is reserved and spent."""
    blob = world.registry.blobs.get(LEDGER)
    return read_document(Ledger, blob.data) if blob else Ledger()


def claims(world: World) -> Iterator[JobClaim]:
    """Iterate over every claim on a training."""
    for name, blob in world.registry.blobs.items():
        if "/jobs/" in name:
            yield read_document(JobClaim, blob.data)


def _mark(job: Job) -> tuple[str, int]:
    found = _MARK.search(job.suffix)
    return (found[1], int(found[2] or 1)) if found else (job.suffix, 1)


def every_run_has_ended(world: World) -> Iterator[str]:
    """Every run has a record that has ended, and nothing is alive."""
    for record in records(world):
        if not record.phase.is_terminal:
            yield f"{record.id} is {record.phase}"
        if record.is_being_promoted:
            yield f"{record.id} is being promoted"
    for instance in world.hub.list_instances():
        if instance.is_live:
            yield f"{instance.id} is {instance.status}"


def present_content_has_its_run(world: World) -> Iterator[str]:
    """What lies in each folder has a run that has ended otherwise than superseded, and one alone
    for each attempt."""
    folders: dict[str, dict[str, str]] = defaultdict(dict)
    for name, blob in world.datasets.blobs.items():
        folders[name.rpartition("/")[0]][name] = blob.etag
    for folder, files in folders.items():
        if f"{folder}/training.jsonl" not in files:
            continue
        project, _, version = folder.partition("/")
        document = world.registry.blobs.get(f"{project}/datasets/{version}.json")
        known = read_document(DatasetRecord, document.data) if document else None
        if known is None or {f.name: f.etag for f in known.files} != files:
            yield f"{folder} holds what no run was registered for"
            continue
        made = [r for r in records(world) if f"{r.project}/{r.version}" == folder]
        hashes = {path: _sha256(world.datasets.blobs[path].data) for path in files}
        same = [r for r in made if {pin.name: pin.sha256 for pin in r.pins} == hashes]
        if not same:
            yield f"{folder} has no run of what lies there"
        elif all(r.phase is Phase.SUPERSEDED for r in same):
            yield f"{folder}: what lies there was only ever superseded"
        attempts = [(r.attempt, r.again, r.run_digest) for r in same]
        if len(set(attempts)) != len(attempts):
            yield f"{folder} has two runs of one attempt"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def one_job_of_each_attempt_ran(world: World) -> Iterator[str]:
    """Of each training and attempt at most one job ever ran."""
    ran: dict[tuple[str, int], list[str]] = defaultdict(list)
    for job in world.state.jobs.values():
        if job.spans:
            ran[_mark(job)].append(job.id)
    for mark, jobs in ran.items():
        if len(jobs) > 1:
            yield f"{mark} ran as {', '.join(jobs)}"


def nothing_bills_without_need(world: World) -> Iterator[str]:
    """No job goes on, and no deployment stands, that nobody needs."""
    now = world.clock.now()
    used = set[str]()
    for _, champion in champions(world):
        used |= needed(champion, now)
    for deployment in world.state.live_deployments():
        if deployment.job_id and deployment.name not in used and _bills(deployment):
            yield f"the deployment {deployment.name} ({deployment.sku}) is needed by nobody"
    for job in world.state.live_jobs():
        if not job.is_terminal:
            yield f"the job {job.id} is {job.status} and needed by nobody"


def _bills(deployment: Deployment) -> bool:
    return deployment.sku.casefold() != "developertier"


def no_file_is_left(world: World) -> Iterator[str]:
    """Once every run has ended and the night's work is done, no training file is kept."""
    for file in world.state.live_files():
        if file.name.startswith("droptune-"):
            yield f"{file.id} ({file.name}) is needed by nobody"


def quota_ended_no_run(world: World) -> Iterator[str]:
    """No run ended for a limit of the service that waiting would have cured."""
    for record in records(world):
        error = record.error
        if (
            record.phase is Phase.FAILED
            and error
            and _QUOTA.search(f"{error.code} {error.message}")
        ):
            yield f"{record.id}: {error.code}: {error.message}"


def no_step_failed(world: World) -> Iterator[str]:
    """No run ended because a step broke: what breaks passes, and what does not has a reason."""
    for record in records(world):
        error = record.error
        paused = error is not None and "has paused" in error.message  # for longer than is waited
        failed = error is not None and record.phase is Phase.FAILED
        if error and failed and not paused and error.code in _BROKEN - _REASONS:
            yield f"{record.id}: {error.code}: {error.message}"


def claims_are_let_go(world: World) -> Iterator[str]:
    """Ended runs hold no job, and no submission is without an outcome."""
    for claim in claims(world):
        if claim.holders:
            yield f"{claim.training_digest[:16]} is held by {', '.join(claim.holders)}"


def reservations_are_closed(world: World) -> Iterator[str]:
    """Ended runs hold no money."""
    open_ones = open_reservations(ledger_of(world))
    yield from (f"{run} holds a reservation" for run in open_ones)


def promoted_runs_are_champions(world: World) -> Iterator[str]:
    """Who is said to be promoted stands in the champion's history, and the champion is there."""
    held = dict(champions(world))
    for record in records(world):
        champion = held.get(record.project)
        promoted = record.outcome == "promoted"
        if promoted and (champion is None or not champion.has_held(record.id)):
            yield f"{record.id} is said to be promoted"
    for project, champion in held.items():
        if world.state.find_deployment(champion.current.deployment) is None:
            yield f"{project} points to {champion.current.deployment}, which is gone"


def notifications_arrive(world: World) -> Iterator[str]:
    """Whoever wants to hear of a run hears each of its events at least once, by one id each."""
    warranted = dict[str, tuple[str, str]]()
    for record in records(world):
        for event in events_of(record, app_url=""):
            if any(wants(each.events, event) for each in subscriptions_of(record)):
                warranted[event.id] = (event.type, event.subject)
    for id in warranted.keys() - world.receiver.taken.keys():
        yield f"nobody was told {id} ({warranted[id][0]})"
    for id, taken in world.receiver.taken.items():
        if set(taken) != {warranted.get(id)} and ":stalled-" not in id:
            yield f"{id} was told as {taken}, and is {warranted.get(id)}"


FINAL: dict[str, Callable[[World], Iterator[str]]] = {
    "every run has ended": every_run_has_ended,
    "present content has its run": present_content_has_its_run,
    "one job of each attempt ran": one_job_of_each_attempt_ran,
    "nothing bills without need": nothing_bills_without_need,
    "no file is left": no_file_is_left,
    "quota ended no run": quota_ended_no_run,
    "no step failed": no_step_failed,
    "claims are let go": claims_are_let_go,
    "reservations are closed": reservations_are_closed,
    "promoted runs are champions": promoted_runs_are_champions,
    "notifications arrive": notifications_arrive,
}
RUNNING = (
    "one job a training",
    "within budget",
    "hosting within budget",
    "champion is there",
    "champion has answered",
    "champion gets newer",
    "words are heard",
    "leases are let go",
    "one file a content",
    "nothing needed goes",
    "status goes forward",
    "nobody waits for nothing",
    "history is bounded",
    "nothing leaks",
)


def audit(witness: Witness) -> None:
    """Hold the world as it is in the end against every check."""
    for name, check in FINAL.items():
        for said in check(witness.world):
            witness.accuse(name, said)
