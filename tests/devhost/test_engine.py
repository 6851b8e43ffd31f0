"""What an orchestration does on the engine, with the real SDK."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import pytest

from devhost.durable.store import Store, StoreVersionError
from tests.devhost.hub import Hub, Steps, answering, failing

HOUR = timedelta(hours=1)
RETRY = df.RetryOptions(first_retry_interval_in_milliseconds=60_000, max_number_of_attempts=3)
Place = Path | str
ADD = {"add": lambda n: n + 1}


def sequence(context: Any) -> Steps:
    first = yield context.call_activity("add", context.get_input())
    return (yield context.call_activity("add", first))


def fan_out(context: Any) -> Steps:
    return (yield context.task_all([context.call_activity("add", n) for n in range(5)]))


def retries(context: Any) -> Steps:
    return (yield context.call_activity_with_retry("flaky", RETRY, 1))


def races(context: Any) -> Steps:
    timer = context.create_timer(context.current_utc_datetime + HOUR)
    wait = context.wait_for_external_event("wake")
    winner = yield context.task_any([timer, wait])
    if winner is timer:
        return "timer"
    timer.cancel()
    return ["event", winner.result]


def counts_down(context: Any) -> Steps:
    left = context.get_input()
    if left:
        yield context.create_timer(context.current_utc_datetime + HOUR)
        context.continue_as_new(left - 1)
    return "end"


def fails(context: Any) -> Steps:
    yield context.call_activity("add", 1)
    raise ValueError("orchestrator says no")


def calls_child(context: Any) -> Steps:
    name, instance = context.get_input()
    try:
        return (yield context.call_sub_orchestrator(name, 1, instance))
    except Exception as error:  # noqa: BLE001 - the SDK raises nothing narrower
        return f"failed: {error}"


def test_activities_in_sequence_pass_their_results_on(place: Place) -> None:
    """Each result is there when the orchestrator goes on, and is asked for once."""
    hub = Hub(sequence, activities=ADD, path=place)
    hub.start(sequence, 1)

    hub.run()

    assert hub.ended() == ("Completed", 3)
    assert hub.calls == [("add", 1), ("add", 2)]


@pytest.mark.parametrize("seed", range(5))
def test_activities_side_by_side_answer_in_the_order_of_their_tasks(
    place: Place, seed: int
) -> None:
    """In whichever order they end."""
    order = random.Random(seed)
    hub = Hub(
        fan_out, activities=ADD, path=place, choose=lambda things: order.randrange(len(things))
    )
    hub.start(fan_out)

    hub.run()

    assert hub.ended() == ("Completed", [1, 2, 3, 4, 5])


def test_orchestrator_without_a_yield_completes(place: Place) -> None:
    """A plain function is an orchestrator too."""

    def answers(context: Any) -> Any:
        return {"given": context.get_input()}

    hub = Hub(answers, path=place)
    hub.start(answers, 7)

    hub.run()

    assert hub.ended() == ("Completed", {"given": 7})


def test_orchestrator_that_returns_nothing_has_no_output(place: Place) -> None:
    """None is not sent."""

    def ends(context: Any) -> Steps:
        yield context.call_activity("add", 1)

    hub = Hub(ends, activities=ADD, path=place)
    hub.start(ends)

    hub.run()

    assert hub.ended() == ("Completed", None)


def test_failing_activity_is_tried_with_an_interval_between(place: Place) -> None:
    """The second attempt is due a minute after the first has failed."""
    hub = Hub(retries, activities={"flaky": answering(ValueError("a"), "good")}, path=place)
    hub.start(retries)

    hub.settle()
    at_first = hub.names()
    hub.pass_time(timedelta(seconds=59))
    before_its_time = hub.names()
    hub.pass_time(timedelta(seconds=1))

    assert (at_first, before_its_time) == (["flaky"], ["flaky"])
    assert hub.ended() == ("Completed", "good")


def test_activity_that_never_succeeds_fails_the_instance(place: Place) -> None:
    """After as many attempts as the options say."""
    hub = Hub(retries, activities={"flaky": failing("never")}, path=place)
    hub.start(retries)

    hub.run()

    status, said = hub.ended()
    assert status == "Failed"
    assert "Activity function 'flaky' failed: ValueError: never" in said
    assert hub.names() == ["flaky"] * 3


def test_sub_orchestration_is_retried_as_an_activity_is(place: Place) -> None:
    """Its default id is new for each attempt."""

    def parent(context: Any) -> Steps:
        return (yield context.call_sub_orchestrator_with_retry("child", RETRY, 1))

    def child(context: Any) -> Steps:
        return (yield context.call_activity("flaky"))

    activities = {"flaky": answering(ValueError("a"), ValueError("b"), "good")}
    hub = Hub(parent, child, activities=activities, path=place)
    hub.start(parent)

    hub.run()

    assert hub.ended() == ("Completed", "good")
    assert len(hub.store.list_instances()) == 4


def test_timers_fire_in_the_order_of_their_times(place: Place) -> None:
    """Whatever the order in which they were made."""

    def sleeps(context: Any) -> Steps:
        hours = context.get_input()
        yield context.create_timer(context.current_utc_datetime + hours * HOUR)
        yield context.call_activity("add", hours)

    hub = Hub(sleeps, activities=ADD, path=place)
    for hours in (3, 1, 2):
        hub.start(sleeps, hours, f"sleeps-{hours}")

    hub.run()

    assert hub.calls == [("add", 1), ("add", 2), ("add", 3)]


def test_timer_does_not_fire_before_its_time(place: Place) -> None:
    """Nothing can be done a second earlier."""
    hub = Hub(races, path=place)
    hub.start(races)
    hub.settle()

    hub.pass_time(HOUR - timedelta(seconds=1))
    before = hub.ended()
    hub.pass_time(timedelta(seconds=1))

    assert before == ("Running", None)
    assert hub.ended() == ("Completed", "timer")


def test_timer_in_the_past_fires_at_once(place: Place) -> None:
    """It is due."""

    def looks_back(context: Any) -> Steps:
        yield context.create_timer(context.current_utc_datetime - HOUR)
        return "past"

    hub = Hub(looks_back, path=place)
    hub.start(looks_back)

    hub.settle()

    assert hub.ended() == ("Completed", "past")


def test_clock_of_an_orchestration_is_that_of_its_episodes(place: Place) -> None:
    """It moves on when something has come in."""

    def looks_twice(context: Any) -> Steps:
        before = context.current_utc_datetime
        yield context.create_timer(before + HOUR)
        return (context.current_utc_datetime - before).total_seconds()

    hub = Hub(looks_twice, path=place)
    hub.start(looks_twice)

    hub.run()

    assert hub.ended() == ("Completed", 3600)


def test_event_wakes_its_wait_and_brings_its_value(place: Place) -> None:
    """The cancelled timer holds nothing up."""
    hub = Hub(races, path=place)
    hub.start(races)
    hub.settle()

    hub.send("wake", {"by": "somebody"})
    hub.settle()

    assert hub.ended() == ("Completed", ["event", {"by": "somebody"}])


def test_event_before_the_first_episode_is_there_for_the_wait(place: Place) -> None:
    """It was raised on a pending instance."""
    hub = Hub(races, path=place)
    hub.start(races)
    hub.send("wake", 1)

    hub.settle()

    assert hub.ended() == ("Completed", ["event", 1])


def test_event_of_another_name_wakes_nobody(place: Place) -> None:
    """The timer wins."""
    hub = Hub(races, path=place)
    hub.start(races)
    hub.settle()
    hub.send("other")

    hub.run()

    assert hub.ended() == ("Completed", "timer")


def test_event_for_an_instance_that_is_not_there_is_dropped(place: Place) -> None:
    """Nothing is left to do."""
    hub = Hub(races, path=place)
    hub.send("wake")

    hub.settle()

    assert hub.store.next_due() is None


def test_continue_as_new_begins_with_an_empty_history(place: Place) -> None:
    """However often: the history stays as long as one execution's."""
    hub = Hub(counts_down, path=place)
    lengths = []
    hub.start(counts_down, 20)

    while due := hub.store.next_due():
        hub.clock.at = max(hub.clock.at, due)
        while hub.engine.step():
            lengths.append(len(hub.store.history("one")))

    assert hub.ended() == ("Completed", "end")
    assert max(lengths) <= 6


