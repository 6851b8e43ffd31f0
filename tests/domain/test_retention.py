"""What nobody needs goes; what a run, a champion or its predecessor needs stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from droptune.domain.champion import Champion, ChampionEntry
from droptune.domain.deployment import Deployment, DeploymentState
from droptune.domain.identity import file_name, job_suffix
from droptune.domain.job import FileStatus, FineTuningJob, JobStatus, TrainingFile
from droptune.domain.phases import TERMINAL, Phase
from droptune.domain.promotion import Promotion
from droptune.domain.retention import Deletion, Estate, RetentionPolicy, deletions, giving_way
from droptune.domain.run import RunRecord
from tests.domain.records import a_record
from tests.fakes.clock import START

NOW = START + timedelta(days=30)
LONG_AGO = START
POLICY = RetentionPolicy(kept_jobs=1)


def digest(number: int) -> str:
    return f"{number:012x}" * 6


def a_run(number: int = 1, phase: Phase = Phase.SUCCEEDED, **fields: Any) -> RunRecord:
    defaults: dict[str, Any] = {
        "id": f"bot-v{number}-{digest(number)[:8]}",
        "run_digest": digest(number),
        "training_digest": digest(number + 1000),
        "content": {"training": digest(number)},
        "ended_at": LONG_AGO if phase in TERMINAL else None,
    }
    return replace(a_record(phase), **(defaults | fields))


ASKED = Promotion(attempt=1, by="Ada", asked_at=NOW)


def a_deployment(number: int = 1, **fields: Any) -> Deployment:
    defaults: dict[str, Any] = {
        "name": f"bot-{digest(number)[:12]}",
        "model": f"gpt-4.1.ft-{number}",
        "sku": "Standard",
        "capacity": 1,
        "state": DeploymentState.SUCCEEDED,
        "created_at": LONG_AGO,
    }
    return Deployment(**(defaults | fields))


def a_job(number: int = 1, status: JobStatus = JobStatus.SUCCEEDED, **fields: Any) -> FineTuningJob:
    defaults: dict[str, Any] = {
        "id": f"ftjob-{number}",
        "status": status,
        "raw_status": status.value,
        "model": "gpt-4.1",
        "training_file": f"file-{number}",
        "created_at": LONG_AGO + timedelta(minutes=number),
        "suffix": job_suffix("support", digest(number + 1000)),
        "fine_tuned_model": f"gpt-4.1.ft-{number}" if status is JobStatus.SUCCEEDED else None,
    }
    return FineTuningJob(**(defaults | fields))


def a_file(number: int = 1, **fields: Any) -> TrainingFile:
    defaults: dict[str, Any] = {
        "id": f"file-{number}",
        "name": file_name("training", digest(number)),
        "size_bytes": 10,
        "status": FileStatus.PROCESSED,
        "created_at": LONG_AGO,
    }
    return TrainingFile(**(defaults | fields))


def an_entry(number: int, *, since: datetime = LONG_AGO) -> ChampionEntry:
    return ChampionEntry(
        endpoint="https://e",
        deployment=f"bot-{digest(number)[:12]}",
        model=f"gpt-4.1.ft-{number}",
        base_model="gpt-4.1",
        run_id=a_run(number).id,
        since=since,
        settled_at=since,
    )


def a_champion(current: int, previous: int | None = None, **fields: Any) -> Champion:
    return Champion(
        project=f"p{current}",
        current=an_entry(current, since=fields.pop("since", LONG_AGO)),
        previous=an_entry(previous) if previous is not None else None,
        **fields,
    )


def gone(estate: Estate, policy: RetentionPolicy = POLICY) -> list[tuple[str, str]]:
    return [(each.what, each.name) for each in deletions(estate, now=NOW, policy=policy)]


def test_deployment_of_an_ended_run_that_is_no_champion_goes_with_a_reason() -> None:
    """It bills by the hour and nobody calls it."""
    run = a_run(phase=Phase.REJECTED)

    found = deletions(Estate(deployments=[a_deployment()], records=[run]), now=NOW)

    assert found == (
        Deletion(
            what="deployment",
            name=a_deployment().name,
            why=f"The run {run.id} has ended (rejected), and no champion uses it.",
            run=run.id,
        ),
    )


@pytest.mark.parametrize(
    "estate",
    [
        Estate(deployments=[a_deployment()], records=[a_run(phase=Phase.TESTING)]),
        Estate(deployments=[a_deployment()], records=[a_run(promotion=ASKED)]),
        Estate(deployments=[a_deployment()], records=[a_run()], champions=[a_champion(1)]),
        Estate(
            deployments=[a_deployment()],
            records=[a_run()],
            champions=[a_champion(2, previous=1, since=NOW - timedelta(hours=47))],
        ),
        Estate(
            deployments=[a_deployment()],
            records=[a_run()],
            champions=[a_champion(2, previous=1, keep_previous_until=NOW + timedelta(seconds=1))],
        ),
        Estate(
            deployments=[a_deployment(name=f"{a_deployment().name}-1")],
            records=[a_run()],
            champions=[a_champion(1)],
        ),
        Estate(
            deployments=[a_deployment(created_at=NOW - timedelta(minutes=59))], records=[a_run()]
        ),
        Estate(deployments=[a_deployment()], records=[a_run(ended_at=NOW - timedelta(minutes=59))]),
        Estate(deployments=[a_deployment(state=DeploymentState.DELETING)], records=[a_run()]),
        Estate(deployments=[a_deployment()]),
        Estate(deployments=[a_deployment(name="somebody-elses")], records=[a_run()]),
    ],
    ids=[
        "live-run",
        "being-promoted",
        "champion",
        "predecessor-in-time",
        "predecessor-kept-until",
        "champion-made-again",
        "young",
        "just-ended",
        "going-already",
        "run-unknown",
        "somebody-elses",
    ],
)
def test_deployment_that_is_needed_or_not_ours_stays(estate: Estate) -> None:
    """Each reason to stay is enough by itself."""
    assert gone(estate) == []


def test_pointer_says_how_long_its_predecessor_stays() -> None:
    """A project may want it shorter than the installation's default."""
    since = NOW - timedelta(hours=2)
    champion = a_champion(
        2, previous=1, since=since, keep_previous_until=since + timedelta(hours=1)
    )
    estate = Estate(deployments=[a_deployment()], records=[a_run()], champions=[champion])

    assert gone(estate) == [("deployment", a_deployment().name)]


