"""Driving the engine in a host: episodes in one thread, activities in a few."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from devhost.durable.engine import Engine
from devhost.durable.store import QueuedActivity

LONGEST_REST = 1.0
_STOP_SECONDS = 2.0
_logger = logging.getLogger(__name__)


class SystemClock:
    """The real time."""

    def now(self) -> datetime:
        """Return the aware UTC time."""
        return datetime.now(UTC)


class EngineThread:
    """Does what is due until it is stopped; what is cut off runs again at the next start.

    Each activity has a thread of its own while it runs, so a slow one holds up nobody's episodes
    and nobody's HTTP answers; `most_activities` of them run at once, the others wait in the store.
    """

    def __init__(self, engine: Engine, most_activities: int) -> None:
        """Drive `engine`."""
        self._engine = engine
        self._wake, self._stop = threading.Event(), threading.Event()
        self._running: set[int] = set()
        self._most = most_activities
        self._pool = ThreadPoolExecutor(most_activities, thread_name_prefix="activity")
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Say that there is something to do."""
        self._wake.set()

    def stop(self) -> None:
        """Stop taking up work; nothing is waited for but the step that is being written."""
        self._stop.set()
        self.wake()
        self._thread.join(_STOP_SECONDS)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                self._advance()
                rest = self._rest()
            except Exception:
                _logger.exception("The engine could not write; it tries again")
                rest = LONGEST_REST
            self._wake.wait(rest)

    def _advance(self) -> None:
        store = self._engine.store
        while not self._stop.is_set() and (ready := store.ready(datetime.now(UTC))):
            for instance in ready:
                self._engine.run_episode(instance)
            self._begin_activities()
        self._begin_activities()

    def _begin_activities(self) -> None:
        """Begin what waits longest, as far as there are threads: the store is not asked for the
        thousand others each time that one has ended."""
        running = set(self._running)  # before the look: one that ends meanwhile does not run again
        free = self._most - len(running)
        if free <= 0:
            return
        listed = self._engine.store.activities(self._most + len(running))
        for activity in [each for each in listed if each.id not in running][:free]:
            if not self._stop.is_set():
                self._running.add(activity.id)
                self._pool.submit(self._work, activity)

    def _work(self, activity: QueuedActivity) -> None:
        try:
            self._engine.run_activity(activity)
        except Exception:
            _logger.exception("Activity %s could not be written; it runs again", activity.name)
            self._stop.wait(LONGEST_REST)  # a full disk is not mended at once
        finally:
            self._running.discard(activity.id)
            self.wake()

    def _rest(self) -> float:
        due = self._engine.store.next_due()
        if due is None:
            return LONGEST_REST
        return min(max((due - datetime.now(UTC)).total_seconds(), 0.0), LONGEST_REST)
