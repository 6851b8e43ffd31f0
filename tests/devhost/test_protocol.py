"""What the real extension and the real SDK do together, seen here too: a hang there is one here."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import pytest
from azure.functions.durable_functions import ActivityTriggerConverter

from devhost.durable.engine import AlreadyLiveError
from tests.devhost.hub import Hub, Steps, answering, failing

RETRY = df.RetryOptions(first_retry_interval_in_milliseconds=1000, max_number_of_attempts=2)
HOUR = timedelta(hours=1)
Place = Path | str


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the SDK warns of each event that came early
        yield


def test_a_retry_options_are_an_interval_and_a_number() -> None:
    """There is no back-off, no cap and no time-out on the wire."""

    def retries(context: Any) -> Steps:
        yield context.call_activity_with_retry("a", RETRY, 1)

    (whole,) = actions_of(retries)
    (action,) = whole["compoundActions"]

    assert action["retryOptions"] == {
        "firstRetryIntervalInMilliseconds": 1000,
        "maxNumberOfAttempts": 2,
    }


def with_retry(context: Any) -> Steps:
    try:
        value = yield context.call_activity_with_retry("flaky", RETRY, 1)
    except Exception as error:  # noqa: BLE001 - the SDK raises nothing narrower
        value = str(error)
    return [value, (yield context.call_activity("after"))]


def test_b_retry_counts_task_timer_task(place: Place) -> None:
    """The next call takes the id after them, on both sides."""
    hub = Hub(
        with_retry,
        activities={"flaky": answering(ValueError("a"), "good"), "after": answering("z")},
        path=place,
    )
    hub.start(with_retry)

    hub.run()

    assert hub.ended() == ("Completed", ["good", "z"])
    assert hub.calls == [("flaky", 1), ("flaky", 1), ("after", None)]
    assert hub.clock.now().microsecond == 0
    assert hub.clock.now().second == 1


def test_b_last_failure_is_followed_by_a_timer_that_is_due_at_once(place: Place) -> None:
    """Two attempts take ids 0 to 3; what comes next has 4 and gets its own answer."""
    hub = Hub(with_retry, activities={"flaky": failing(), "after": answering("z")}, path=place)
    hub.start(with_retry)

    hub.run()

    status, (said, after) = hub.ended()
    assert (status, after) == ("Completed", "z")
    assert "ValueError: boom" in said
    assert [kind for _, kind in hub.scheduled()] == [
        "TASK_SCHEDULED",
        "TIMER_CREATED",
        "TASK_SCHEDULED",
        "TIMER_CREATED",
        "TASK_SCHEDULED",
    ]


def leaves_a_timer(context: Any) -> Steps:
    timer = context.create_timer(context.current_utc_datetime + HOUR)
    yield context.task_any([timer, context.wait_for_external_event("wake")])
    return "over"


def leaves_an_activity(context: Any) -> Steps:
    slow = context.call_activity("slow")
    yield context.task_any([slow, context.wait_for_external_event("wake")])
    return "over"


def leaves_a_child(context: Any) -> Steps:
    child = context.call_sub_orchestrator("sleeps", None, "child")
    yield context.task_any([child, context.wait_for_external_event("wake")])
    return "over"


def leaves_a_retry(context: Any) -> Steps:
    call = context.call_activity_with_retry("flaky", RETRY, 1)
    yield context.task_any([call, context.wait_for_external_event("wake")])
    return "over"


def sleeps(context: Any) -> Steps:
    yield context.create_timer(context.current_utc_datetime + HOUR)


@pytest.mark.parametrize(
    "orchestrator", [leaves_a_timer, leaves_a_child, leaves_a_retry], ids=lambda f: f.__name__
)
def test_c_instance_is_running_while_a_task_is_open(place: Place, orchestrator: Any) -> None:
    """It completes when the loser of its race has come to an end."""
    hub = Hub(orchestrator, sleeps, activities={"flaky": failing()}, path=place)
    hub.start(orchestrator)
    hub.settle()
    hub.send("wake")

    hub.settle()
    with_the_loser_open = hub.ended()
    hub.run()

    assert with_the_loser_open == ("Running", None)
    assert hub.ended() == ("Completed", "over")


def test_c_losing_activity_is_waited_for(place: Place) -> None:
    """The orchestrator has returned, and the instance has not."""
    hub = Hub(leaves_an_activity, activities={"slow": answering("late")}, path=place)
    hub.start(leaves_an_activity)
    hub.engine.step()
    hub.send("wake")
    hub.engine.run_episode("one")
    with_the_loser_open = hub.ended()

    hub.settle()

    assert with_the_loser_open == ("Running", None)
    assert hub.ended() == ("Completed", "over")


def test_c_failing_instance_waits_for_its_open_timer(place: Place) -> None:
    """So does an end with an error."""

    def fails(context: Any) -> Steps:
        timer = context.create_timer(context.current_utc_datetime + HOUR)
        yield context.task_any([timer, context.call_activity("a")])
        raise ValueError("no")

    hub = Hub(fails, activities={"a": answering(1)}, path=place)
    hub.start(fails)

    hub.settle()
    with_the_timer_open = hub.ended()
    hub.run()

    assert with_the_timer_open == ("Running", None)
    assert hub.ended() == ("Failed", "Orchestrator function 'fails' failed: no")


def test_c_continue_as_new_waits_for_an_open_timer(place: Place) -> None:
    """The next execution begins when it has fired."""

    def continues(context: Any) -> Steps:
        if context.get_input():
            return "second"
        timer = context.create_timer(context.current_utc_datetime + HOUR)
        yield context.task_any([timer, context.call_activity("a")])
        context.continue_as_new(1)
        return None

    hub = Hub(continues, activities={"a": answering(1)}, path=place)
    hub.start(continues)

    hub.settle()
    with_the_timer_open = hub.ended()
    hub.run()

    assert with_the_timer_open == ("Running", None)
    assert hub.ended() == ("Completed", "second")


def test_c_cancelled_timer_keeps_nothing_open(place: Place) -> None:
    """An instance that cancels the loser completes at once."""

    def cancels(context: Any) -> Steps:
        timer = context.create_timer(context.current_utc_datetime + HOUR)
        yield context.task_any([timer, context.wait_for_external_event("wake")])
        timer.cancel()
        return "over"

    hub = Hub(cancels, path=place)
    hub.start(cancels)
    hub.settle()
    hub.send("wake")

    hub.settle()

    assert hub.ended() == ("Completed", "over")


def test_d_task_all_of_retries_ends_with_wrong_results(place: Place) -> None:
    """The SDK goes on at the first error, the host waits for all: the ids drift apart."""

    def fans_out(context: Any) -> Steps:
        calls = [context.call_activity_with_retry(name, RETRY) for name in ("bad", "slow")]
        try:
            yield context.task_all(calls)
        except Exception:  # noqa: BLE001 - the SDK raises nothing narrower
            return (yield context.call_activity("good"))

    activities = {"bad": failing(), "slow": failing(), "good": answering("good answer")}
    hub = Hub(fans_out, activities=activities, path=place)
    hub.start(fans_out)

    hub.run()

    assert hub.ended() == ("Completed", None)
    assert "good" in hub.names()


def test_d_task_all_of_sub_orchestrations_ends_with_right_results(place: Place) -> None:
    """One sub-orchestration for each call keeps the ids together."""

    def calls(context: Any) -> Steps:
        return (yield context.call_activity_with_retry(context.get_input(), RETRY))

    def fans_out(context: Any) -> Steps:
        tasks = [context.call_sub_orchestrator("calls", name, name) for name in ("bad", "slow")]
        try:
            yield context.task_all(tasks)
        except Exception:  # noqa: BLE001 - the SDK raises nothing narrower
            return (yield context.call_activity("good"))

    activities = {"bad": failing(), "slow": failing(), "good": answering("good answer")}
    hub = Hub(fans_out, calls, activities=activities, path=place)
    hub.start(fans_out)

    hub.run()

    assert hub.ended() == ("Completed", "good answer")


def races_a_retry(context: Any) -> Steps:
    timer = context.create_timer(context.current_utc_datetime + HOUR)
    yield context.task_any([timer, context.call_activity_with_retry("flaky", RETRY)])
    timer.cancel()
    return (yield context.call_activity("after"))


def test_e_cancelling_a_timer_that_raced_a_retry_is_non_deterministic(place: Place) -> None:
    """A cancelled timer ends the host's race at once, before the retry took its ids."""
    activities = {"flaky": answering(ValueError("a"), "good"), "after": answering("z")}
    hub = Hub(races_a_retry, activities=activities, path=place)
    hub.start(races_a_retry)

    hub.run()

    status, said = hub.ended()
    assert status == "Failed"
    assert "Non-Deterministic workflow detected" in said


