"""Coroutines run to their end in the thread that asks, and inside one another: nothing waits.

The app's triggers and the emulator's handlers are coroutines. None of them waits for anything but
`asyncio.to_thread`, so a loop whose executor runs what it is given at once is all they need, and
the order of everything is the order of the calls.
"""

from __future__ import annotations

from asyncio import events
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class WaitingError(RuntimeError):
    """A coroutine waits for something that nobody here will bring about."""


class _InlineLoop:
    """A running loop, as far as `asyncio.to_thread` asks one."""

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        """Run a function now and return what can be awaited."""
        return _finished(func(*args))

    def get_debug(self) -> bool:
        """Return false."""
        return False


async def _finished(value: T) -> T:
    return value


_LOOP = _InlineLoop()


def run_inline(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end; raises what it raises."""
    before = events._get_running_loop()
    events._set_running_loop(_LOOP)  # type: ignore[arg-type]  # as much of a loop as is asked
    try:
        coroutine.send(None)
    except StopIteration as ended:
        return ended.value  # type: ignore[no-any-return]
    finally:
        events._set_running_loop(before)
    coroutine.close()
    raise WaitingError(f"{coroutine!r} waits")
