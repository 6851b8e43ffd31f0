"""A run waits for its turn, and turns go round the projects."""

from __future__ import annotations

import heapq
import itertools
import json
import random
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from statistics import mean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from droptune.domain.admission import (
    FORGOTTEN_AFTER,
    Answer,
    Queue,
    ask,
    ask_after,
    keep_only,
    leave,
    submitted,
)
from droptune.domain.deployment import Deployment, DeploymentState
from droptune.domain.job import FileStatus, FineTuningJob, JobStatus, TrainingFile
from droptune.domain.service_limits import (
    Observed,
    ServiceLimits,
    observe,
    observe_deployments,
    published_limits,
)
from droptune.domain.waiting_line import Ticket, Turns, in_turn
from tests.fakes.clock import START

LIMITS = ServiceLimits(
    running={"standard": 3, "developer": 5},
    queued=20,
    jobs=100,
    files=100,
    file_bytes=1 << 30,
    deployments=10,
    uploads_per_second=30,
    ahead=0,
)


def question(queue: Queue, run: str = "run-1", **said: Any) -> Answer:
    asked: dict[str, Any] = {
        "project": "bot",
        "pool": "standard",
        "files": 2,
        "size_bytes": 1000,
        "asked_at": START,
        "observed": Observed(),
        "limits": LIMITS,
        "now": START,
    }
    return ask(queue, run=run, **(asked | said))


def line(*runs: str, **said: Any) -> Queue:
    queue = Queue()
    for run in runs:
        queue = question(queue, run, **said).queue
    return queue


@pytest.mark.parametrize(
    ("position", "seconds"),
    [(1, 60), (8, 60), (16, 120), (60, 450), (120, 900), (100_000, 900)],
)
def test_who_stands_further_back_asks_more_seldom(position: int, seconds: float) -> None:
    """With four places the next eight ask every minute, and everybody each quarter of an hour."""
    assert ask_after(position, 4) == seconds
    assert timedelta(seconds=seconds) < FORGOTTEN_AFTER


def test_place_of_which_no_limit_is_known_is_asked_for_too() -> None:
    """A pool without places, which configuration may say, is no division by nothing."""
    assert ask_after(1, 0) == 60


def test_run_whose_turn_has_come_is_granted_at_once_and_again() -> None:
    """With room there is no wait, and an activity that runs twice takes one place."""
    first = question(Queue())

    again = question(first.queue)

    assert first.place.granted
    assert again.place.granted
    assert again.queue == first.queue


def test_run_that_must_wait_learns_its_place_and_reason() -> None:
    """The fourth of three waits as number one, the fifth as number two."""
    queue = line("a", "b", "c", "d")

    answer = question(queue, "e")

    assert not answer.place.granted
    assert (answer.place.position, answer.place.expected_at) == (2, None)
    assert answer.place.reason == "Number 2 of 2 in turn: there are 3 places."


def test_expected_time_is_as_long_as_the_newest_jobs_took() -> None:
    """After a job of an hour on three places, number three is expected in an hour."""
    queue = submitted(line("a", "b", "c", "d", "e", "f"), run="a", job="job-a")
    hour = START + timedelta(hours=1)
    ended = Observed(finished=frozenset({"job-a"}))

    answer = question(queue, "g", observed=ended, now=hour)

    assert answer.called == ("d",)
    assert answer.place.position == 3
    assert answer.place.expected_at == hour + timedelta(hours=1)


def test_ended_job_makes_room_whoever_asks() -> None:
    """The line moves when anybody asks, and names who was called, so that he can be woken."""
    queue = submitted(line("a", "b", "c", "d", "e"), run="b", job="job-b")

    answer = question(queue, "e", observed=Observed(finished=frozenset({"job-b"})))

    assert answer.called == ("d",)
    assert not answer.place.granted
    assert question(answer.queue, "d").place.granted