def test_e_race_without_a_retry_goes_well(place: Place) -> None:
    """Which is why it is found late."""
    activities = {"flaky": answering("good"), "after": answering("z")}
    hub = Hub(races_a_retry, activities=activities, path=place)
    hub.start(races_a_retry)

    hub.run()

    assert hub.ended() == ("Completed", "z")


def test_f_wait_that_is_yielded_again_is_left_out_of_the_second_race(place: Place) -> None:
    """The host knows only the timer there: what follows the event waits for the timer."""

    def races_twice(context: Any) -> Steps:
        wait = context.wait_for_external_event("x")
        for _ in range(2):
            timer = context.create_timer(context.current_utc_datetime + HOUR)
            yield context.task_any([timer, wait])
        return (yield context.call_activity("a"))

    hub = Hub(races_twice, activities={"a": answering("done")}, path=place)
    hub.start(races_twice)
    hub.settle()
    hub.pass_time(HOUR)
    hub.send("x")

    hub.settle()
    after_the_event = hub.names()
    hub.pass_time(HOUR)

    assert after_the_event == []
    assert hub.ended() == ("Completed", "done")


def test_f_wait_of_a_lost_race_swallows_the_event(place: Place) -> None:
    """What is raised between two races goes to the old wait; the new one never ends."""

    def races_and_polls(context: Any) -> Steps:
        timer = context.create_timer(context.current_utc_datetime + HOUR)
        yield context.task_any([timer, context.wait_for_external_event("x")])
        yield context.call_activity("poll")
        yield context.wait_for_external_event("x")
        return "woken"

    hub = Hub(races_and_polls, activities={"poll": answering(1)}, path=place)
    hub.start(races_and_polls)
    hub.settle()
    hub.clock.at += HOUR
    hub.engine.run_episode("one")  # the timer has won; the poll is queued
    hub.send("x")

    hub.run()

    assert hub.names() == ["poll"]
    assert hub.ended() == ("Running", None)