def test_predecessor_goes_when_its_time_is_over() -> None:
    """Its model is kept, so that a rollback can deploy it again."""
    champion = a_champion(2, previous=1, since=NOW - timedelta(hours=49))
    estate = Estate(
        deployments=[a_deployment()], jobs=[a_job()], records=[a_run()], champions=[champion]
    )

    assert gone(estate, RetentionPolicy(kept_jobs=0)) == [("deployment", a_deployment().name)]


def test_file_goes_once_no_live_run_and_no_job_names_it() -> None:
    """By its id, or by its name, which carries the content."""
    assert gone(Estate(files=[a_file()], records=[a_run()])) == [("file", "file-1")]


ENDED_WITH_FILE = Estate(files=[a_file()], records=[a_run()])


def and_a_live_run(**fields: Any) -> Estate:
    live = a_run(2, Phase.UPLOADING, **fields)
    return replace(ENDED_WITH_FILE, records=[a_run(), live])


@pytest.mark.parametrize(
    "estate",
    [
        and_a_live_run(content={"training": digest(1)}),
        and_a_live_run(files={"training": "file-1"}),
        replace(ENDED_WITH_FILE, jobs=[a_job(9, JobStatus.RUNNING, training_file="file-1")]),
        replace(ENDED_WITH_FILE, jobs=[a_job(9, JobStatus.QUEUED, validation_file="file-1")]),
        replace(ENDED_WITH_FILE, files=[a_file(created_at=NOW)]),
        replace(ENDED_WITH_FILE, files=[a_file(name="mine.jsonl", id="file-x")]),
    ],
    ids=["content-of-live", "id-of-live", "job-trains", "job-validates", "young", "foreign"],
)
def test_file_that_is_needed_or_not_ours_stays(estate: Estate) -> None:
    """A live run may be about to adopt it."""
    assert gone(estate) == []


