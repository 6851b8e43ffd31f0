"""The subset of Durable that is safe (the protocol's facts a to q), seen in what steps ask for."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import pytest

from devhost.durable.replay import Replay
from droptune.domain.steps import STEPS, RollbackRequest
from orchestrators.ask_again import ask_again
from orchestrators.fine_tune_model import fine_tune_model
from tests.orchestrators.test_fine_tune_model import EVERY_QUESTION, a_replay

FOLDER = Path(__file__).parents[2] / "orchestrators"
DURABLE = {
    "call_activity",
    "call_activity_with_retry",
    "call_sub_orchestrator",
    "call_sub_orchestrator_with_retry",
    "create_timer",
    "wait_for_external_event",
    "continue_as_new",
    "task_all",
    "task_any",
    "call_http",
    "call_entity",
    "signal_entity",
    "new_uuid",
    "set_custom_status",
    "current_utc_datetime",
}


def trees() -> Iterator[tuple[str, ast.Module]]:
    """Iterate over the orchestrators' modules."""
    for path in sorted(FOLDER.glob("*.py")):
        yield path.name, ast.parse(path.read_text("utf-8"))


def attributes(tree: ast.AST) -> list[str]:
    """Return the names of all attributes that are used."""
    return [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)]


def test_durable_is_called_in_one_module() -> None:
    """Moving to another SDK is one file; others only continue as new."""
    callers = {name for name, tree in trees() if DURABLE & set(attributes(tree))}

    assert callers <= {"steps.py", "collect_dataset.py"}


def test_nothing_beyond_the_safe_subset_is_called() -> None:
    """Activities with retry, sub-orchestrations without, timers, events, all and any."""
    used = {name for _, tree in trees() for name in attributes(tree)} & DURABLE

    assert used == {
        "call_activity_with_retry",
        "call_sub_orchestrator",
        "create_timer",
        "wait_for_external_event",
        "continue_as_new",
        "task_all",
        "task_any",
        "current_utc_datetime",
    }


def bodies() -> Iterator[tuple[str, dict[str, Any]]]:
    """Iterate over what the orchestrators answered, in a run that meets everything."""
    later = {"later": 5, "reason": "busy"}
    over = {"value": {"yes": False, "needs_approval": True}}
    whole = a_replay(**EVERY_QUESTION)
    answers = {step: [later, answer] for step, answer in whole.answers.items()}
    answers["get_fine_tuning_job"] = [over, {"value": {"yes": True}}]
    replay = Recording(input=whole.input, answers=answers, orchestrators=whole.orchestrators)
    replay.run(fine_tune_model)
    yield from replay.bodies


class Recording(Replay):
    """A replay that keeps what the orchestrators answered."""

    bodies: list[tuple[str, dict[str, Any]]]

    def run(self, orchestrator: Any) -> Any:
        """Run with every orchestrator's answers kept."""
        self.bodies = []
        return super().run(orchestrator)

    def created(self, function: Any) -> Any:
        """See Replay: the orchestrator as the worker calls it."""
        real = df.Orchestrator.create(function)

        def call(body: str) -> str:
            answer: str = real(body)
            self.bodies.append((function.__name__, json.loads(answer)))
            return answer

        return call


@pytest.fixture(scope="module")
def actions() -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the last list of actions of every execution."""
    return [(name, [a for batch in body["actions"] for a in batch]) for name, body in bodies()]


def flat(listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return actions without the wraps of `task_all` and `task_any`."""
    return [inner for action in listed for inner in action.get("compoundActions", [action])]


def test_retries_stand_alone(actions: list[tuple[str, list[dict[str, Any]]]]) -> None:
    """Nothing with retry shares a `task_all` or `task_any` (b, d, e); the SDK wraps one alone."""
    wraps = [
        [inner["actionType"] for inner in action["compoundActions"]]
        for _, listed in actions
        for action in listed
        if "compoundActions" in action
    ]

    assert [kinds for kinds in wraps if 1 in kinds and len(kinds) > 1] == []
    assert {kind for kinds in wraps for kind in kinds} == {1, 2, 5, 6}


def test_event_is_waited_for_once_an_execution(
    actions: list[tuple[str, list[dict[str, Any]]]],
) -> None:
    """A second wait for a name would be left out or swallow the event (f)."""
    for name, listed in actions:
        assert sum(action["actionType"] == 6 for action in flat(listed)) <= 1, name


def test_sub_orchestrations_have_ids_of_their_own(
    actions: list[tuple[str, list[dict[str, Any]]]],
) -> None:
    """Named after the run and the step, never used twice in a run (l)."""
    _, longest = max(
        ((name, listed) for name, listed in actions if name == "fine_tune_model"),
        key=lambda pair: len(pair[1]),
    )
    ids = [action["instanceId"] for action in flat(longest) if action["actionType"] == 2]

    assert all(each.startswith("shop-v1-aa:") for each in ids)
    assert len(set(ids)) == len(ids)


def test_retry_is_for_seconds(actions: list[tuple[str, list[dict[str, Any]]]]) -> None:
    """A fixed interval and few attempts are all that the SDK sends (a)."""
    options = [
        action["retryOptions"]
        for _, listed in actions
        for action in flat(listed)
        if action["actionType"] == 1
    ]

    assert options
    assert all(o["firstRetryIntervalInMilliseconds"] == 2_000 for o in options)
    assert all(o["maxNumberOfAttempts"] == 4 for o in options)


def test_every_step_that_the_table_has_is_asked_for() -> None:
    """The table names no activity that no orchestrator calls, and the other way round."""
    text = (FOLDER / "steps.py").read_text("utf-8")

    begun = RollbackRequest(project="shop").question["step"]  # asked by an orchestration of its own

    assert [name for name in STEPS if f'"{name}"' not in text] == [begun]


def test_rollback_is_asked_for_until_it_is_done() -> None:
    """It begins with a look, waits as it is told, and counts how often it asked."""
    asked = RollbackRequest(project="shop")
    replay = Replay(
        input=asked.question,
        answers={"finish_rollback": [{"later": 10, "reason": "not yet"}, {"value": {}}]},
    )

    output = replay.run(ask_again)

    assert output == {"value": {}}
    assert [given["polls"] for _, given in replay.calls] == [0, 1]
