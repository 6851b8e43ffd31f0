"""Somebody who follows datasets: asks for statuses at a steady rate, in a process of its own, so
that neither whoever drops nor whoever counts delays what is measured.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from multiprocessing.synchronize import Event
from threading import Lock, Thread
from typing import Any
from urllib.parse import urlsplit

CONNECTIONS = 8
_PATIENCE_SECONDS = 60


@dataclass(kw_only=True, slots=True)
class Answers:
    """What was answered.

    Attributes:
        seconds: of each answer, by what it was about ("run", or "dataset" while no run is known),
            counted from when it was due to be asked: a connection that is still busy then makes it
            longer.
        unanswered: what came instead of an answer of 200 or 404.
        cpu_seconds: processor time that asking took.
    """

    seconds: dict[str, list[float]] = field(default_factory=lambda: {"run": [], "dataset": []})
    unanswered: list[str] = field(default_factory=list)
    cpu_seconds: float = 0.0

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(len(each) for each in self.seconds.values())

    def within(self, share: float, *about: str) -> float:
        """Return the seconds within which this share of the answers came; 0 of none."""
        ordered = sorted(each for kind in about or self.seconds for each in self.seconds[kind])
        if not ordered:
            return 0.0
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@contextmanager
def reading(url: str, folders: Sequence[str], a_second: float) -> Iterator[Answers]:
    """Ask `a_second` times a second for the status of a dataset, or of its run once that is known,
    until the block is left; what is yielded is filled in then."""
    spawn = multiprocessing.get_context("spawn")
    over, answers = spawn.Event(), Answers()
    ours, theirs = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_read, args=(url, list(folders), a_second, over, theirs))
    process.start()
    try:
        yield answers
    finally:
        over.set()
        told: Answers = ours.recv()
        answers.seconds, answers.unanswered = told.seconds, told.unanswered
        answers.cpu_seconds = told.cpu_seconds
        process.join()


def _read(url: str, folders: list[str], a_second: float, over: Event, told: Any) -> None:
    reader = _Reader(url, folders, a_second)
    threads = [Thread(target=reader.ask, args=(over,)) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reader.answers.cpu_seconds = time.process_time()
    told.send(reader.answers)


class _Reader:
    """What the threads share; each keeps one connection open."""

    def __init__(self, url: str, folders: list[str], a_second: float) -> None:
        self.answers = Answers()
        self._address = urlsplit(url).netloc
        self._folders, self._every = folders, 1 / a_second
        self._chance = random.Random(1)
        self._due = time.monotonic()
        self._runs: dict[str, str] = {}
        self._lock = Lock()

    def ask(self, over: Event) -> None:
        """Ask whenever something is due."""
        connection = HTTPConnection(self._address, timeout=_PATIENCE_SECONDS)
        while True:
            due, folder = self._next()
            if over.wait(max(due - time.monotonic(), 0)):
                break
            run = self._runs.get(folder)
            path = f"/api/runs/{run}" if run else f"/api/datasets/{folder}"
            document, refused = _get(connection, path)
            seconds = time.monotonic() - due
            with self._lock:
                self.answers.seconds["run" if run else "dataset"].append(seconds)
                self.answers.unanswered += refused
                for run in document.get("runs", ()):
                    self._runs[folder] = run["id"]
        connection.close()

    def _next(self) -> tuple[float, str]:
        with self._lock:
            self._due += self._every
            return self._due, self._chance.choice(self._folders)


def _get(connection: HTTPConnection, path: str) -> tuple[dict[str, Any], list[str]]:
    """Return a status document, and what came instead if that is not one."""
    try:
        connection.request("GET", path)
        with connection.getresponse() as answer:
            body = answer.read()
    except (OSError, HTTPException) as error:
        connection.close()
        return {}, [repr(error)]
    if answer.status not in (200, 404):  # 404: not dropped yet
        return {}, [f"{answer.status}: {body[:300].decode(errors='replace')}"]
    document: dict[str, Any] = json.loads(body)
    return document, []