def test_input_of_continue_as_new_is_the_next_execution_s(place: Place) -> None:
    """Also when it is text, or nothing."""

    def hands_on(context: Any) -> Any:
        given = context.get_input()
        if given == "begin":
            context.continue_as_new("middle")
        elif given == "middle":
            context.continue_as_new(None)
        else:
            return ["end", given]
        return None

    hub = Hub(hands_on, path=place)
    hub.start(hands_on, "begin")

    hub.run()

    assert hub.ended() == ("Completed", ["end", None])


def test_error_after_continue_as_new_fails_the_instance(place: Place) -> None:
    """It does not continue."""

    def contradicts(context: Any) -> Any:
        context.continue_as_new(1)
        raise ValueError("no")
        yield

    hub = Hub(contradicts, activities=ADD, path=place)
    hub.start(contradicts)

    hub.run()

    assert hub.ended()[0] == "Failed"


def test_answer_of_an_ended_execution_is_not_the_next_one_s(place: Place) -> None:
    """A terminated instance's activity ends after another took its id."""

    def asks(context: Any) -> Steps:
        return (yield context.call_activity("echo", context.get_input()))

    hub = Hub(asks, activities={"echo": lambda value: value}, path=place)
    hub.start(asks, "old")
    hub.engine.step()
    (old,) = hub.store.activities()
    hub.engine.terminate("one", "enough")
    hub.engine.run_episode("one")
    hub.start(asks, "new")

    hub.engine.run_activity(old)
    hub.run()

    assert hub.ended() == ("Completed", "new")