def test_job_takes_the_place_although_no_list_shows_it_yet() -> None:
    """A job that was just created counts once: in the line, then in the list."""
    queue = submitted(line("a", "b", "c"), run="a", job="job-a")

    unseen = question(queue, "d")
    seen = question(queue, "d", observed=Observed(unfinished={"job-a": "standard"}))

    assert not unseen.place.granted
    assert not seen.place.granted


def test_jobs_of_others_take_places_too() -> None:
    """Whoever else uses the account is counted as the service counts."""
    others = Observed(unfinished={"x": "standard", "y": "standard", "z": "standard"})

    assert not question(Queue(), observed=others).place.granted
    assert question(Queue(), observed=others, pool="developer").place.granted


def test_developer_training_has_places_of_its_own() -> None:
    """A full standard pool keeps nobody of the developer pool waiting, though he came later."""
    queue = line("a", "b", "c", "d")

    answer = question(queue, "e", pool="developer")

    assert answer.place.granted


def test_turns_go_round_the_projects() -> None:
    """A project's second run waits until every other project had its first."""
    queue = line("a1", "a2", "a3", "a4", "a5", project="a")
    queue = question(queue, "b1", project="b", asked_at=START + timedelta(hours=1)).queue

    freed = question(leave(queue, run="a1"), "a5", project="a")

    assert freed.called == ("b1",)


def test_run_that_left_twice_is_gone_and_its_place_free() -> None:
    """Leaving is idempotent."""
    queue = line("a", "b", "c", "d")

    left = leave(leave(queue, run="a"), run="a")

    assert left.find("a") is None
    assert question(left, "d").place.granted


def test_run_that_stays_away_is_forgotten_and_comes_back_to_its_place() -> None:
    """A dead run holds nobody up; a paused one stands where it stood, by its own record."""
    queue = line("a", "b", "c", "d", "e")
    later = START + FORGOTTEN_AFTER + timedelta(seconds=1)
    for run in ("a", "b", "c"):
        queue = question(queue, run, now=START + timedelta(minutes=1)).queue

    moved = question(queue, "f", now=later, asked_at=later)

    assert moved.queue.find("d") is None
    assert moved.place.position == 1
    back = question(moved.queue, "d", now=later)
    assert back.place.position == 1
    assert question(back.queue, "f", now=later).place.position == 2


def test_called_run_that_never_answers_loses_its_turn() -> None:
    """A place that was granted to a dead run is given on; one that was claimed is kept."""
    queue = question(line("a", "b", "c", "d"), "a", now=START + timedelta(minutes=1)).queue

    later = question(queue, "d", now=START + FORGOTTEN_AFTER + timedelta(seconds=1))

    assert later.place.granted
    assert later.queue.find("a") is not None
    assert later.queue.find("b") is None


def test_sweep_takes_out_who_is_not_alive() -> None:
    """By id, whatever state the ticket is in."""
    assert [t.run for t in keep_only(line("a", "b", "c", "d"), live={"d", "b"}).tickets] == [
        "b",
        "d",
    ]


def test_full_account_is_refused_with_a_remedy_where_nothing_can_be_deleted() -> None:
    """No place can come while the service keeps 100 jobs for ever; elsewhere one may."""
    full = Observed(finished=frozenset(f"job-{number}" for number in range(100)))

    answer = question(line("a"), "b", observed=full)
    elsewhere = question(line("a"), "b", observed=full, limits=replace(LIMITS, deletes_jobs=True))

    assert answer.refusal is not None
    assert answer.refusal.code == "no-place-for-jobs"
    assert answer.refusal.remedy
    assert answer.queue.find("b") is None
    assert elsewhere.refusal is None
    assert not elsewhere.place.granted


def test_dataset_that_can_never_fit_is_refused() -> None:
    """More than the service keeps altogether will not fit after any wait."""
    refusal = question(Queue(), size_bytes=(1 << 30) + 1).refusal

    assert refusal is not None
    assert refusal.code == "dataset-too-large"


