"""One emulated resource as the handlers see it: its state, its clock, its key."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from emulator.clock import Clock, PacedClock
from emulator.learner import Learned
from emulator.learning import find_learned, learn
from emulator.records import Job
from emulator.state import State
from emulator.training import settle


class Emulator:
    """What `request.app.state.emulator` is."""

    def __init__(self, state: State, clock: Clock, key: str) -> None:
        self.state = state
        self.clock = clock
        self.key = key
        self._paced = clock if isinstance(clock, PacedClock) else None
        self._learning = asyncio.Lock()

    @property
    def now(self) -> float:
        """The emulated Unix time up to which everything has happened."""
        return self.state.settled_at

    @property
    def now_at(self) -> datetime:
        """The same as an aware UTC time."""
        return datetime.fromtimestamp(self.now, UTC)

    def seen(self, at: float) -> int:
        """Return the Unix time on the wire of an emulated one: callers' clocks are not scaled."""
        return int(self._paced.seen(at) if self._paced is not None else at)

    async def settle(self) -> None:
        """Let happen what is due by the clock."""
        now = self.clock.now().timestamp()
        while (job := settle(self.state, now)) is not None:
            await self.learned(job)

    async def learned(self, job: Job) -> Learned:
        """Return what a job's training leaves; it is trained in a thread when first asked for."""
        found = find_learned(self.state, job)
        if found is not None:
            return found
        async with self._learning:
            found = find_learned(self.state, job)
            if found is None:
                found = await asyncio.to_thread(learn, self.state, job)
                self.state.learned[job.id] = found
        return found
