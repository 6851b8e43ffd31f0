"""The report before anything is spent, and whether the price passes the budget."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from activities.accounts import check_account
from activities.fine_tuning_jobs import create_fine_tuning_job
from activities.reports import estimate_cost, validate_dataset
from droptune.domain.dataset import DatasetRef
from droptune.domain.errors import RunEndedError, TransientError
from droptune.domain.phases import Phase
from droptune.domain.run import RunRecord
from droptune.domain.steps import Plan, Validated
from tests.builders import A_COST, PRODUCTION, World, a_job_file, an_example, examples


def a_priced_run(world: World, job: str | None = None, **cost: Any) -> RunRecord:
    """Return a run whose report has been written."""
    run = world.a_run(job=job)
    return world.at(run, cost={**A_COST, **cost})


def test_good_dataset_passes_with_its_roles_and_a_report() -> None:
    """The report lies beside the record, which carries its figures."""
    world = World()
    run = world.a_run(validation=examples(3, answer="Another."))

    answer = world.ask(validate_dataset, run)

    report = json.loads(world.runs.data(f"{run.ref.folder}report.json"))
    assert answer == Validated(roles=("training", "validation"))
    assert report["verdict"] == "accept"
    assert world.now(run).examples == 12
    assert world.now(run).cost["high"] is not None


def test_validating_twice_writes_the_same_report() -> None:
    """A repetition reads the same pinned bytes."""
    world = World()
    run = world.a_run()

    world.ask(validate_dataset, run)
    first = world.runs.data(f"{run.ref.folder}report.json")
    world.ask(validate_dataset, run)

    assert world.runs.data(f"{run.ref.folder}report.json") == first


def test_bad_dataset_is_rejected_and_the_answer_quotes_nothing() -> None:
    """The sentence with the line goes to the record; what travels names only the code."""
    world = World()
    bad = an_example() | {"messages": [{"role": "chatbot", "content": "x"}]}
    run = world.a_run(training=examples() + json.dumps(bad) + "\n")

    with pytest.raises(RunEndedError) as ended:
        world.ask(validate_dataset, run)

    error = world.now(run).error
    assert (ended.value.phase, ended.value.code) == (Phase.REJECTED, "training-data")
    assert "chatbot" not in str(ended.value)
    assert error is not None
    assert "13" in error.message


def test_line_of_a_rejection_is_named_once() -> None:
    """The sentence is for people: file, line, field, what is wrong."""
    world = World()
    bad = an_example() | {"messages": [{"role": "chatbot", "content": "x"}]}
    run = world.a_run(training=examples() + json.dumps(bad) + "\n")

    with pytest.raises(RunEndedError):
        world.ask(validate_dataset, run)

    error = world.now(run).error
    assert error is not None
    assert error.message.startswith("training.jsonl, line 13: messages[0].role")
    assert error.message.count("line 13") == 1


def test_report_shows_what_stands_at_a_finding_with_secrets_masked() -> None:
    """Who may read the run sees the offending lines, in the document as on the page."""
    world = World()
    bad = {"role": "chatbot", "content": "password: hunter22"}
    run = world.a_run(training=examples() + json.dumps({"messages": [bad]}) + "\n")

    with pytest.raises(RunEndedError):
        world.ask(partial(validate_dataset, render=json.dumps), run)

    stored = [world.runs.data(f"{run.ref.folder}{name}") for name in ("report.json", "report.html")]
    assert all(b"chatbot" in each and b"hunter22" not in each for each in stored)


def test_personal_data_that_the_configuration_allows_is_no_finding() -> None:
    """The app leaves out what the job file allows, as the command does."""
    world = World()
    job = {"pipeline": {"validation": {"allow": ["@nordhavn.net"]}}}
    answers = examples(1, answer="Ask maria.lindqvist@nordhavn.net.")
    run = world.a_run(training=examples() + answers, job=json.dumps(job))

    world.ask(validate_dataset, run)

    report = json.loads(world.runs.data(f"{run.ref.folder}report.json"))
    assert "email-address" not in {finding["rule"] for finding in report["findings"]}


def test_wrong_configuration_is_rejected_with_everything_that_is_wrong() -> None:
    """Findings of the files stand in the same report."""
    world = World()
    run = world.a_run(job='{"model": "gpt-4.1-mini", "modell": 1, "seed": "x"}')

    with pytest.raises(RunEndedError):
        world.ask(validate_dataset, run)

    report = json.loads(world.runs.data(f"{run.ref.folder}report.json"))
    paths = {finding.get("path") for finding in report["findings"]}
    assert {"modell", "seed"} <= paths


def test_blob_that_changes_while_it_is_validated_is_looked_at_again() -> None:
    """The next look finds out what the change means: here the same content, pinned again."""
    world = World()
    run = world.a_run()
    world.datasets.before_next(
        "open", lambda: world.datasets.put("shop/v1/training.jsonl", examples())
    )

    with pytest.raises(TransientError):
        world.ask(validate_dataset, run)

    assert isinstance(world.ask(validate_dataset, run), Validated)


def test_report_of_a_run_that_has_its_job_stays() -> None:
    """A run that is told again after its hub was lost reads no dataset that may have changed."""
    world = World()
    run = world.a_ready_run()
    world.ask(create_fine_tuning_job, run)
    world.datasets.put("shop/v1/training.jsonl", "garbage")

    answer = world.ask(validate_dataset, run)

    assert answer == Validated(roles=("training",))


@pytest.mark.parametrize(
    ("pipeline", "cost", "asks"),
    [
        ({}, {}, False),
        ({"budget": {"run_usd": 2}}, {}, False),
        ({"budget": {"run_usd": 1.4}}, {}, True),
        ({"approval": {"training": "always"}}, {}, True),
        ({}, {"high": None}, True),
    ],
)
def test_price_is_compared_with_the_budget(
    pipeline: dict[str, Any], cost: dict[str, Any], asks: bool
) -> None:
    """The high estimate counts, and a price that is not known never passes by itself."""
    world = World()
    run = a_priced_run(world, a_job_file(**pipeline), **cost)

    assert world.ask(estimate_cost, run) == Plan(trains=True, needs_approval=asks)


def test_model_without_a_known_encoding_never_passes_by_itself() -> None:
    """Its tokens are a guess, and so is its price."""
    world = World()
    run = a_priced_run(world, json.dumps({"model": "Ministral-3B"}))

    answer = world.ask(estimate_cost, run)

    assert answer.needs_approval
    assert "guess" in world.now(run).approval_reasons[0]


def test_over_budget_where_nobody_is_asked_is_rejected() -> None:
    """`never` means no question: the answer is no, with a remedy."""
    world = World()
    job = a_job_file(budget={"run_usd": 1}, approval={"training": "never"})
    run = a_priced_run(world, job)

    with pytest.raises(RunEndedError) as ended:
        world.ask(estimate_cost, run)

    assert (ended.value.phase, ended.value.code) == (Phase.REJECTED, "over-budget")


def test_question_that_is_not_about_money_is_asked_all_the_same() -> None:
    """A version that is training already, or too many runs in a day, waits for a person."""
    world = World()
    run = a_priced_run(world, a_job_file(approval={"training": "never"}))
    world.at(run, approval_reasons=("This version is already training as x; train again?",))

    assert world.ask(estimate_cost, run) == Plan(trains=True, needs_approval=True)


def test_estimating_twice_asks_for_each_reason_once() -> None:
    """A repetition finds the reasons there."""
    world = World()
    run = a_priced_run(world, a_job_file(budget={"run_usd": 1}))

    world.ask(estimate_cost, run)
    world.ask(estimate_cost, run)

    assert len(world.now(run).approval_reasons) == 1


@pytest.mark.parametrize("job", ["{}", a_job_file(mode="plan")])
def test_run_without_a_model_or_in_plan_mode_trains_nothing(job: str) -> None:
    """There is no default model: without one the run is a plan."""
    world = World()
    run = a_priced_run(world, job)

    assert world.ask(estimate_cost, run) == Plan(trains=False)


def test_account_that_can_do_all_of_it_passes() -> None:
    """Nothing is written at Azure, and nothing raised."""
    world = World()
    run = a_priced_run(world, a_job_file(**PRODUCTION))

    assert world.ask(check_account, run) is None
    assert world.resource_manager.puts == []


def _models(world: World, **changes: Any) -> None:
    world.resource_manager.models = [replace(world.resource_manager.models[0], **changes)]


def _sku(world: World) -> None:
    _models(world, skus=("DeveloperTier",))


def _retired(world: World) -> None:
    _models(world, fine_tune_until=world.clock.now())


def _refused(world: World) -> None:
    world.resource_manager.allowed = False


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda world: world.resource_manager.models.clear(), "model-not-offered"),
        (lambda world: _models(world, fine_tune=False), "model-not-fine-tunable"),
        (_retired, "model-retired"),
        (_sku, "sku-not-offered"),
        (_refused, "no-right-to-deploy"),
    ],
)
def test_lasting_no_of_the_account_is_rejected_with_a_remedy(change: Any, code: str) -> None:
    """It is found before anything is spent."""
    world = World()
    run = a_priced_run(world, a_job_file(**PRODUCTION))
    change(world)

    with pytest.raises(RunEndedError) as ended:
        world.ask(check_account, run)

    assert (ended.value.phase, ended.value.code) == (Phase.REJECTED, code)
    assert ended.value.remedy


def test_method_that_the_model_lacks_is_rejected() -> None:
    """gpt-4o-mini has no preference training."""
    world = World()
    job = json.dumps({"model": "gpt-4o-mini", "method": {"type": "dpo"}})
    run = a_priced_run(world, job)

    with pytest.raises(RunEndedError) as ended:
        world.ask(check_account, run)

    assert ended.value.code == "method-not-offered"


def test_row_of_an_earlier_versions_test_is_found_in_training_data() -> None:
    """A later version that trains on what an earlier one was tested with is told so."""
    world = World()
    first = world.a_run(DatasetRef(project="shop", version="v1"), test=examples(3, answer="Held."))
    world.ask(validate_dataset, first)
    leaking = examples(12) + examples(1, answer="Held.")
    second = world.a_run(DatasetRef(project="shop", version="v2"), training=leaking)

    world.ask(validate_dataset, second)

    report = json.loads(world.runs.data(f"{second.ref.folder}report.json"))
    [found] = [each for each in report["findings"] if each["rule"] == "earlier-test-leaked"]
    assert (found["severity"], found["line"]) == ("warning", 13)
    assert "v1/test.jsonl" in found["message"]
