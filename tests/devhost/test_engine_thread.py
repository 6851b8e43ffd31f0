"""The thread that drives the engine, and the few that run activities."""

from __future__ import annotations

import json
import threading
from collections import Counter

from devhost.durable.engine import Engine, Functions
from devhost.durable.store import QueuedActivity, Store
from devhost.engine_thread import EngineThread, SystemClock

MANY, MOST, PATIENCE = 200, 3, 30


class CountingStore(Store):
    """Remembers how many activities were read at once."""

    def __init__(self) -> None:
        super().__init__(":memory:")
        self.read = 0

    def activities(self, most: int = -1) -> list[QueuedActivity]:
        """See Store."""
        found = super().activities(most)
        self.read = max(self.read, len(found))
        return found


def test_many_activities_run_once_each_and_the_store_is_read_for_few_at_a_time() -> None:
    """What a thousand datasets queue is not read a thousand times over."""
    ran: Counter[str] = Counter()
    all_ran, lock = threading.Event(), threading.Lock()

    def act(text: str | None) -> str:
        with lock:
            ran[text or ""] += 1
            if len(ran) == MANY:
                all_ran.set()
        return json.dumps(None)

    store = CountingStore()
    for number in range(MANY):
        store.queue_activity("nobody", 1, number, "act", str(number))
    engine = Engine(Functions(orchestrators={}, activities={"act": act}), store, SystemClock())
    thread = EngineThread(engine, MOST)

    thread.start()
    in_time = all_ran.wait(PATIENCE)
    thread.stop()

    assert in_time
    assert set(ran.values()) == {1}
    assert store.read <= 2 * MOST
