"""Failures that a test orders in advance."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class _Order:
    error: Exception
    after: bool


class CrashError(BaseException):
    """The worker was killed: nothing catches this."""


class Fuse:
    """Kills the worker once, at the n-th point between effects, counted over all fakes."""

    def __init__(self, at: int) -> None:
        self._left = at

    @property
    def is_burnt(self) -> bool:
        """Whether the worker was killed."""
        return self._left < 0

    def burn(self) -> None:
        """Pass a point: before and after each call of a fake."""
        self._left -= 1
        if self._left == -1:
            raise CrashError


class Scripted:
    """Base of fakes whose next calls can be told to fail, and that remember what was called."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.fuse: Fuse | None = None
        self._orders: dict[str, deque[_Order]] = defaultdict(deque)
        self._before: dict[str, deque[Callable[[], object]]] = defaultdict(deque)

    def fail_next(self, method: str, error: Exception, *, after: bool = False) -> None:
        """Let the next call of a method fail; `after` it has had its effect, or before."""
        if not callable(getattr(self, method, None)):
            raise AttributeError(f"{type(self).__name__} has no method {method!r}")
        self._orders[method].append(_Order(error=error, after=after))

    def before_next(self, method: str, happens: Callable[[], object]) -> None:
        """Let something happen just before the next call of a method has its effect."""
        self._before[method].append(happens)

    @contextmanager
    def _call(self, method: str) -> Iterator[None]:
        self.calls.append(method)
        self._pass_point()
        if self._before[method]:
            self._before[method].popleft()()
        order = self._orders[method].popleft() if self._orders[method] else None
        if order and not order.after:
            raise order.error
        yield
        self._pass_point()
        if order:
            raise order.error

    def _pass_point(self) -> None:
        if self.fuse is not None:
            self.fuse.burn()
