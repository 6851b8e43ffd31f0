"""What a service answers and nobody knows: kept whole with the run, and nowhere else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from activities.boundary import bind
from activities.endings import end_run
from activities.run_records import RunRecords
from droptune.adapters.failures import Refusal
from droptune.domain.errors import DroptuneError, TransientError
from droptune.domain.findings import Problem
from droptune.domain.phases import Phase
from droptune.domain.run import RunRecord
from droptune.domain.service_errors import LONGEST_KEPT, UNKNOWN
from droptune.domain.steps import EndRequest, StepRequest
from tests.api.world import World as ApiWorld
from tests.api.world import a_run as an_api_run
from tests.api.world import read
from tests.builders import SHOP, World, a_job_file
from tests.line_in_memory import Line, a_line, move_on

NOW = datetime(2026, 11, 24, tzinfo=UTC)
BODY = {"error": {"code": "Teapot", "message": "short and stout", "line": "a canary sang"}}


def refused(status: int, body: Any = BODY) -> DroptuneError:
    return Refusal(doing="creating the job", status=status, body=body).error(NOW)


def a_run_that_meets(error: DroptuneError, world: World) -> tuple[RunRecord, Line]:
    """Let the service answer the submission so."""
    line = a_line(world)
    world.azure_openai.fail_next("create_job", error)
    world.drop(job=a_job_file())
    line.notice(SHOP)
    line.run()
    [run] = world.records.list_newest()
    return run, line


@pytest.mark.parametrize("status", [400, 402, 404, 418, 451])
def test_unknown_refusal_is_kept_whole_in_the_record_and_nowhere_else(status: int) -> None:
    """It ends the run under a name of its own; Durable never sees what it may quote."""
    run, line = a_run_that_meets(refused(status), World())

    assert run.phase is Phase.FAILED
    assert run.error is not None
    assert run.error.code == ("not-found" if status == 404 else UNKNOWN)
    assert "Teapot" in run.error.message
    assert run.error.remedy or status == 404
    assert json.dumps(BODY) in run.error.evidence
    assert "create_fine_tuning_job" in run.error.evidence
    assert not [what for what, text in line.payloads if "canary" in text]


@pytest.mark.parametrize("status", [408, 409, 429, 500, 599])
def test_unknown_failure_that_may_pass_is_waited_for_and_kept(status: int) -> None:
    """A run that succeeds after it has no error; the answer lies with the run all the same."""
    world = World()

    run, line = a_run_that_meets(refused(status), world)

    assert run.phase is Phase.SUCCEEDED
    assert run.error is None
    kept = json.loads(world.runs.data(f"{run.ref.folder}unknown-answer.json"))
    assert json.loads(kept["answer"]) == BODY
    assert kept["step"] == "create_fine_tuning_job"
    assert not [what for what, text in line.payloads if "canary" in text]


def test_step_that_gives_up_shows_the_answer_that_it_met() -> None:
    """The time-out alone would not say why."""
    world = World()
    run = world.a_run()
    world.records.keep_unknown(run.ref, "create_deployment", refused(500))
    gave_up = Problem(code="gave-up", message="create_deployment did not come to an end in time")

    world.call(end_run, EndRequest(run=run.ref, phase=Phase.FAILED, problem=gave_up))

    error = world.now(run).error
    assert error is not None
    assert error.code == "gave-up"
    assert json.dumps(BODY) in error.evidence
    assert "create_deployment: " in error.evidence


def test_other_ends_do_not_show_an_answer_that_they_do_not_rest_on() -> None:
    """It was met and passed; the run was cancelled by a person."""
    world = World()
    run = world.a_run()
    world.records.keep_unknown(run.ref, "create_deployment", refused(500))
    cancelled = Problem(code="cancelled", message="Cancelled by Ada.")

    world.call(end_run, EndRequest(run=run.ref, phase=Phase.CANCELLED, problem=cancelled))

    assert world.now(run).error == cancelled


def test_known_refusal_is_explained_and_needs_no_evidence() -> None:
    """Its cause, its code and its remedy are the table's; the service's words are repeated."""
    body = {
        "error": {
            "code": "invalidPayload",
            "message": "The specified base model does not support fine-tuning.",
        }
    }

    run, _ = a_run_that_meets(refused(400, body), World())

    assert run.error is not None
    assert run.error.code == "base-model-not-fine-tunable"
    assert run.error.message.startswith("The account cannot train this model")
    assert "does not support fine-tuning" in run.error.message
    assert "trainingType" in run.error.remedy
    assert run.error.evidence == ""


@pytest.mark.parametrize("code", ["", "Teapot"])
def test_job_that_fails_for_an_unknown_reason_keeps_it_whole(code: str) -> None:
    """However long the reason is."""
    world = World()
    line = a_line(world)

    def fail(world: World) -> None:
        for job in list(world.azure_openai.jobs.values()):
            if not job.status.is_terminal:
                world.azure_openai.fail_job(job.id, code, "a canary sang " * 50)
        move_on(world)

    line.while_resting = fail
    world.drop(job=a_job_file())
    line.notice(SHOP)
    line.run()
    [run] = world.records.list_newest()

    assert run.error is not None
    assert run.error.code.startswith("job-failed")
    assert "a canary sang " * 50 in run.error.evidence
    assert not [what for what, text in line.payloads if "canary" in text]


@pytest.mark.parametrize(
    ("body", "secret"),
    [
        ({"error": {"message": "got Bearer abc.def.ghi"}}, "abc.def.ghi"),
        ({"error": {"message": "of https://x/y?sig=abcdefgh&se=1"}}, "abcdefgh"),
        ("api-key: 0123456789abcdef", "0123456789abcdef"),
        ("AccountKey=Eby8vdM02xNO;Blob", "Eby8vdM02xNO"),
    ],
)
def test_evidence_holds_no_credentials(body: Any, secret: str) -> None:
    """A gateway may echo what it was sent."""
    error = refused(400, body)

    assert error.evidence
    assert secret not in error.evidence
    assert secret not in str(error)


def test_evidence_is_bounded() -> None:
    """An answer of megabytes does not make a record of megabytes."""
    error = refused(400, {"error": {"message": "x" * 5_000_000}})

    assert len(error.evidence) <= LONGEST_KEPT


def test_storage_that_is_away_while_an_answer_is_kept_hides_no_refusal() -> None:
    """The answer is lost then; what it means is not."""
    world = World()
    run = world.a_run()

    def estimate_cost(request: StepRequest, *, records: RunRecords) -> None:
        raise refused(418)

    world.runs.fail_next("write", TransientError("storage is away"))
    answer = bind(estimate_cost, records=world.records)(StepRequest(run=run.ref).to_payload())

    assert answer["error"]["code"] == UNKNOWN
    assert world.records.unknown_answer(run.ref) == ""


def test_page_shows_what_the_service_said_where_nobody_knows_it() -> None:
    """Cause, remedy and evidence come first, and hostile words stay words."""
    world = ApiWorld()
    said = '{"error": "<script>teapot</script>"}'
    error = Problem(code="unknown-service-error", message="418", remedy="Read it.", evidence=said)
    world.keep(an_api_run(phase=Phase.FAILED, error=error))

    page = world.get("dashboard/runs/shop-v1-aa").body.decode()
    status = read(world.get("runs/shop-v1-aa"))

    assert "What the service said" in page
    assert "&lt;script&gt;teapot" in page
    assert "<script>teapot" not in page
    assert page.index("Read it.") < page.index("teapot") < page.index("unknown-service-error")
    assert status["error"]["evidence"] == said