def waits_twice(context: Any) -> Steps:
    yield context.call_activity("a")
    one = yield context.wait_for_external_event("x")
    two = yield context.wait_for_external_event("x")
    return [one, two]


def test_g_second_early_event_overwrites_the_first(place: Place) -> None:
    """The one that is kept answers every later wait of its name."""
    hub = Hub(waits_twice, activities={"a": answering(0)}, path=place)
    hub.start(waits_twice)
    hub.engine.step()
    hub.send("x", 1)
    hub.send("x", 2)

    hub.run()

    assert hub.ended() == ("Completed", [2, 2])


def test_g_one_early_event_answers_the_sdk_twice_and_the_host_once(place: Place) -> None:
    """The SDK is through; the host waits for a second event, for ever."""
    hub = Hub(waits_twice, activities={"a": answering(0)}, path=place)
    hub.start(waits_twice)
    hub.engine.step()
    hub.send("x", 1)

    hub.run()

    assert hub.ended() == ("Running", None)


def waits_and_polls(context: Any) -> Steps:
    timer = context.create_timer(context.current_utc_datetime + HOUR)
    wait = context.wait_for_external_event("cancel")
    if (yield context.task_any([timer, wait])) is wait:
        timer.cancel()
        return "cancelled"
    yield context.call_activity("poll")
    context.continue_as_new(None)
    return None


def polls_and_waits(context: Any) -> Steps:
    yield context.call_activity("poll")
    timer = context.create_timer(context.current_utc_datetime + HOUR)
    wait = context.wait_for_external_event("cancel")
    if (yield context.task_any([timer, wait])) is wait:
        timer.cancel()
        return "cancelled"
    context.continue_as_new(None)
    return None