def test_child_s_result_is_its_parent_s(place: Place) -> None:
    """Under the id that the parent gave."""
    hub = Hub(calls_child, sequence, activities=ADD, path=place)
    hub.start(calls_child, ["sequence", "child-1"])

    hub.run()

    assert hub.ended() == ("Completed", 3)
    assert hub.ended("child-1") == ("Completed", 3)
    assert hub.instance("child-1").parent == "one"


@pytest.mark.parametrize("name", ["fails", "nobody"])
def test_child_s_failure_is_raised_in_its_parent(place: Place, name: str) -> None:
    """With what the child said; an orchestrator that is not there is named."""
    hub = Hub(calls_child, fails, activities=ADD, path=place)
    hub.start(calls_child, [name, "child-1"])

    hub.run()

    status, said = hub.ended()
    assert status == "Completed"
    assert f"Orchestrator function '{name}' failed" in said
    assert hub.ended("child-1")[0] == "Failed"


def test_terminated_child_is_a_failure_in_its_parent(place: Place) -> None:
    """With the reason."""
    hub = Hub(calls_child, races, path=place)
    hub.start(calls_child, ["races", "child-1"])
    hub.settle()

    hub.engine.terminate("child-1", "enough of it")
    hub.settle()

    status, said = hub.ended()
    assert status == "Completed"
    assert "enough of it" in said


def test_child_of_a_terminated_parent_goes_on(place: Place) -> None:
    """Nobody is told."""
    hub = Hub(calls_child, races, path=place)
    hub.start(calls_child, ["races", "child-1"])
    hub.settle()

    hub.engine.terminate("one", "enough")
    hub.run()

    assert hub.ended() == ("Terminated", "enough")
    assert hub.ended("child-1") == ("Completed", "timer")


def test_child_of_a_replaced_parent_does_not_answer_the_new_one(place: Place) -> None:
    """Its answer is for the execution that asked."""

    def asks_child(context: Any) -> Steps:
        return (yield context.call_sub_orchestrator("races", None, context.get_input()))

    hub = Hub(asks_child, races, path=place)
    hub.start(asks_child, "old child")
    hub.settle()
    hub.engine.terminate("one", "enough")
    hub.settle()
    hub.start(asks_child, "new child")
    hub.settle()

    hub.send("wake", 1, "old child")
    hub.settle()
    after_the_old_answer = hub.ended()
    hub.send("wake", 2, "new child")
    hub.settle()

    assert after_the_old_answer == ("Running", None)
    assert hub.ended() == ("Completed", ["event", 2])


