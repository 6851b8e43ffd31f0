"""What a dataset, the service and the world may do wrong: each gets a phase, a code, a sentence."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from droptune.domain.errors import (
    NotFoundError,
    OutcomeUnknownError,
    RequestRejectedError,
    TransientError,
)
from droptune.domain.findings import Severity
from droptune.domain.job import FileStatus, JobStatus
from droptune.domain.phases import Phase
from droptune.domain.run import RunRecord
from tests.builders import PRODUCTION, SHOP, World, a_job_file, an_example, examples
from tests.line_in_memory import a_line, move_on

GOOD = examples(12)


@dataclass(frozen=True, kw_only=True)
class Bad:
    """A dataset with one thing wrong.

    Attributes:
        rule: the finding that is wanted, or None where the data is accepted.
        line: where it is, or None for the file as a whole.
    """

    training: str | bytes = GOOD
    job: str = field(default_factory=lambda: a_job_file(**PRODUCTION))
    more: dict[str, str] = field(default_factory=dict)
    rule: str | None
    line: int | None = None


def _job(**values: object) -> str:
    return json.dumps({"model": "gpt-4.1-mini"} | values)


DATASETS = {
    "nine examples": Bad(training=examples(9), rule="too-few-examples"),
    "half-written": Bad(training=GOOD + '{"messages": [{"role": "us', rule="broken-off", line=13),
    "UTF-16": Bad(training=GOOD.encode("utf-16"), rule="utf-16"),
    "BOM": Bad(training=b"\xef\xbb\xbf" + GOOD.encode(), rule=None),
    "CRLF": Bad(training=GOOD.replace("\n", "\r\n"), rule=None),
    "invalid UTF-8": Bad(
        training=GOOD.encode() + b'{"messages": "\xff"}\n', rule="not-utf-8", line=13
    ),
    "gzip": Bad(training=gzip.compress(GOOD.encode(), mtime=0), rule="not-jsonl"),
    "CSV": Bad(training="prompt,answer\nHello,Hi\n" * 12, rule="csv", line=1),
    "JSON array": Bad(
        training=json.dumps([an_example(n) for n in range(12)]), rule="json-array", line=1
    ),
    "wrong role": Bad(training=GOOD.replace('"user"', '"bot"', 1), rule="unknown-role", line=1),
    "two training files": Bad(more={"train": GOOD}, rule="two-files-for-a-role"),
    "eval.jsonl": Bad(more={"eval": GOOD}, rule="ambiguous-role"),
    "unknown key": Bad(job=_job(sead=1), rule="unknown-key", line=1),
    "wrong type": Bad(job=_job(seed="one"), rule="wrong-value", line=1),
    "impossible hyperparameter": Bad(
        job=_job(method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 0}}}),
        rule="wrong-value",
        line=1,
    ),
}


def _dropped(bad: Bad) -> tuple[World, RunRecord]:
    world = World()
    line = a_line(world)
    world.drop(job=bad.job, training=bad.training, **bad.more)
    line.notice(SHOP)
    line.run()
    [run] = world.records.list_newest()
    return world, run


@pytest.mark.parametrize("name", [name for name, bad in DATASETS.items() if bad.rule])
def test_bad_dataset_is_rejected_with_what_where_and_a_remedy(name: str) -> None:
    """The run ends before a cent, and its report says rule, file, line, and what would be right."""
    bad = DATASETS[name]

    world, run = _dropped(bad)
    report = json.loads(world.runs.data(f"{run.ref.folder}report.json"))
    errors = [each for each in report["findings"] if each["severity"] == Severity.ERROR]

    assert run.phase is Phase.REJECTED
    assert run.error is not None
    assert (run.error.code, bool(run.error.message), bool(run.error.remedy)) == (
        "training-data",
        True,
        True,
    )
    assert [(each["rule"], each.get("line")) for each in errors][:1] == [(bad.rule, bad.line)], (
        errors
    )
    assert all(each["file"] and each["message"] and each["fix"] for each in errors), errors
    assert not world.azure_openai.jobs
    assert not world.azure_openai.files


@pytest.mark.parametrize("name", [name for name, bad in DATASETS.items() if bad.rule is None])
def test_unusual_dataset_is_accepted(name: str) -> None:
    """What the service accepts is trained, with a remark at most."""
    _, run = _dropped(DATASETS[name])

    assert run.phase is Phase.SUCCEEDED, run.error


def test_no_training_file_waits_and_says_for_what() -> None:
    """A folder without training data is no run and no error: it waits, and names look-alikes."""
    world = World()
    line = a_line(world)
    world.datasets.put(f"{SHOP.prefix}trainng.jsonl", GOOD)

    line.notice(SHOP)
    line.run()

    assert list(world.records.list_newest()) == []
    assert "trainng.jsonl" in world.wish().message


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Something that the service does while a run is under way, and how the run ends."""

    cause: Callable[[World], None]
    phase: Phase
    code: str = ""


def _while(method: str, error: Exception, *, after: bool = False) -> Callable[[World], None]:
    return lambda world: world.azure_openai.fail_next(method, error, after=after)


def _arm(method: str, error: Exception) -> Callable[[World], None]:
    return lambda world: world.resource_manager.fail_next(method, error)


