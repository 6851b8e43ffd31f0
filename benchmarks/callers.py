"""Callers that follow a project's pointer, as `examples/caller.py` does, while the champion is
replaced, the app is killed and started again, and the champion is rolled back: does a call fail,
and how long does the way back take?

    python -m benchmarks.callers
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from openai import OpenAIError
from requests import RequestException

from benchmarks.machine import describe, spread
from droptune.cli.local_app import EMULATOR_KEY, LocalApp
from examples.caller import CurrentModel
from tests.end_to_end.line import Line, an_example, write_dataset

CALLERS = 4
LOOK_AGAIN_SECONDS = 0.5
_PAUSE_SECONDS = 0.03
_ENOUGH = 25  # calls between two changes


@dataclass(kw_only=True, slots=True)
class Calls:
    """What callers saw.

    Attributes:
        answered: for each call when it was answered, and by which model.
        failed: what failed calls said.
        seconds: how long each answered call took.
        rollback_seconds: from asking for the rollback until the pointer names the old model.
        followed_seconds: from asking for the rollback until no caller uses the newer model.
    """

    answered: list[tuple[float, str]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    rollback_seconds: float = 0.0
    followed_seconds: float = 0.0

    def models(self) -> list[str]:
        """Return the models that answered, in the order in which each began to."""
        return list(dict.fromkeys(model for _, model in sorted(self.answered)))

    def of(self, model: str) -> int:
        """Return how many calls a model answered."""
        return sum(each == model for _, each in self.answered)


def call_through_changes(line: Line, folder: Path, *, project: str = "called") -> Calls:
    """Promote, call, promote again, kill the app, roll back, all while callers call."""
    first = _promote(line, folder / "one", project, "v1", "First: {n}!")
    calls = Calls()
    with _callers(line, project, calls):
        _wait_for_more(calls)
        second = _promote(line, folder / "two", project, "v2", "Second: {n}!")
        _wait_until_answers(calls, second)
        line.app.kill_host()
        _wait_for_more(calls)
        line.app.start_host()
        _wait_for_more(calls)
        _roll_back(line, project, first, calls)
        _wait_for_more(calls)
    return calls


def _promote(line: Line, folder: Path, project: str, version: str, answer: str) -> str:
    examples = [an_example(n, answer=answer) for n in range(12)]
    run = line.drop(write_dataset(folder, examples), project=project, version=version)
    status = line.follow(run["id"])
    if status["outcome"] != "promoted":
        raise RuntimeError(f"{status['id']} ended {status['phase']}: {status['message']}")
    return str(status["job"]["fine_tuned_model"])


def _roll_back(line: Line, project: str, wanted: str, calls: Calls) -> None:
    asked = time.monotonic()
    line.client.post("projects", project, "rollback", body={"reason": "measured"})
    while line.client.get("projects", project, "champion")["model"] != wanted:
        time.sleep(0.01)
    calls.rollback_seconds = time.monotonic() - asked
    _wait_until_answers(calls, wanted)
    _wait_for_more(calls)
    calls.followed_seconds = max(at for at, model in calls.answered if model != wanted) - asked


@contextmanager
def _callers(line: Line, project: str, calls: Calls) -> Iterator[None]:
    model = CurrentModel(
        line.app.app_url,
        project,
        key="",
        api_key=EMULATOR_KEY,
        longest_seconds=LOOK_AGAIN_SECONDS,
    )
    stop = threading.Event()
    threads = [
        threading.Thread(target=_call, args=(model, calls, stop), daemon=True)
        for _ in range(CALLERS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)


def _call(model: CurrentModel, calls: Calls, stop: threading.Event) -> None:
    question = [{"role": "user", "content": "Which number comes after 3?"}]
    while not stop.wait(_PAUSE_SECONDS):
        asked = time.monotonic()
        try:
            answer = model.ask(question, max_completion_tokens=20)
        except (OpenAIError, RequestException) as error:
            calls.failed.append(f"{type(error).__name__}: {error}")
            continue
        calls.answered.append((time.monotonic(), str(answer.model)))
        calls.seconds.append(time.monotonic() - asked)


def _wait_for_more(calls: Calls) -> None:
    wanted = len(calls.answered) + len(calls.failed) + _ENOUGH
    _wait(lambda: len(calls.answered) + len(calls.failed) >= wanted)


def _wait_until_answers(calls: Calls, model: str) -> None:
    _wait(lambda: bool(calls.answered) and calls.answered[-1][1] == model)


def _wait(until: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not until() and time.monotonic() < deadline:
        time.sleep(0.02)


def main() -> None:
    """Call, and print what was seen; exit with 1 if a call failed."""
    print(describe())
    with tempfile.TemporaryDirectory() as state:
        place = Path(state)
        with LocalApp(state=place / "state", time_scale=200) as app:
            calls = call_through_changes(Line(app), place / "dropped")
    print(f"callers, calls, failed    {CALLERS}, {len(calls.answered)}, {len(calls.failed)}")
    print(f"models, in order          {', '.join(str(calls.of(m)) for m in calls.models())} calls")
    print(f"seconds a call            {spread(calls.seconds)}")
    print(f"rollback                  {calls.rollback_seconds:.2f} s")
    print(f"all callers follow after  {calls.followed_seconds:.2f} s, asked every "
          f"{LOOK_AGAIN_SECONDS} s")  # fmt: skip
    raise SystemExit(1 if calls.failed else 0)


if __name__ == "__main__":
    main()