@pytest.mark.parametrize(
    ("observed", "said"),
    [
        (Observed(files=99), "keeps 100 files"),
        (Observed(files=97), "keeps 100 files"),
        (Observed(file_bytes=1 << 30), "1.1 GB of files"),
        (Observed(file_bytes=(1 << 30) - 1500), "1.1 GB of files"),
        (Observed(finished=frozenset(map(str, range(99)))), "keeps 100 jobs"),
        (Observed(unfinished={str(n): "other" for n in range(27)}), "no more jobs at one time"),
    ],
)
def test_full_service_is_waited_for_and_named(observed: Observed, said: str) -> None:
    """Files, bytes and jobs that are promised to runs before count as taken."""
    queue = question(Queue(), "first").queue

    answer = question(queue, "second", observed=observed)

    assert not answer.place.granted
    assert said in answer.place.reason


def test_small_run_does_not_overtake_a_large_one_for_ever() -> None:
    """Who needs more room than there is keeps the next in turn behind him."""
    nearly = Observed(file_bytes=(1 << 30) - 5000)
    queue = question(Queue(), "large", size_bytes=6000, observed=nearly).queue

    assert not question(queue, "small", size_bytes=10, observed=nearly).place.granted


def test_uploads_of_one_second_are_limited() -> None:
    """No more files are let in at once than the service takes in a second."""
    wide = replace(LIMITS, running={"standard": 50}, uploads_per_second=4)
    queue = line("a", "b", limits=wide)

    assert not question(queue, "c", limits=wide).place.granted
    later = START + timedelta(seconds=1)
    assert question(queue, "c", limits=wide, now=later).place.granted


def test_places_for_deployments_are_waited_for_in_a_line_of_their_own() -> None:
    """The same turns, over the deployments that the account has."""
    ten = [
        Deployment(
            name=f"d{number}",
            model="gpt-4.1.ft-0" if number else "gpt-4.1",
            sku="Standard",
            capacity=1,
            state=DeploymentState.SUCCEEDED,
        )
        for number in range(11)
    ]
    said: dict[str, Any] = {
        "pool": "deployment",
        "files": 0,
        "size_bytes": 0,
        "limits": LIMITS.of_deployments,
    }

    full = question(Queue(), observed=observe_deployments(ten), **said)
    free = question(full.queue, observed=observe_deployments(ten[:-1]), **said)

    assert not full.place.granted
    assert free.place.granted


def test_observation_counts_jobs_by_pool_and_files_by_size() -> None:
    """Developer training is told apart by its type, whatever the spelling."""

    def job(number: int, status: JobStatus, training_type: str) -> FineTuningJob:
        return FineTuningJob(
            id=f"job-{number}",
            status=status,
            raw_status=status.value,
            model="gpt-4.1",
            training_file="f",
            created_at=START,
            training_type=training_type,
        )

    jobs = [
        job(1, JobStatus.RUNNING, "developerTier"),
        job(2, JobStatus.PENDING, "globalStandard"),
        job(3, JobStatus.SUCCEEDED, ""),
    ]
    file = TrainingFile(id="f", name="f", size_bytes=7, status=FileStatus.PROCESSED)

    seen = observe(jobs, [file, file])

    assert seen.unfinished == {"job-1": "developer", "job-2": "standard"}
    assert (seen.jobs, seen.files, seen.file_bytes) == (3, 2, 14)


def test_published_limits_are_data() -> None:
    """The documented figures are read, with nothing missing."""
    assert replace(published_limits(), ahead=0) == LIMITS


tickets = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(0, 9)), min_size=1, max_size=20
).map(
    lambda drawn: [
        Ticket(
            run=f"r{number}",
            project=project,
            pool="standard",
            files=1,
            size_bytes=1,
            asked_at=START + timedelta(seconds=second),
            seen_at=START,
        )
        for number, (project, second) in enumerate(drawn)
    ]
)


