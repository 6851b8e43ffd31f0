"""What an orchestration awaits: done or not, and what goes on then."""

from __future__ import annotations

from collections.abc import Callable, Sequence


class Future:
    """Something that is awaited; it is done once."""

    def __init__(self) -> None:
        """Make one that is not done."""
        self.is_done = False
        self.has_failed = False
        self._callbacks: list[Callable[[], None]] = []

    def then(self, callback: Callable[[], None]) -> None:
        """Call back when it is done, at once if it is."""
        if self.is_done:
            callback()
        else:
            self._callbacks.append(callback)

    def finish(self, *, failed: bool = False) -> None:
        """Say that it is done; a second time changes nothing."""
        if self.is_done:
            return
        self.is_done, self.has_failed = True, failed
        for callback in self._callbacks:
            callback()


def finished() -> Future:
    """Return a future that is done."""
    future = Future()
    future.finish()
    return future


def compound(futures: Sequence[Future], *, any_of: bool) -> Future:
    """Return a future that is done with the first or with all of them, failed ones included."""
    outer, enough = Future(), any if any_of else all

    def look() -> None:
        if not futures or enough(future.is_done for future in futures):
            outer.finish()

    for future in futures:
        future.then(look)
    look()
    return outer