def test_h_event_between_a_wait_and_continue_as_new_is_lost(place: Place) -> None:
    """What found no waiter is dropped with its execution."""
    hub = Hub(waits_and_polls, activities={"poll": answering(1)}, path=place)
    hub.start(waits_and_polls)
    hub.settle()
    hub.clock.at += HOUR
    hub.engine.run_episode("one")
    hub.send("cancel")

    hub.settle()
    hub.pass_time(HOUR)

    assert hub.names() == ["poll", "poll"]
    assert hub.ended() == ("Running", None)


def test_h_event_before_the_wait_of_its_execution_is_not_lost(place: Place) -> None:
    """Poll first, then wait: what came during the poll is there."""
    hub = Hub(polls_and_waits, activities={"poll": answering(1)}, path=place)
    hub.start(polls_and_waits)
    hub.settle()
    hub.clock.at += HOUR
    hub.engine.run_episode("one")
    hub.engine.run_episode("one")
    hub.send("cancel")

    hub.settle()

    assert hub.ended() == ("Completed", "cancelled")


def test_i_failing_orchestrator_carries_its_actions_behind_a_label(place: Place) -> None:
    """The host replays them, then fails with the message."""

    def fails(context: Any) -> Steps:
        context.set_custom_status("late")
        yield context.call_activity("a")
        raise KeyError("gone")

    hub = Hub(fails, activities={"a": answering(1)}, path=place)
    hub.start(fails)

    hub.run()

    assert hub.ended() == ("Failed", "Orchestrator function 'fails' failed: 'gone'")
    assert hub.custom_status() == "late"


def test_i_error_inside_the_sdk_has_no_label_and_fails_the_instance(place: Place) -> None:
    """There is nothing to replay."""

    def yields_nonsense(context: Any) -> Steps:
        yield 5

    hub = Hub(yields_nonsense, path=place)
    hub.start(yields_nonsense)

    hub.run()

    status, said = hub.ended()
    assert status == "Failed"
    assert "AttributeError" in said


def test_j_timer_of_ten_days_hops_in_pieces_and_fires_in_time(place: Place) -> None:
    """The SDK makes pieces of three days of what is longer than six."""

    def sleeps_long(context: Any) -> Steps:
        yield context.create_timer(context.current_utc_datetime + timedelta(days=10))
        return context.current_utc_datetime.isoformat()

    hub = Hub(sleeps_long, path=place)
    hub.start(sleeps_long)

    hub.run()

    assert hub.ended() == ("Completed", "2026-01-11T00:00:00+00:00")
    assert len(hub.scheduled()) == 3


@pytest.mark.parametrize(("hops", "ends_on"), [(0, 4), (1, 7)])
def test_j_cancelling_a_long_timer_does_not_cancel_its_pieces(
    place: Place, hops: int, ends_on: int
) -> None:
    """The instance stays open until its present piece has fired."""

    def races(context: Any) -> Steps:
        timer = context.create_timer(context.current_utc_datetime + timedelta(days=10))
        yield context.task_any([timer, context.wait_for_external_event("wake")])
        timer.cancel()
        return "over"

    hub = Hub(races, path=place)
    hub.start(races)
    hub.settle()
    for _ in range(hops):
        hub.pass_time(timedelta(days=3))
    hub.send("wake")

    hub.settle()
    after_the_event = hub.ended()
    hub.run()

    assert after_the_event == ("Running", None)
    assert hub.ended() == ("Completed", "over")
    assert hub.clock.now().day == ends_on


def test_k_task_any_never_raises(place: Place) -> None:
    """A winner that failed has the error for its result."""

    def races(context: Any) -> Steps:
        winner = yield context.task_any([context.call_activity("bad")])
        return isinstance(winner.result, Exception)

    hub = Hub(races, activities={"bad": failing()}, path=place)
    hub.start(races)

    hub.run()

    assert hub.ended() == ("Completed", True)


def test_k_task_all_of_nothing_is_none(place: Place) -> None:
    """Not an empty list."""

    def waits_for_nothing(context: Any) -> Steps:
        return [(yield context.task_all([]))]

    hub = Hub(waits_for_nothing, path=place)
    hub.start(waits_for_nothing)

    hub.run()

    assert hub.ended() == ("Completed", [None])


