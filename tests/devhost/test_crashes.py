"""A process that dies between any two writes: the next one ends the story the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import pytest

from devhost.durable.history import Kind
from devhost.durable.replay import VirtualClock
from devhost.durable.store import Store
from tests.devhost.hub import Hub, Steps

HOUR = timedelta(hours=1)
RETRY = df.RetryOptions(first_retry_interval_in_milliseconds=1000, max_number_of_attempts=3)
EPISODES = (Kind.ORCHESTRATOR_STARTED, Kind.ORCHESTRATOR_COMPLETED)
Effects = list[tuple[str, Any]]


class PowerCutError(BaseException):
    """The process is gone."""


class DyingStore(Store):
    """A store whose process dies before or after its n-th write; a commit is a write too."""

    def __init__(self, path: Path | str, *, at: int, after: bool) -> None:
        self.writes = 0
        self._at, self._after = at, after
        super().__init__(path)

    @contextmanager
    def transaction(self) -> Iterator[Store]:
        with super().transaction():
            yield self
            self._before()
        self._survive()

    def _execute(self, query: str, values: Any) -> Any:
        self._before()
        done = super()._execute(query, values)
        self._survive()
        return done

    def _before(self) -> None:
        self.writes += 1
        if self.writes == self._at and not self._after:
            raise PowerCutError

    def _survive(self) -> None:
        if self.writes == self._at and self._after:
            raise PowerCutError


def story(context: Any) -> Steps:
    """Everything that can be written: two executions with all kinds of waits in each."""
    told = context.get_input() or []
    context.set_custom_status({"chapter": len(told)})
    first = yield context.call_activity("note", f"begin {len(told)}")
    yield context.create_timer(context.current_utc_datetime + HOUR)
    try:
        yield context.call_activity_with_retry("flaky", RETRY, len(told))
    except Exception:  # noqa: BLE001 - the SDK raises nothing narrower
        flaky = "gave up"
    both = yield context.task_all([context.call_activity("note", n) for n in ("x", "y")])
    child = yield context.call_sub_orchestrator("child", first, f"child-{len(told)}")
    timer = context.create_timer(context.current_utc_datetime + HOUR)
    event = context.wait_for_external_event("go")
    yield context.task_any([timer, event])
    timer.cancel()
    told = [*told, [first, flaky, both, child, event.result]]
    if len(told) < 2:
        context.continue_as_new(told)
        return None
    return told


def child(context: Any) -> Steps:
    heard = yield context.call_activity("note", "child")
    yield context.create_timer(context.current_utc_datetime + HOUR)
    return [context.get_input(), heard]


ENDED = [
    [
        f"begin {n} noted",
        "gave up",
        ["x noted", "y noted"],
        [f"begin {n} noted", "child noted"],
        n,
    ]
    for n in range(2)
]


def test_story_without_a_crash_ends_as_told(tmp_path: Path) -> None:
    """What the others are held against; it writes often enough to be worth it."""
    effects: Effects = []
    store = DyingStore(tmp_path / "hub", at=0, after=False)

    hub = live(store, VirtualClock(), effects)

    assert hub.ended() == ("Completed", ENDED)
    assert len(effects) == 14
    assert store.writes > 150


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("part", range(8))
def test_crash_at_any_write_changes_nothing_but_time(
    tmp_path: Path, part: int, after: bool
) -> None:
    """Same end, same history, each activity at least once, no message lost or left over."""
    told, writes, effects_told = uncut(tmp_path / "uncut")

    for at in range(1 + part, writes + 1, 8):
        path, clock, effects = tmp_path / f"cut-{at}", VirtualClock(), list[tuple[str, Any]]()
        with pytest.raises(PowerCutError):
            live(DyingStore(path, at=at, after=after), clock, effects)
        hub = live(Store(path), clock, effects)
        hub.store.close()
        path.unlink()

        assert hub.ended_as == ("Completed", ENDED), at
        assert hub.told == told, at
        assert set(effects) == set(effects_told), at
        assert len(effects) - len(effects_told) in (0, 1), at
        assert hub.left == ([], None), at


@pytest.mark.parametrize("pace", [29, 37, 53])
def test_process_that_dies_again_and_again_gets_there(tmp_path: Path, pace: int) -> None:
    """Each time a little further."""
    told, _, effects_told = uncut(tmp_path / "uncut")
    clock, effects = VirtualClock(), list[tuple[str, Any]]()

    deaths, hub = 0, None
    while hub is None:
        try:
            hub = live(
                DyingStore(tmp_path / "hub", at=pace, after=bool(deaths % 2)), clock, effects
            )
        except PowerCutError:
            deaths += 1

    assert deaths > 2
    assert hub.ended_as == ("Completed", ENDED)
    assert hub.told == told
    assert set(effects) == set(effects_told)


class Lived(Hub):
    """A hub at the end of its story."""

    ended_as: tuple[str, Any]
    told: list[Any]
    left: tuple[list[Any], Any]


def live(store: Store, clock: VirtualClock, effects: Effects) -> Lived:
    """Start the story unless it was started, and be the world around it until it has ended."""
    hub = Lived(story, child, activities=activities(effects), store=lambda _: store, clock=clock)
    try:
        if store.find_instance("one") is None:
            hub.start(story)
        hub.settle()
        while hub.instance().is_live:
            go_on(hub)
        hub.ended_as, hub.told = hub.ended(), events_of(hub)
        hub.left = (store.activities(), store.next_due())
    except BaseException:
        store.close()
        raise
    return hub


def go_on(hub: Hub) -> None:
    """Raise the event when the story waits for it; else let time pass."""
    awaited = [row for row in hub.store.history("one") if row["EventType"] == Kind.SUB_COMPLETED]
    if awaited:
        status = hub.custom_status()
        hub.send("go", status["chapter"])
    else:
        due = hub.store.next_due()
        assert due is not None
        hub.clock.at = due
    hub.settle()


def activities(effects: Effects) -> dict[str, Callable[[Any], Any]]:
    """Return activities whose effects outlive the process."""

    def note(text: Any) -> Any:
        effects.append(("note", text))
        return f"{text} noted"

    def flaky(number: Any) -> Any:
        effects.append(("flaky", number))
        raise ValueError("never")

    return {"note": note, "flaky": flaky}


def events_of(hub: Hub) -> list[Any]:
    """Return what the last execution's history tells, without times and episodes."""
    names = ("EventType", "EventId", "TaskScheduledId", "TimerId", "Name", "Result", "Input")
    rows = hub.store.history("one")
    return [[row.get(name) for name in names] for row in rows if row["EventType"] not in EPISODES]


def uncut(path: Path) -> tuple[list[Any], int, Effects]:
    """Return the story's history, the number of its writes and its effects, without a crash."""
    effects: Effects = []
    store = DyingStore(path, at=0, after=False)
    hub = live(store, VirtualClock(), effects)
    store.close()
    return hub.told, store.writes, effects