def test_running_job_without_a_live_run_is_cancelled() -> None:
    """It bills for work that nobody waits for."""
    estate = Estate(jobs=[a_job(status=JobStatus.RUNNING)], records=[a_run(phase=Phase.CANCELLED)])

    assert gone(estate) == [("running-job", "ftjob-1")]


@pytest.mark.parametrize(
    "others",
    [
        [a_run(2, Phase.TRAINING, training_digest=digest(1001))],
        [a_run(2, Phase.TRAINING, job={"id": "ftjob-1"})],
        [a_run(2, Phase.CANCELLED, training_digest=digest(1001), ended_at=NOW)],
    ],
    ids=["would-adopt-it", "uses-it", "just-ended"],
)
def test_running_job_that_somebody_needs_goes_on(others: list[RunRecord]) -> None:
    """Runs that train the same share the job."""
    ended = a_run(phase=Phase.CANCELLED)
    running = a_job(status=JobStatus.RUNNING)

    assert gone(Estate(jobs=[running], records=[ended, *others])) == []


def test_running_job_of_a_failed_run_waits_a_day_for_whoever_repeats_it() -> None:
    """The retry adopts what is paid for; what nobody repeats is not paid for to its end."""
    running = a_job(status=JobStatus.RUNNING)
    failed = [
        a_run(phase=Phase.FAILED, ended_at=NOW - timedelta(hours=hours)) for hours in (23, 25)
    ]

    found = [gone(Estate(jobs=[running], records=[record])) for record in failed]

    assert found == [[], [("running-job", "ftjob-1")]]


def test_job_of_nobody_known_is_left_alone() -> None:
    """It may be another installation's."""
    assert gone(Estate(jobs=[a_job(status=JobStatus.RUNNING)])) == []


def test_oldest_jobs_go_where_they_can_be_deleted() -> None:
    """So many are kept, and every one whose model is deployed or was a champion's."""
    estate = Estate(
        jobs=[a_job(4), a_job(2), a_job(1), a_job(3)],
        records=[a_run(number) for number in range(1, 5)],
        champions=[a_champion(1)],
    )

    assert gone(estate, RetentionPolicy(kept_jobs=2)) == [("job", "ftjob-2"), ("job", "ftjob-3")]
    assert gone(estate, RetentionPolicy()) == []


def test_replaced_champions_give_way_longest_replaced_first() -> None:
    """Only they, and only those that are there."""
    champions = [
        a_champion(11, previous=1, since=NOW - timedelta(hours=1)),
        a_champion(12, previous=2, since=NOW - timedelta(hours=2)),
        a_champion(13, previous=3, since=NOW - timedelta(hours=3)),
        a_champion(14),
    ]
    present = [a_deployment(number) for number in (1, 2, 11, 12, 13, 14)]

    found = giving_way(Estate(deployments=present, champions=champions))

    assert [each.name for each in found] == [a_deployment(2).name, a_deployment(1).name]