def test_k_task_all_inside_task_any_can_break_the_sdk(place: Place) -> None:
    """Its second child reports to a race that is over."""

    def races(context: Any) -> Steps:
        both = context.task_all([context.call_activity("bad"), context.call_activity("good")])
        timer = context.create_timer(context.current_utc_datetime + HOUR)
        yield context.task_any([both, timer])
        timer.cancel()
        yield context.call_activity("good")
        yield context.call_activity("good")

    hub = Hub(races, activities={"bad": failing(), "good": answering(1)}, path=place)
    hub.start(races)

    hub.run()

    status, said = hub.ended()
    assert status == "Failed"
    assert "completed twice" in said


def test_l_default_id_of_a_child_is_new_in_each_execution(place: Place) -> None:
    """It is made of the execution's id and the event's."""

    def child(context: Any) -> Steps:
        return context.instance_id
        yield

    def parent(context: Any) -> Steps:
        before = context.get_input()
        here = yield context.call_sub_orchestrator("child")
        if not before:
            context.continue_as_new(here)
            return None
        return [before, here]

    hub = Hub(parent, child, path=place)
    hub.start(parent)

    hub.run()

    status, (before, after) = hub.ended()
    assert status == "Completed"
    assert before != after
    assert {name.rpartition(":")[2] for name in (before, after)} == {"0"}


def parent_of(child_id: str) -> Any:
    def parent(context: Any) -> Steps:
        try:
            yield context.call_sub_orchestrator("middle", None, child_id)
        except Exception as error:  # noqa: BLE001 - the SDK raises nothing narrower
            return str(error)

    return parent


@pytest.mark.parametrize("child_id", ["one", "ONE"])
def test_l_child_with_the_id_of_its_parent_is_refused(place: Place, child_id: str) -> None:
    """The extension swallows its refusal and waits; here it is an error that says so."""
    parent = parent_of(child_id)

    def middle(context: Any) -> Steps:
        yield context.call_activity("never")

    hub = Hub(parent, middle, path=place)
    hub.start(parent)

    hub.run()

    status, said = hub.ended()
    assert status == "Completed"
    assert "the id" in said
    assert hub.calls == []


def test_l_child_with_the_id_of_its_grandparent_is_refused(place: Place) -> None:
    """The check looks at the instance and at its parent."""
    parent = parent_of("two")

    def middle(context: Any) -> Steps:
        yield context.call_sub_orchestrator("middle", None, "one")

    hub = Hub(parent, middle, path=place)
    hub.start(parent)

    hub.run()

    status, said = hub.ended()
    assert status == "Completed"
    assert "'one' is that of the instance itself or of its parent" in said


def test_l_parent_has_no_way_to_send_an_event() -> None:
    """The SDK's context offers none."""
    assert not [name for name in dir(df.DurableOrchestrationContext) if "raise" in name]


def test_m_id_is_given_when_a_task_is_yielded(place: Place) -> None:
    """Not when it is made."""

    def yields_backwards(context: Any) -> Steps:
        made_first, made_second = context.call_activity("a"), context.call_activity("b")
        yield made_second
        yield made_first

    hub = Hub(yields_backwards, activities={"a": answering(1), "b": answering(2)}, path=place)
    hub.start(yields_backwards)

    hub.run()

    assert hub.names() == ["b", "a"]
    assert hub.ended()[0] == "Completed"


def test_m_offset_of_a_timer_is_ignored(place: Place) -> None:
    """03:00+02:00 fires at 03:00 UTC."""

    def sleeps_elsewhere(context: Any) -> Steps:
        at = context.current_utc_datetime + 3 * HOUR
        yield context.create_timer(at.replace(tzinfo=timezone(2 * HOUR)))

    hub = Hub(sleeps_elsewhere, path=place)
    hub.start(sleeps_elsewhere)

    hub.run()

    assert hub.clock.now().hour == 3


def test_n_falsy_custom_status_is_not_sent() -> None:
    """An empty one cannot overwrite anything."""

    def says_nothing(context: Any) -> Steps:
        context.set_custom_status({})
        yield context.call_activity("a")

    assert "customStatus" not in answer_of(says_nothing)


