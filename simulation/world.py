"""A world: the app, its host, its storage and the service, in one process under virtual time."""

from __future__ import annotations

import heapq
import importlib
import json
import os
import random
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import azure.functions as func

from devhost.durable.engine import Engine
from devhost.durable.store import QueuedActivity
from droptune.adapters.azure_openai import AzureOpenAIService
from droptune.adapters.resource_manager import RequestsResourceManager
from droptune.settings import Settings
from emulator.app import create_app
from emulator.state import State
from simulation.blobs import Container
from simulation.clock import VirtualClock
from simulation.durable import DurableClient, LoadedFunctions, TaskHub
from simulation.faults import CrashError, Faults
from simulation.learning import train_once
from simulation.receiver import Receiver
from simulation.transports import (
    Call,
    ConnectionLostError,
    NotConnectedError,
    OpenAITransport,
    Reply,
    TimedOutError,
    management_session,
    serve,
)

KEY = "canary-of-the-service-key"
TOKEN = KEY  # the emulator takes one secret for both
ENDPOINT = "https://simulated.openai.azure.com"
ENVIRONMENT = {
    "AZURE_OPENAI_ENDPOINT": ENDPOINT,
    "AZURE_OPENAI_RESOURCE_ID": "/subscriptions/s/resourceGroups/g/providers/"
    "Microsoft.CognitiveServices/accounts/simulated",
    "AZURE_OPENAI_API_KEY": KEY,
    "ARM_TOKEN": TOKEN,
    "DATA_STORAGE": "UseDevelopmentStorage=true",
    "AZURE_FUNCTIONS_DURABLE_STRICT_TYPING": "1",
}
_DEEPEST = 2  # workers that are inside one another's calls
_HTTP_BEFORE = ("crash", "stall", "other-worker", "reset", "refused", "busy", "late")
_HTTP_AFTER = ("lost", "lost-status", "crash")
_BUSY = (408, 409, 429, 500, 503)