numbers = st.integers(0, 5)
phases = st.sampled_from([Phase.TRAINING, Phase.TESTING, Phase.SUCCEEDED, Phase.FAILED])
times = st.sampled_from([LONG_AGO, NOW - timedelta(hours=30), NOW - timedelta(minutes=5)])
records = st.lists(
    st.builds(
        lambda number, phase, at, of: a_run(
            number,
            phase,
            ended_at=at if phase in TERMINAL else None,
            training_digest=digest(of + 1000),
            content={"training": digest(of)},
            files={"training": f"file-{of}"} if number % 2 else {},
        ),
        numbers,
        phases,
        times,
        numbers,
    ),
    max_size=6,
    unique_by=lambda record: record.id,
)
champions = st.lists(
    st.builds(
        lambda current, previous, since, until: a_champion(
            current, previous, since=since, keep_previous_until=until
        ),
        numbers,
        st.none() | numbers,
        times,
        st.none() | st.just(NOW + timedelta(hours=1)),
    ),
    max_size=3,
)
estates = st.builds(
    Estate,
    files=st.lists(st.builds(lambda n, at: a_file(n, created_at=at), numbers, times), max_size=5),
    jobs=st.lists(
        st.builds(
            lambda n, status, at: a_job(n, status, created_at=at),
            numbers,
            st.sampled_from([JobStatus.RUNNING, JobStatus.SUCCEEDED, JobStatus.FAILED]),
            times,
        ),
        max_size=5,
        unique_by=lambda job: job.id,
    ),
    deployments=st.lists(
        st.builds(lambda n, at: a_deployment(n, created_at=at), numbers, times),
        max_size=5,
        unique_by=lambda deployment: deployment.name,
    ),
    records=records,
    champions=champions,
)


@settings(max_examples=400, deadline=None)
@given(estates)
def test_nothing_that_is_needed_is_ever_deleted(estate: Estate) -> None:
    """Whatever exists: not a live run's, not a champion's, not a predecessor's in its time."""
    found = deletions(estate, now=NOW, policy=POLICY)

    live = [record for record in estate.records if record.phase not in TERMINAL]
    named = {what: {d.name for d in found if d.what == what} for what in ("deployment", "file")}
    jobs = {d.name: d.what for d in found if d.what in ("job", "running-job")}
    for champion in estate.champions:
        assert champion.current.deployment not in named["deployment"]
        for entry in filter(None, (champion.current, champion.previous)):
            made_it = [job.id for job in estate.jobs if job.fine_tuned_model == entry.model]
            assert not set(made_it) & set(jobs)
        kept_until = champion.keep_previous_until or champion.current.since + POLICY.rollback
        if champion.previous and kept_until > NOW:
            assert champion.previous.deployment not in named["deployment"]
    for record in live:
        assert not any(record.run_digest[:12] in name for name in named["deployment"])
        assert not set(record.files.values()) & named["file"]
        for file in estate.files:
            if file.name == file_name("training", record.content["training"]):
                assert file.id not in named["file"]
        for job in estate.jobs:
            if record.training_digest[:16] in job.suffix:
                assert job.id not in jobs
    for job in estate.jobs:
        if job.status is JobStatus.RUNNING:
            assert job.training_file not in named["file"]
            assert jobs.get(job.id) != "job"
        else:
            assert jobs.get(job.id) != "running-job"


@settings(max_examples=200, deadline=None)
@given(estates)
def test_what_nobody_needs_is_gone_after_one_pass(estate: Estate) -> None:
    """To delete what was listed and ask again finds nothing more of deployments and files."""
    names = {(d.what, d.name) for d in deletions(estate, now=NOW, policy=POLICY)}

    left = replace_estate(estate, names)

    again = {(d.what, d.name) for d in deletions(left, now=NOW, policy=POLICY)}
    files_of_cancelled = {("file", job.training_file) for job in estate.jobs}
    models_set_free = {("job", job.id) for job in estate.jobs}
    assert again <= files_of_cancelled | models_set_free


def replace_estate(estate: Estate, gone_now: set[tuple[str, str]]) -> Estate:
    return replace(
        estate,
        deployments=[d for d in estate.deployments if ("deployment", d.name) not in gone_now],
        files=[f for f in estate.files if ("file", f.id) not in gone_now],
        jobs=[
            replace(j, status=JobStatus.CANCELLED) if ("running-job", j.id) in gone_now else j
            for j in estate.jobs
            if ("job", j.id) not in gone_now
        ],
    )