def test_child_under_a_live_id_is_refused(place: Place) -> None:
    """The instance that lives there is not touched."""
    hub = Hub(calls_child, races, path=place)
    hub.start(races, None, "busy")
    hub.settle()
    hub.start(calls_child, ["races", "busy"])

    hub.settle()

    status, said = hub.ended()
    assert status == "Completed"
    assert "'busy' is live already" in said
    assert hub.ended("busy") == ("Running", None)


def test_child_under_a_finished_id_replaces_it(place: Place) -> None:
    """As a start does."""
    hub = Hub(calls_child, sequence, activities=ADD, path=place)
    hub.start(sequence, 10, "child-1")
    hub.run()
    hub.start(calls_child, ["sequence", "child-1"])

    hub.run()

    assert hub.ended() == ("Completed", 3)


def test_grandchildren_answer_through_their_parents(place: Place) -> None:
    """Three generations."""

    def middle(context: Any) -> Steps:
        return (yield context.call_sub_orchestrator("sequence", 5, "leaf"))

    hub = Hub(calls_child, middle, sequence, activities=ADD, path=place)
    hub.start(calls_child, ["middle", "middle-1"])

    hub.run()

    assert hub.ended() == ("Completed", 7)


def test_suspended_instance_takes_nothing_in(place: Place) -> None:
    """Events, answers and timers wait, and there is nothing to do meanwhile."""
    hub = Hub(races, path=place)
    hub.start(races)
    hub.settle()

    hub.engine.suspend("one", "hold")
    hub.send("wake", 1)
    hub.settle()
    hub.pass_time(2 * HOUR)

    assert hub.ended() == ("Suspended", None)
    assert hub.store.next_due() is None


def test_resumed_instance_takes_in_what_came_meanwhile(place: Place) -> None:
    """In the order in which it came."""
    hub = Hub(races, path=place)
    hub.start(races)
    hub.settle()
    hub.engine.suspend("one", "hold")
    hub.send("wake", 1)
    hub.settle()

    hub.engine.resume("one", "go")
    hub.settle()

    assert hub.ended() == ("Completed", ["event", 1])


def test_activity_of_a_suspended_instance_ends_and_its_answer_waits(place: Place) -> None:
    """What was begun is not undone."""
    hub = Hub(sequence, activities=ADD, path=place)
    hub.start(sequence, 1)
    hub.engine.step()
    hub.engine.suspend("one", "hold")

    hub.settle()
    while_suspended = (hub.names(), hub.ended())
    hub.engine.resume("one", "go")
    hub.run()

    assert while_suspended == (["add"], ("Suspended", None))
    assert hub.ended() == ("Completed", 3)


def test_suspended_instance_can_be_terminated(place: Place) -> None:
    """Nothing of what it held is left."""
    hub = Hub(races, path=place)
    hub.start(races)
    hub.settle()
    hub.engine.suspend("one", "hold")
    hub.send("wake", 1)
    hub.settle()

    hub.engine.terminate("one", "enough")
    hub.settle()

    assert hub.ended() == ("Terminated", "enough")
    assert hub.store.next_due() is None


def test_resume_of_a_running_instance_changes_nothing(place: Place) -> None:
    """It goes on as it did."""
    hub = Hub(races, path=place)
    hub.start(races)
    hub.settle()

    hub.engine.resume("one", "go")
    hub.settle()

    assert hub.ended() == ("Running", None)


def test_terminated_instance_ends_with_its_reason(place: Place) -> None:
    """Whatever it waits for; its timer and its queued activity are forgotten."""
    hub = Hub(races, sequence, activities=ADD, path=place)
    hub.start(races)
    hub.start(sequence, 1, "two")
    hub.engine.run_episode("one")
    hub.engine.run_episode("two")

    hub.engine.terminate("one", "enough")
    hub.engine.terminate("two", "enough")
    hub.engine.run_episode("one")
    hub.engine.run_episode("two")

    assert hub.ended("one") == hub.ended("two") == ("Terminated", "enough")
    assert (hub.store.next_due(), hub.store.activities()) == (None, [])