def load_function_app() -> ModuleType:
    """Return the module; it reads its settings when it is first imported."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    return importlib.import_module("function_app")


class World:
    """Everything that there is. Whoever makes one closes it.

    Attributes:
        trace: what happened, in order: virtual seconds and a sentence.
        observers: are told of calls at the service, of writes, and of what Durable keeps.
    """

    def __init__(
        self,
        *,
        seed: int,
        faults: Faults,
        settings: Mapping[str, str] | None = None,
        service: Mapping[str, Any] | None = None,
        in_order: bool = False,
        choice: str = "choice",
    ) -> None:
        """Install the app into an empty world."""
        self.clock, self.faults = VirtualClock(), faults
        self.trace: list[tuple[float, str]] = []
        self.observers: list[Any] = []
        self._settings = Settings.from_environ(ENVIRONMENT | dict(settings or {}))
        self._choice = random.Random(f"{choice} {seed}")
        self._in_order = in_order
        self._agenda: list[tuple[float, int, str, Callable[[], object]]] = []
        self._entries = 0
        self._is_dead, self._depth = False, 0
        self._running: list[int] = []
        self.outage_until = -1.0
        self._stalled_at = self.troubled_at = -1e9
        self.restarts = 0
        base = "/dev/shm" if os.path.isdir("/dev/shm") else None
        self._directory = Path(tempfile.mkdtemp(prefix="droptune-simulation-", dir=base))
        self.state = State(
            self._directory,
            seed=str(seed),
            count_tokens=_words,
            train=train_once,
            settings=dict(service or {}),
        )
        self._emulator = create_app(self.state, self.clock, KEY)
        self.datasets, self.runs, self.registry = (
            self._container(name) for name in ("datasets", "runs", "registry")
        )
        self.receiver = Receiver(self)
        self.hub = self._new_hub()
        self.start_host()

    def close(self) -> None:
        """Remove what lies on disk."""
        self.state.close()
        self.hub.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    # -- the process ---------------------------------------------------------------------------

    def start_host(self) -> None:
        """Start the app's process: everything that it remembered is gone."""
        self._is_dead, self._depth, self._running = False, 0, []
        module = load_function_app()
        services = module.Services(
            settings=self._settings,
            datasets=self.datasets,
            runs=self.runs,
            registry=self.registry,
            azure_openai=AzureOpenAIService(
                ENDPOINT,
                credential=KEY,
                transport=OpenAITransport(self),
                stopwatch=lambda: self.clock.passed,
            ),
            resource_manager=RequestsResourceManager(
                self._settings.arm_endpoint,
                self._settings.azure_openai_resource_id,
                token=lambda: TOKEN,
                api_version=self._settings.arm_api_version,
                session=management_session(self),
            ),
            clock=self.clock,
            webhooks=self.receiver,
        )
        self.services = services
        self.functions = LoadedFunctions.of(
            partial(module.register, services=services), self._client
        )
        self.engine = Engine(
            self.functions.for_engine(), self.hub, self.clock, choose=self._choose_next
        )

    def lose_hub(self) -> None:
        """Lose the task hub with all its history."""
        self.trouble("the task hub is lost with all its history")
        self.hub.close()
        self.hub = self._new_hub()
        self.start_host()

    def crash(self, where: str) -> None:
        """Kill the process here."""
        self.trouble(f"CRASH {where}")
        self._is_dead = True
        raise CrashError(where)

    def guarded(self, act: Callable[[], Any]) -> Any:
        """Do something in the app's process; when it dies, start it again after a while and
        return true: something was done."""
        try:
            return act()
        except CrashError:
            self.restarts += 1
            self.clock.advance(self.faults.amount(1, 300))
            self.note("the host starts again")
            self.start_host()
            return True

    # -- what happens --------------------------------------------------------------------------

    def trouble(self, what: str) -> None:
        """Write a fault into the trace, and remember when the last one struck."""
        self.troubled_at = self.clock.passed
        self.note(what)

    def note(self, what: str) -> None:
        """Write into the trace."""
        self.trace.append((self.clock.passed, what))

    def at(self, seconds: float, what: str, act: Callable[[], object]) -> None:
        """Let something happen at a time, counted from the beginning."""
        self._entries += 1
        heapq.heappush(self._agenda, (round(seconds, 3), self._entries, what, act))

    def after(self, seconds: float, what: str, act: Callable[[], object]) -> None:
        """Let something happen so many seconds from now."""
        self.at(self.clock.passed + seconds, what, act)

    def run(self, until: float = float("inf"), most: int = 50_000) -> None:
        """Go on until nothing is left to do, or the time has come."""
        for _ in range(most):
            if self._agenda and self._agenda[0][0] <= self.clock.passed + 1e-4:
                _, _, what, act = heapq.heappop(self._agenda)
                self.note(what)
                self.guarded(act)
            elif not self.guarded(self.step) and not self._rest(until):
                return
        raise AssertionError(f"the world does not come to rest: {self.trace[-8:]}")

    def step(self) -> bool:
        """Let the host do the next thing; return whether there was one."""
        before = len(self._running)
        try:
            return self.engine.step()
        finally:
            del self._running[before:]

    def _rest(self, until: float) -> bool:
        """Let time pass to what comes next; false when nothing does before `until`."""
        for observer in self.observers:
            observer.on_rest()
        due = self.hub.next_due()
        times = [entry[0] for entry in self._agenda[:1]]
        times += [self.clock.passed + (due - self.clock.now()).total_seconds()] if due else []
        if not times or min(times) > until:
            self.clock.advance(until - self.clock.passed if until != float("inf") else 0)
            return False
        self.clock.advance(max(min(times) - self.clock.passed, 0.0))
        return True

    # -- the app's doors -----------------------------------------------------------------------

    def notice(self, path: str) -> None:
        """Let a blob event arrive; a failed one comes again, as Event Grid does."""
        self._trigger("notice_blob", SimpleNamespace(blob_name=path), again=60)

    def sweep(self) -> None:
        """Let the timer fire that looks round."""
        self._trigger("look_round", SimpleNamespace(past_due=False))

    def clean_up(self) -> None:
        """Let the nightly timer fire."""
        self._trigger("clean_up", SimpleNamespace(past_due=False))

    def tell(self) -> None:
        """Let the timers fire that tell others of runs."""
        self._trigger("put_missing_notifications", SimpleNamespace(past_due=False))
        self._trigger("tell", SimpleNamespace(past_due=False))

    def ask(
        self, name: str, *, method: str = "GET", body: Any = None, **params: str
    ) -> tuple[int, Any]:
        """Ask a route by its function's name; return status and document."""
        request = func.HttpRequest(
            method=method,
            url="https://simulated.azurewebsites.net/api/x",
            headers={"content-type": "application/json"},
            params={},
            route_params=params,
            body=json.dumps(body).encode() if body is not None else b"",
        )
        try:
            answer = self.functions.call(name, request)
        except Exception as error:  # noqa: BLE001 - a host survives whatever a function raises
            self.note(f"{name} raised {type(error).__name__}: {error}")
            return 500, None
        text = answer.get_body()
        return answer.status_code, json.loads(text) if text else None

    def _trigger(self, name: str, value: Any, *, again: float | None = None) -> None:
        try:
            self.functions.call(name, value)
        except Exception as error:  # noqa: BLE001 - a host survives whatever a function raises
            self.note(f"{name} raised {type(error).__name__}: {error}")
            if again is not None:
                what = f"event again: {value.blob_name}"
                self.after(again, what, lambda: self._trigger(name, value, again=2 * again))

    # -- points at which faults strike -----------------------------------------------------------

    def carry(self, call: Call) -> Reply:
        """Carry a call to the service: what SDK clients send goes through here."""
        label = f"{call.method} {call.path}"
        self._live(label)
        kind = self.faults.strike(_HTTP_BEFORE)
        if kind is not None:
            reply = self._before(kind, call, label)
            if reply is not None:
                return reply
        reply = self.serve(call)
        kind = self.faults.strike(_HTTP_AFTER)
        if kind == "crash":
            self.crash(f"after {label}")
        if kind == "lost":
            self.trouble(f"LOST answer {reply.status} to {label}")
            self.clock.advance(30)
            raise TimedOutError(label)
        if kind == "lost-status":
            self.trouble(f"LOST answer {reply.status} to {label}: the gateway says 500")
            return Reply.of(500, {"error": {"code": "InternalServerError", "message": "?"}})
        return reply

    def serve(self, call: Call) -> Reply:
        """Let the service answer."""
        reply = serve(self._emulator, call)
        self.note(f"{call.method} {call.path} -> {reply.status}")
        for observer in self.observers:
            observer.on_call(call, reply)
        return reply

    def _before(self, kind: str, call: Call, label: str) -> Reply | None:
        if kind == "crash":
            self.crash(f"before {label}")
        if kind == "stall":
            self._stall(label)
        elif kind == "other-worker":
            self._other_worker(label)
        elif kind == "reset":
            self.trouble(f"RESET {label}")
            raise ConnectionLostError(label)
        elif kind == "refused":
            self.trouble(f"NO CONNECTION {label}")
            raise NotConnectedError(label)
        elif kind == "late" and call.acts:
            delay = self.faults.amount(1, 180)
            self.trouble(f"LATE {label}: it acts {delay:.0f} s after the client gave up")
            self.after(delay, f"late: {label}", partial(self.serve, call))
            self.clock.advance(30)
            raise TimedOutError(label)
        elif kind == "busy":
            return self._busy(label)
        return None

    def _busy(self, label: str) -> Reply:
        status = _BUSY[int(self.faults.amount(0, len(_BUSY)))]
        wait = (None, 1, 20, 3600)[int(self.faults.amount(0, 3.99))]
        self.trouble(f"BUSY {status} to {label}, Retry-After {wait}")
        headers = {"retry-after": str(wait)} if wait is not None else {}
        return Reply.of(status, {"error": {"code": str(status), "message": "Busy."}}, headers)

    def _blob_point(self, operation: str, before: bool) -> str | None:
        self._live(operation)
        if self.clock.passed < self.outage_until:
            self.troubled_at = self.clock.passed
            return "outage"
        acts = operation.split(" ", 2)[1] in ("write", "delete", "acquire_lease", "release_lease")
        slow = ("blob-slow",) if operation.startswith("registry write") else ()
        kinds = (
            ("blob-crash", "blob-stall", "blob-other-worker", "blob-fails", *slow)
            if before
            else ("blob-crash", "blob-lost")
        )
        if not acts and not before:
            return None
        kind = self.faults.strike(kinds)
        if kind == "blob-crash":
            self.crash(f"{'before' if before else 'after'} {operation}")
        if kind == "blob-stall":
            self._stall(operation)
        elif kind == "blob-other-worker":
            self._other_worker(operation)
        elif kind == "blob-slow":
            self._slow(operation)
        elif kind is not None:
            self.trouble(f"{kind.upper()} {operation}")
            return kind
        return None

    def strike_post(self, kinds: tuple[str, ...], label: str) -> str | None:
        """Pass a point of a notification's post; return the fault that strikes there."""
        self._live(label)
        kind = self.faults.strike(kinds)
        if kind == "crash":
            self.crash(label)
        if kind is not None:
            self.trouble(f"{kind.upper()} {label}")
        return kind

    def _hub_point(self, when: str) -> None:
        self._live(when)
        if self.faults.strike(("hub-crash",)):
            self.crash(when)

    def _client_point(self, what: str) -> bool:
        self._live(what)
        lost = self.faults.strike(("client-lost",)) is not None
        if lost:
            self.trouble(f"CLIENT-LOST {what}")
        return lost

    def _live(self, where: str) -> None:
        if self._is_dead:
            raise CrashError(where)

    def _stall(self, where: str) -> None:
        """Let the worker stand still for a while, as a frozen machine does."""
        if self.clock.passed - self._stalled_at < 900:
            return
        seconds = self.faults.amount(5, 100)
        self.trouble(f"STALL of {seconds:.0f} s before {where}")
        self.clock.advance(seconds)
        self._stalled_at = self.clock.passed

    def _slow(self, where: str) -> None:
        """Let one call take up to half a minute, in which another worker does all that falls due.

        Shorter than a lease: whoever holds one still holds it when the call comes to its end.
        """
        if self._depth:
            return
        self._depth += 1
        ends = self.clock.passed + self.faults.amount(1, 30)
        self.trouble(f"SLOW {where}: others go on until {ends:.0f} s")
        try:
            while self._works_until(ends):
                pass
        finally:
            self._depth -= 1
        self.clock.advance(max(ends - self.clock.passed, 0.0))

    def _works_until(self, ends: float) -> bool:
        """Do the next thing, or go to the next timer before `ends`; false when there is none."""
        if self.hub.activities() and self.step():
            return True
        due = self.hub.next_due()
        wait = (due - self.clock.now()).total_seconds() if due else float("inf")
        if self.clock.passed + wait > ends:
            return False
        self.clock.advance(max(wait, 0.0))
        return self.step()

    def _other_worker(self, where: str) -> None:
        """Let another worker do something in the middle of this one's call: also the same thing."""
        if self._depth >= _DEEPEST:
            return
        self._depth += 1
        self.trouble(f"ANOTHER WORKER before {where}")
        try:
            for _ in range(int(self.faults.amount(1, 6))):
                twins = [a for a in self.hub.activities() if a.id in self._running[-1:]]
                if twins and self.faults.amount(0, 1) < 0.5 and self._depth == 1:
                    self.engine.run_activity(twins[0])
                    self.note(f"the other worker ran {twins[0].name} as well")
                elif not self.step():
                    break
        finally:
            self._depth -= 1

    def _choose_next(self, things: Sequence[Any]) -> int:
        free = [i for i, each in enumerate(things) if not self._is_taken(each)] or [0]
        chosen = free[0] if self._in_order else free[self._choice.randrange(len(free))]
        thing = things[chosen]
        if isinstance(thing, QueuedActivity):
            self.note(f"activity {thing.name} of {thing.instance}")
            self._running.append(thing.id)
        return chosen

    def _is_taken(self, thing: Any) -> bool:
        return isinstance(thing, QueuedActivity) and thing.id in self._running

    # -- wiring --------------------------------------------------------------------------------

    def _client(self) -> DurableClient:
        return DurableClient(self.engine, self._client_point)

    def _container(self, name: str) -> Container:
        container = Container(name, self.clock)
        container.point = self._blob_point
        container.watch = lambda blob, data: self._written(name, blob, data)
        return container

    def _written(self, container: str, name: str, data: bytes) -> None:
        for observer in self.observers:
            observer.on_write(container, name, data)

    def _new_hub(self) -> TaskHub:
        hub = TaskHub()
        hub.point = self._hub_point
        hub.told = self.told
        return hub

    def told(self, what: str, text: str) -> None:
        """Show the observers what is kept or leaves."""
        for observer in self.observers:
            observer.on_told(what, text)


def _words(text: str) -> int:
    return max(1, len(text) // 4)
