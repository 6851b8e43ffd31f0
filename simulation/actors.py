"""The people, writers, timers and troubles of a world: each thing that happens, by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from emulator.training import cancel, remove_deployment
from simulation.datasets import content
from simulation.transports import Call
from simulation.world import ENDPOINT, KEY, World

_HEADERS = {"api-key": KEY}


@dataclass(frozen=True, kw_only=True)
class Happening:
    """Something that happens from outside, at seconds counted from the beginning."""

    at: float
    what: str
    about: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        said = ", ".join(f"{key} {_short(value)}" for key, value in self.about.items())
        return f"{self.what} ({said})" if said else self.what


def _short(value: Any) -> str:
    text = json.dumps(value) if isinstance(value, dict) else str(value)
    return text if len(text) < 120 else text[:117] + "…"


def perform(world: World, happening: Happening) -> None:
    """Let it happen."""
    ACTIONS[happening.what](world, **happening.about)


def _write(world: World, path: str, spec: Mapping[str, Any]) -> None:
    world.datasets.put(path, content(spec))


def _event(world: World, path: str) -> None:
    world.notice(path)


def _sweep(world: World) -> None:
    world.sweep()


def _clean_up(world: World) -> None:
    world.clean_up()


def _tell(world: World) -> None:
    world.tell()


def _retire(world: World, model: str) -> None:
    """Let the service train a base model no more."""
    world.state.faults.append(
        {"on": "model", "match": model, "then": "retire", "times": 1, "skip": 0, "used": 0}
    )


def _word(world: World, word: str, nth: int) -> None:
    """Say a word about one of the runs that there are."""
    run = _nth_run(world, nth)
    if run is not None:
        status, _ = world.ask(f"{word}_run", method="POST", body={"reason": "so decided"}, id=run)
        world.note(f"somebody says {word} of {run}: {status}")


def _wish(world: World, wish: str, nth: int) -> None:
    """Ask for another attempt of one of the runs that there are."""
    run = _nth_run(world, nth)
    if run is not None:
        status, answer = world.ask("start_run_on_request", method="POST", body={wish: run})
        world.note(f"somebody asks to {wish} {run}: {status} {(answer or {}).get('code')}")


def _promote(world: World, nth: int) -> None:
    """Ask for the promotion of one of the runs that there are, ended or not."""
    run = _nth_run(world, nth)
    if run is not None:
        body = {"reason": "after all"}
        status, answer = world.ask("promote_run", method="POST", body=body, id=run)
        world.note(f"somebody promotes {run} later: {status} {(answer or {}).get('code')}")


def _rollback(world: World, project: str) -> None:
    status, _ = world.ask("roll_back_project", method="POST", body={}, project=project)
    world.note(f"somebody rolls {project} back: {status}")


def _look(world: World, nth: int) -> None:
    """Read a run's status, as its page does."""
    run = _nth_run(world, nth)
    if run is not None:
        status, document = world.ask("get_run", id=run)
        for observer in world.observers:
            observer.on_status(run, status, document)


def _lose_hub(world: World) -> None:
    world.lose_hub()


def _upgrade(world: World) -> None:
    """Put a new version in place: the process stops between two steps."""
    world.note("the app is upgraded")
    world.start_host()


def _outage(world: World, seconds: float) -> None:
    world.outage_until = world.clock.passed + seconds


def _cancel_outside(world: World, nth: int) -> None:
    """Let somebody cancel a job in the portal."""
    live = [job for job in world.state.live_jobs() if not job.is_terminal]
    if live:
        job = live[nth % len(live)]
        cancel(world.state, job, world.clock.now().timestamp())
        world.note(f"{job.id} is cancelled by somebody else")


def _pause_job(world: World, nth: int, seconds: float, tries: int = 60) -> None:
    """Let somebody pause a job in the portal, or the service preempt it; it goes on later."""
    running = [job for job in world.state.live_jobs() if job.status == "running"]
    if running:
        path = f"{ENDPOINT}/openai/v1/fine_tuning/jobs/{running[nth % len(running)].id}"
        if world.serve(Call(method="POST", url=f"{path}/pause", headers=_HEADERS)).status == 200:
            resume = Call(method="POST", url=f"{path}/resume", headers=_HEADERS)
            world.after(seconds, "the job goes on", partial(world.serve, resume))
            return
    if tries:
        again = partial(_pause_job, world, nth, seconds, tries - 1)
        world.after(60, "somebody would pause a job", again)


def _terminate(world: World, nth: int) -> None:
    """Let somebody terminate an orchestration of a run or of a dataset."""
    live = [each for each in world.hub.list_instances() if each.is_live and not each.parent]
    if live:
        ended = live[nth % len(live)]
        world.trouble(f"somebody terminates {ended.id}")
        world.engine.terminate(ended.id, "so decided")


def _purge(world: World) -> None:
    """Let somebody purge the history of everything that has ended."""
    for each in world.hub.list_instances():
        if not each.is_live:
            world.hub.purge(each.id)


def _remove_deployment(world: World, nth: int) -> None:
    """Let Azure remove a deployment that nobody called for 15 days."""
    live = [each for each in world.state.live_deployments() if each.job_id]
    if live:
        gone = live[nth % len(live)]
        remove_deployment(world.state, gone, world.clock.now().timestamp(), by="15d")
        world.note(f"Azure removes {gone.name}")


def _fate(world: World, **fault: Any) -> None:
    """Let something go wrong with what the service makes next."""
    defaults: dict[str, Any] = {"match": "*", "times": 1, "skip": 0, "used": 0}
    world.state.faults.append(defaults | fault)


def _change_service(world: World, **settings: float) -> None:
    world.state.set_settings(settings)


def _nth_run(world: World, nth: int) -> str | None:
    runs = [name.removeprefix("_ids/") for name in world.runs.names("_ids/")]
    return runs[nth % len(runs)] if runs else None


ACTIONS: dict[str, Callable[..., None]] = {
    "write": _write,
    "event": _event,
    "sweep": _sweep,
    "clean up": _clean_up,
    "tell": _tell,
    "retire": _retire,
    "word": _word,
    "wish": _wish,
    "promote": _promote,
    "rollback": _rollback,
    "look": _look,
    "lose hub": _lose_hub,
    "upgrade": _upgrade,
    "outage": _outage,
    "cancel outside": _cancel_outside,
    "remove deployment": _remove_deployment,
    "pause job": _pause_job,
    "terminate": _terminate,
    "purge": _purge,
    "fate": _fate,
    "change service": _change_service,
}
