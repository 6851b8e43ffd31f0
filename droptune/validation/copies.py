"""Copies of this process, where they are safe: they begin with all that it has loaded."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from threading import Thread
from typing import Any, Generic, TypeVar

T = TypeVar("T")
_THREADS = Path("/proc/self/task")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if sys.platform == "linux" else ()


def may_copy() -> bool:
    """Whether a copy of this process would work: on Linux, and while it has no other thread.

    A copy has one thread, and what the others hold stays held in it for ever. To be asked before
    numpy is loaded, whose threads are none of Python's and end before a copy is made.
    Source: POSIX, fork; OpenBLAS, `pthread_atfork`.
    """
    try:
        return sys.platform == "linux" and len(os.listdir(_THREADS)) == 1
    except OSError:  # no /proc
        return False


def pool_of_copies(workers: int, tell: Callable[[T], object], own: T) -> ProcessPoolExecutor:
    """Return an executor whose processes are copies; each is told first what it has of its own.

    They end with this process, however it ends.
    """
    context = multiprocessing.get_context("fork")
    gc.freeze()  # what is loaded by now stays: no process need look through it again
    executor = ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(tell, own))
    with _undisturbed():
        executor.submit(int)  # with the first call all processes are started
    return executor


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold signals back: what they raise while Python makes a copy would be lost."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _leave_signals_to_parent() -> None:
    """Be a copy that Ctrl-C, which goes to all, does not end: whoever made it ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def _begin(tell: Callable[[T], object], own: T) -> None:
    """Begin as a worker; it has both ends of the pipe that it is told by, so that it never ends."""
    _leave_signals_to_parent()
    Thread(target=_end_with_parent, daemon=True).start()
    tell(own)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


class Copy(Generic[T]):
    """A copy that works out one thing and ends."""

    def __init__(self, work: Callable[[], T]) -> None:
        """Begin; what `work` returns has to be picklable."""
        self._work = work
        context = multiprocessing.get_context("fork")
        self._answer, answering = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_answer, args=(work, self._answer, answering), daemon=True
        )
        with _undisturbed():
            self._process.start()
        answering.close()

    def result(self) -> T:
        """Wait and return what it worked out; if it died (memory), work that out here.

        Raises OSError if it raised one.
        """
        try:
            with self._answer:
                found = self._answer.recv()
        except EOFError:
            return self._work()
        self._process.join()
        if isinstance(found, OSError):
            raise found
        return found  # type: ignore[no-any-return]

    def end(self) -> None:
        """End it, whatever it does; it may have ended."""
        self._process.kill()
        self._process.join()


def _answer(work: Callable[[], Any], asking: Connection, answering: Connection) -> None:
    _leave_signals_to_parent()
    asking.close()  # else an answer could not be seen to be wanted by nobody
    with suppress(BrokenPipeError):
        try:
            found = work()
        except OSError as error:
            found = error
        answering.send(found)
