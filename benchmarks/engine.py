"""What the local engine costs: CPU time and fsyncs of an activity, how long a monitor's history
gets, and how many orchestrations a second one host and two beside each other do.

python -m benchmarks.engine
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import azure.durable_functions as df

from benchmarks.machine import describe, spread
from devhost.durable.engine import Engine, Functions
from devhost.durable.replay import VirtualClock
from devhost.durable.store import Store
from devhost.engine_thread import EngineThread, SystemClock
from orchestrators.wait_for_job import wait_for_job

RUNS = 5
INSTANCES = 20
ACTIVITIES = (1, 10, 25, 50)
POLLS = (10, 100, 1_000)
ORCHESTRATIONS, STEPS, AT_ONCE = 300, 5, 10  # of each host
_REQUEST = {"run": {"id": "run", "dataset": {}}, "about": "", "text": "x" * 1_000}


def main() -> None:
    """Print every figure with the machine it was measured on."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    print(describe())
    direct = min(_direct() for _ in range(RUNS))
    print(f"activity run directly                  {direct:.4f} ms CPU")
    for count in ACTIVITIES:
        costs = [_engine(count) for _ in range(RUNS)]
        print(
            f"activity of {count:>2} on the engine            {spread(costs)} ms CPU, "
            f"{min(costs) / direct:.0f} times as much, {min(costs) - direct:.2f} ms of overhead"
        )
    print(f"fsyncs of {ACTIVITIES[2] * INSTANCES} activities               {_fsyncs()}")
    for hosts in (1, 2):
        rates = [_rate(hosts) for _ in range(RUNS)]
        print(
            f"orchestrations a second, {hosts} host{'s' if hosts > 1 else ' '}      "
            f"{spread(rates)}, of {STEPS} activities each"
        )
    for polls in POLLS:
        rows, size, cost = _monitor(polls)
        print(
            f"job polled {polls:>5} times                 {rows} history rows at most, "
            f"{size:,} bytes, {cost:.2f} ms CPU a poll"
        )


def _activity(text: str | None) -> str:
    """Stand for an activity: reads its input and writes an answer of the usual size."""
    request = json.loads(text or "null")
    return json.dumps({"value": {"run": request["run"], "status": "running"}})


def _direct() -> float:
    text, times = json.dumps(_REQUEST), 1_000
    started = time.process_time()
    for _ in range(times):
        _activity(text)
    return (time.process_time() - started) * 1000 / times


def _steps(context: Any) -> Any:
    for _ in range(context.get_input()):
        yield context.call_activity("step", _REQUEST)


def _engine(count: int) -> float:
    """Return the CPU milliseconds of an activity in an orchestration of so many, in a file."""
    with tempfile.TemporaryDirectory() as folder:
        engine, _ = _prepare(Path(folder), _steps, {"step": _activity})
        for number in range(INSTANCES):
            engine.start("_steps", str(number), json.dumps(count))
        started = time.process_time()
        while engine.step():
            pass
        spent = time.process_time() - started
        ended = {instance.status for instance in engine.store.list_instances()}
        engine.store.close()
    if ended != {"Completed"}:
        raise RuntimeError(f"instances ended {ended}")
    return spent * 1000 / (count * INSTANCES)


def _fsyncs() -> str:
    """Return how many the activities of `_engine` take, which strace counts."""
    strace = shutil.which("strace")
    if strace is None:
        return "not counted: strace is not installed"
    with tempfile.NamedTemporaryFile("r") as seen:
        code = f"import benchmarks.engine as each; each._engine({ACTIVITIES[2]})"
        traced = [strace, "-f", "-qq", "-o", seen.name, "-e", "trace=fsync,fdatasync"]
        subprocess.run([*traced, sys.executable, "-W", "ignore", "-c", code], check=True)
        return str(sum("sync(" in line for line in seen))


def _rate(hosts: int) -> float:
    """Return how many orchestrations a second so many processes do, each with its own store."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(hosts, mp_context=spawn) as pool:
        list(pool.map(_import_all, range(hosts)))
        return sum(pool.map(_orchestrations_a_second, range(hosts)))


def _import_all(_: int) -> None:
    """Let a process import what this module does, and wait for the others meanwhile."""
    time.sleep(1.0)


def _orchestrations_a_second(_: int) -> float:
    """Run orchestrations as the host does: the engine in a thread, activities in a few."""
    warnings.simplefilter("ignore")
    left, lock, all_ended = ORCHESTRATIONS, threading.Lock(), threading.Event()

    def last(_: str | None) -> str:
        nonlocal left
        with lock:
            left -= 1
            if not left:
                all_ended.set()
        return "null"

    def orchestration(context: Any) -> Any:
        for _ in range(STEPS - 1):
            yield context.call_activity("step", _REQUEST)
        yield context.call_activity("last", None)

    with tempfile.TemporaryDirectory() as folder:
        functions = Functions(
            orchestrators={"orchestration": df.Orchestrator.create(orchestration)},
            activities={"step": _activity, "last": last},
        )
        engine = Engine(functions, Store(Path(folder) / "hub.sqlite"), SystemClock())
        for number in range(ORCHESTRATIONS):
            engine.start("orchestration", str(number), None)
        thread, started = EngineThread(engine, AT_ONCE), time.monotonic()
        thread.start()
        all_ended.wait()
        seconds = time.monotonic() - started
        thread.stop()
        engine.store.close()
    return ORCHESTRATIONS / seconds


def _monitor(polls: int) -> tuple[int, int, float]:
    """Return the longest history of the app's monitor in rows and bytes, and a poll's CPU cost."""
    answered = 0

    def get_fine_tuning_job(_: str | None) -> str:
        nonlocal answered
        answered += 1
        return json.dumps({"later": 60} if answered < polls else {"value": {}})

    rows = size = 0
    with tempfile.TemporaryDirectory() as folder:
        functions = {"get_fine_tuning_job": get_fine_tuning_job}
        engine, clock = _prepare(Path(folder), wait_for_job, functions)
        question = {"step": "get_fine_tuning_job", "request": _REQUEST, "since": None}
        engine.start("wait_for_job", "monitor", json.dumps(question))
        started = time.process_time()
        while True:
            while engine.step():
                history = engine.store.history("monitor")
                rows = max(rows, len(history))
                size = max(size, len(json.dumps(history)))
            due = engine.store.next_due()
            if due is None:
                break
            clock.at = max(clock.at, due)
        spent = time.process_time() - started
        instance = engine.store.find_instance("monitor")
        engine.store.close()
    if instance is None or instance.status != "Completed" or answered != polls:
        raise RuntimeError(f"the monitor ended {instance} after {answered} polls")
    return rows, size, spent * 1000 / polls


def _prepare(
    folder: Path, orchestrator: Callable[..., Any], activities: dict[str, Any]
) -> tuple[Engine, VirtualClock]:
    clock = VirtualClock()
    functions = Functions(
        orchestrators={orchestrator.__name__: df.Orchestrator.create(orchestrator)},
        activities=activities,
    )
    return Engine(functions, Store(folder / "hub.sqlite"), clock), clock


if __name__ == "__main__":
    main()