def test_n_custom_status_outlives_continue_as_new_by_one_episode(place: Place) -> None:
    """Set it again at the top."""

    def continues(context: Any) -> Steps:
        if not context.get_input():
            context.set_custom_status("first")
            context.continue_as_new(1)
            return
        yield context.call_activity("a")
        yield context.wait_for_external_event("x")

    hub = Hub(continues, activities={"a": answering(1)}, path=place)
    hub.start(continues)

    hub.engine.run_episode("one")
    hub.engine.run_episode("one")
    in_the_first_episode = hub.custom_status()
    hub.settle()

    assert in_the_first_episode == "first"
    assert hub.custom_status() is None


def test_o_start_of_a_live_id_is_refused(place: Place) -> None:
    """Pending, running or suspended; the HTTP answer is 500."""
    hub = Hub(sleeps, path=place)
    hub.start(sleeps)

    with pytest.raises(AlreadyLiveError):
        hub.start(sleeps)
    hub.settle()
    with pytest.raises(AlreadyLiveError):
        hub.start(sleeps)
    hub.engine.suspend("one", "")
    hub.settle()
    with pytest.raises(AlreadyLiveError):
        hub.start(sleeps)


def test_o_finished_id_is_replaced(place: Place) -> None:
    """Nothing of the old instance is left."""

    def echoes(context: Any) -> Steps:
        return (yield context.call_activity("echo", context.get_input()))

    hub = Hub(echoes, activities={"echo": lambda value: value}, path=place)
    hub.start(echoes, "old")
    hub.run()

    hub.start(echoes, "new")
    hub.run()

    assert hub.ended() == ("Completed", "new")
    assert len(hub.scheduled()) == 1


def test_o_unknown_activity_fails_by_name_instead_of_waiting_for_ever(place: Place) -> None:
    """A difference: the extension swallows the error, and nobody sees why it hangs."""

    def mistypes(context: Any) -> Steps:
        yield context.call_activity("uplaod")

    hub = Hub(mistypes, path=place)
    hub.start(mistypes)

    hub.run()

    status, said = hub.ended()
    assert status == "Failed"
    assert "there is no activity 'uplaod'; Azure would wait for ever here" in said


def test_p_functions_of_an_app_can_be_asked_for_once() -> None:
    """A second call raises."""
    app = func.FunctionApp()
    app.route("a")(lambda req: "")
    app.get_functions()

    with pytest.raises(ValueError, match="unique"):
        app.get_functions()


class Custom:
    """Something that is no plain JSON."""

    @staticmethod
    def to_json(thing: Custom) -> str:
        return "custom"


def test_q_strict_typing_writes_an_object_with_to_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the top level only."""
    monkeypatch.setenv("AZURE_FUNCTIONS_DURABLE_STRICT_TYPING", "1")

    written = ActivityTriggerConverter.encode(Custom(), expected_type=None)

    assert "custom" in written.value


def test_q_strict_typing_refuses_what_is_nested(monkeypatch: pytest.MonkeyPatch) -> None:
    """And reading it."""
    monkeypatch.setenv("AZURE_FUNCTIONS_DURABLE_STRICT_TYPING", "1")
    written = '{"__class__": "Custom", "__module__": "m", "__data__": "custom"}'
    datum = func.meta.Datum(written, "json")

    with pytest.raises(ValueError, match="serializable"):
        ActivityTriggerConverter.encode({"nested": Custom()}, expected_type=None)
    with pytest.raises(ValueError, match="serializable"):
        ActivityTriggerConverter.decode(datum, trigger_metadata=None)


def answer_of(orchestrator: Any) -> Any:
    """Return what the SDK answers in the first episode."""
    at = "2026-01-01T00:00:00.000000Z"
    rows = [
        {"EventType": 12, "EventId": -1, "IsPlayed": False, "Timestamp": at},
        {"EventType": 0, "EventId": -1, "IsPlayed": False, "Timestamp": at}
        | {"Name": "o", "Version": "", "Input": None},
    ]
    body = {
        "history": rows,
        "input": None,
        "instanceId": "one",
        "isReplaying": False,
        "parentInstanceId": None,
        "upperSchemaVersion": 2,
    }
    return json.loads(df.Orchestrator.create(orchestrator)(json.dumps(body)))


def actions_of(orchestrator: Any) -> Any:
    """Return the actions of the first episode."""
    return answer_of(orchestrator)["actions"][0]