@given(tickets, st.dictionaries(st.sampled_from("abcd"), st.integers(0, 9)), st.integers(0, 9))
def test_turns_of_a_round_are_given_before_the_next(
    waiting: list[Ticket], rounds: dict[str, int], current: int
) -> None:
    """Nobody has a second turn while another waits for his first of the same round."""
    turns, places = Turns(rounds=rounds, current=current), 4

    order = in_turn(waiting, turns, places)

    assert sorted(order, key=lambda each: each.run) == sorted(waiting, key=lambda each: each.run)
    given_in = []
    for ticket in order:
        given_in.append(turns.next_round(ticket.project, places))
        rounds = {**turns.rounds, ticket.project: given_in[-1] + 1}
        turns = Turns(rounds=rounds, current=current)
    assert given_in == sorted(given_in)


@dataclass
class Service:
    """A service of jobs that last a random while, in virtual time; it refuses what is too much."""

    limits: ServiceLimits
    seed: int
    queue: Queue = field(default_factory=Queue)
    now: datetime = START
    ending: list[tuple[datetime, str]] = field(default_factory=list)
    finished: set[str] = field(default_factory=set)
    most_running: int = 0

    def observed(self) -> Observed:
        unfinished = {job: "standard" for _, job in self.ending}
        return Observed(unfinished=unfinished, finished=frozenset(self.finished))

    def start(self, run: str, chance: random.Random) -> None:
        assert len(self.ending) < self.limits.running["standard"] + self.limits.queued
        assert len(self.ending) + len(self.finished) < self.limits.jobs
        self.queue = submitted(self.queue, run=run, job=run)
        lasts = timedelta(minutes=chance.uniform(30, 90))
        heapq.heappush(self.ending, (self.now + lasts, run))
        self.most_running = max(self.most_running, len(self.ending))

    def next_end(self) -> None:
        self.now, job = heapq.heappop(self.ending)
        self.finished.add(job)


def mean_waits(projects: int, runs: int, limits: ServiceLimits, seed: int) -> dict[str, float]:
    """Let everybody drop at once; whoever asks next moves the line on. Return hours by project."""
    chance, service = random.Random(seed), Service(limits, seed)
    waiting = [(f"p{p}", f"p{p}-{r}") for p, r in itertools.product(range(projects), range(runs))]
    chance.shuffle(waiting)
    waits: dict[str, list[float]] = defaultdict(list)
    project_of = {run: project for project, run in waiting}

    def ask_for(run: str) -> None:
        answer = question(
            service.queue,
            run,
            project=project_of[run],
            observed=service.observed(),
            limits=service.limits,
            now=service.now,
        )
        assert answer.refusal is None
        service.queue = answer.queue
        for called in (*answer.called, *([run] if answer.place.granted else [])):
            if (ticket := service.queue.find(called)) and not ticket.job:
                hours = (service.now - START).total_seconds() / 3600
                waits[project_of[called]].append(hours)
                service.start(called, chance)

    for _, run in waiting:
        ask_for(run)
    while service.ending:
        service.next_end()
        alive = [ticket for ticket in service.queue.tickets if ticket.waits]
        service.queue = replace(
            service.queue,
            tickets=tuple(replace(each, seen_at=service.now) for each in service.queue.tickets),
        )
        if alive:
            ask_for(chance.choice(alive).run)
    assert sum(map(len, waits.values())) == projects * runs
    assert service.most_running == limits.running["standard"] + limits.ahead
    return {project: mean(each) for project, each in waits.items()}


@pytest.mark.parametrize("seed", [1, 2])
def test_four_projects_wait_equally_long_within_every_limit(seed: int) -> None:
    """4 x 20 runs under the real limits: no refusal, and mean waits within a fifth."""
    waits = mean_waits(4, 20, replace(LIMITS, ahead=1), seed)

    assert max(waits.values()) / min(waits.values()) <= 1.2


def test_fifty_projects_wait_equally_long() -> None:
    """50 x 20 runs with a raised limit of jobs: mean waits within a fifth."""
    waits = mean_waits(50, 20, replace(LIMITS, ahead=1, jobs=10**6), 3)

    assert max(waits.values()) / min(waits.values()) <= 1.2


def test_document_survives_storage() -> None:
    """What is written is what is read."""
    queue = submitted(line("a", "b", "c", "d"), run="a", job="job-a")

    assert Queue.from_payload(json.loads(json.dumps(queue.to_payload()))) == queue