def test_purged_instance_is_gone(place: Place) -> None:
    """With its history."""
    hub = Hub(sequence, activities=ADD, path=place)
    hub.start(sequence, 1)
    hub.run()

    with hub.store.transaction():
        hub.store.purge("one")

    assert hub.store.find_instance("one") is None
    assert hub.store.history("one") == []


def test_history_of_an_ended_instance_stays(place: Place) -> None:
    """Until it is purged or replaced."""
    hub = Hub(sequence, activities=ADD, path=place)
    hub.start(sequence, 1)

    hub.run()

    assert [kind for _, kind in hub.scheduled()] == ["TASK_SCHEDULED"] * 2


def test_custom_status_is_the_last_one_set(place: Place) -> None:
    """It is shown while the instance runs and after."""

    def says(context: Any) -> Steps:
        context.set_custom_status({"phase": "first"})
        yield context.call_activity("add", 1)
        context.set_custom_status({"phase": "second"})

    hub = Hub(says, activities=ADD, path=place)
    hub.start(says)

    hub.engine.step()
    while_running = hub.custom_status()
    hub.run()

    assert (while_running, hub.custom_status()) == ({"phase": "first"}, {"phase": "second"})


def test_unknown_orchestrator_fails_by_name(place: Place) -> None:
    """The extension would refuse the start; here the instance says it."""
    hub = Hub(path=place)
    hub.engine.start("nobody", "one", None)

    hub.run()

    status, said = hub.ended()
    assert status == "Failed"
    assert "there is no orchestrator 'nobody'" in said


def test_entity_call_fails_the_instance_by_name(place: Place) -> None:
    """The engine has no entities, and says so."""

    def asks_entity(context: Any) -> Steps:
        yield context.call_entity(df.EntityId("counter", "1"), "get")

    hub = Hub(asks_entity, path=place)
    hub.start(asks_entity)

    hub.run()

    status, said = hub.ended()
    assert status == "Failed"
    assert "does not do CALL_ENTITY" in said


def test_orchestrator_that_changed_its_mind_is_non_deterministic(place: Place) -> None:
    """A replay must ask for what the history holds."""
    asked = iter(["add", "subtract"])

    def is_fickle(context: Any) -> Steps:
        yield context.call_activity(next(asked), 1)

    hub = Hub(is_fickle, activities=ADD, path=place)
    hub.start(is_fickle)

    hub.run()

    status, said = hub.ended()
    assert status == "Failed"
    assert "event 0 of the history is TASK_SCHEDULED add" in said


def test_output_that_is_no_json_fails_the_instance(place: Place) -> None:
    """The SDK says why."""

    def returns_a_set(context: Any) -> Steps:
        yield context.call_activity("add", 1)
        return {1}

    hub = Hub(returns_a_set, activities=ADD, path=place)
    hub.start(returns_a_set)

    hub.run()

    status, said = hub.ended()
    assert status == "Failed"
    assert "not JSON serializable" in said


def test_instances_do_not_disturb_each_other(place: Place) -> None:
    """A hundred of them, in a seeded order, each with its own answers."""
    order = random.Random(7)
    hub = Hub(
        sequence, activities=ADD, path=place, choose=lambda things: order.randrange(len(things))
    )
    for n in range(100):
        hub.start(sequence, n, f"n{n}")

    hub.run()

    assert [hub.ended(f"n{n}") for n in range(100)] == [("Completed", n + 2) for n in range(100)]


def test_same_seed_gives_the_same_order(place: Place) -> None:
    """So a failure can be played again."""

    def play() -> list[Any]:
        order = random.Random(3)
        hub = Hub(fan_out, activities=ADD, choose=lambda things: order.randrange(len(things)))
        hub.start(fan_out)
        hub.run()
        return hub.calls

    assert play() == play()


def test_database_of_another_version_is_refused(tmp_path: Path) -> None:
    """It is named, and nothing in it is touched."""
    path = tmp_path / "hub.sqlite"
    Store(path).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")

    with pytest.raises(StoreVersionError, match="layout 99"):
        Store(path)