TROUBLES = {
    "429 without Retry-After": Trouble(
        cause=_while("create_job", TransientError("429")), phase=Phase.SUCCEEDED
    ),
    "429 with Retry-After": Trouble(
        cause=_while("upload_file", TransientError("429", retry_after=600)), phase=Phase.SUCCEEDED
    ),
    "500": Trouble(cause=_while("get_job", TransientError("500")), phase=Phase.SUCCEEDED),
    "409": Trouble(cause=_while("delete_file", TransientError("409")), phase=Phase.SUCCEEDED),
    "connection reset": Trouble(
        cause=_while("list_jobs", TransientError("reset")), phase=Phase.SUCCEEDED
    ),
    "time-out after the job was created": Trouble(
        cause=_while("create_job", OutcomeUnknownError("no answer"), after=True),
        phase=Phase.SUCCEEDED,
    ),
    "time-out after the file was stored": Trouble(
        cause=_while("upload_file", OutcomeUnknownError("no answer"), after=True),
        phase=Phase.SUCCEEDED,
    ),
    "data plane not ready": Trouble(
        cause=_while("complete_chat", NotFoundError("DeploymentNotFound")), phase=Phase.SUCCEEDED
    ),
    "401": Trouble(
        cause=_while("upload_file", RequestRejectedError("401 wrong audience")),
        phase=Phase.FAILED,
        code="request-rejected",
    ),
    "403": Trouble(
        cause=_arm("put_deployment", RequestRejectedError("403 AuthorizationFailed")),
        phase=Phase.FAILED,
        code="request-rejected",
    ),
    "404": Trouble(
        cause=_while("get_job", NotFoundError("no such job")),
        phase=Phase.FAILED,
        code="not-found",
    ),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_trouble_at_the_service_costs_time_or_ends_with_a_reason(name: str) -> None:
    """What a later try may cure is waited for; a lasting no is named. One job, one file, once."""
    trouble, world = TROUBLES[name], World()
    line = a_line(world)
    trouble.cause(world)
    world.drop(job=a_job_file(**PRODUCTION))

    line.notice(SHOP)
    line.run()
    [run] = world.records.list_newest()

    assert run.phase is trouble.phase, run.error
    if trouble.code:
        assert run.error is not None
        assert run.error.code.startswith(trouble.code), run.error
        assert run.error.message
    assert len(world.azure_openai.jobs) <= 1


def _fails(world: World) -> None:
    for job in list(world.azure_openai.jobs.values()):
        if not job.status.is_terminal:
            reason = "The provided training data failed RAI checks for harm types: [violence]."
            world.azure_openai.fail_job(job.id, "trainingDataFailed", reason)
    move_on(world)


def _is_cancelled(world: World) -> None:
    for job in list(world.azure_openai.jobs.values()):
        if not job.status.is_terminal:
            world.azure_openai.set_job(job.id, status=JobStatus.CANCELLED.value)
    move_on(world)


@pytest.mark.parametrize(
    ("happens", "phase", "code", "said"),
    [
        (_fails, Phase.FAILED, "job-failed", "RAI checks"),
        (_is_cancelled, Phase.CANCELLED, "job-cancelled", "was cancelled"),
    ],
)
def test_job_that_ends_without_a_model_ends_the_run_with_the_services_reason(
    happens: Callable[[World], None], phase: Phase, code: str, said: str
) -> None:
    """A failed or cancelled job is a result: the run says why, and deploys nothing."""
    world = World()
    line = a_line(world)
    line.while_resting = happens
    world.drop(job=a_job_file(**PRODUCTION))

    line.notice(SHOP)
    line.run()
    [run] = world.records.list_newest()

    assert run.phase is phase
    assert run.error is not None
    assert run.error.code.startswith(code)
    assert said in run.error.message
    assert not world.resource_manager.deployments


def test_file_that_the_service_refuses_ends_the_run_with_its_reason() -> None:
    """What the service's own check finds is a rejection that repeats the service's words."""
    world = World()
    line = a_line(world)
    world.azure_openai.next_file_status = FileStatus.PENDING

    def refuse(world: World) -> None:
        for file_id in world.azure_openai.files:
            world.azure_openai.set_file(file_id, FileStatus.ERROR, detail="line 3 is too long")

    line.while_resting = refuse
    world.drop(job=a_job_file(**PRODUCTION))
    line.notice(SHOP)
    line.run()
    [run] = world.records.list_newest()

    assert run.phase is Phase.REJECTED
    assert run.error is not None
    assert run.error.code == "file-refused"
    assert "line 3 is too long" in run.error.message


@pytest.mark.parametrize("store", ["datasets", "runs", "registry"])
def test_storage_that_is_away_for_a_minute_costs_a_minute(store: str) -> None:
    """Storage that answers nothing for a while is waited for; the run ends as if nothing was."""
    world = World()
    line = a_line(world)
    world.drop(job=a_job_file(**PRODUCTION))
    for method in ("find", "list", "find_info", "write", "open"):
        for _ in range(3):
            getattr(world, store).fail_next(method, TransientError("storage is away"))

    line.notice(SHOP)
    line.run()
    [run] = world.records.list_newest()

    assert run.phase is Phase.SUCCEEDED, run.error
    assert len(world.azure_openai.jobs) == 1


@pytest.mark.parametrize("same", [True, False], ids=["same bytes", "other bytes"])
def test_blob_overwritten_while_it_is_read_is_read_again(same: bool) -> None:
    """The same bytes go on under their new ETag; other bytes end the run for one of their own."""
    world = World()
    line = a_line(world)
    world.drop(job=a_job_file(**PRODUCTION))
    written = {"done": False}

    def overwrite(world: World) -> None:
        if not written["done"] and list(world.records.list_newest()):
            written["done"] = True
            data = GOOD if same else examples(14)
            world.datasets.put(f"{SHOP.prefix}training.jsonl", data)
            line.notice(SHOP)
        move_on(world)

    line.while_resting = overwrite
    line.notice(SHOP)
    line.run()
    phases = sorted(run.phase.value for run in world.records.list_newest())

    assert phases == (["succeeded"] if same else ["succeeded", "superseded"])
    assert len(world.azure_openai.jobs) == 1
