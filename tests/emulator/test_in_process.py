"""The app called in its own process, as a simulation calls it, with a clock of the caller's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Message

from emulator.app import create_app
from emulator.clock import ManualClock
from emulator.gate import ConnectionDroppedError
from emulator.state import State
from tests.emulator.resources import KEY


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    """An empty state."""
    state = State(tmp_path)
    yield state
    state.close()


def call(app: ASGIApp, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Call an app and return status and body."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": json.dumps(body).encode()}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"api-key", KEY.encode()), (b"host", b"test")],
        "scheme": "http",
        "server": ("test", 80),
    }

    async def answer() -> None:
        await app(scope, receive, send)

    asyncio.run(answer())
    content = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], json.loads(content)


def test_app_follows_the_clock_it_was_given(state: State) -> None:
    """Time is what the caller says."""
    clock = ManualClock()
    app = create_app(state, clock, KEY)
    _, before = call(app, "GET", "/emulator/clock")
    clock.advance(90)

    status, after = call(app, "GET", "/emulator/clock")

    assert status == 200
    assert (before["now"], after["now"]) == (
        "2026-11-23T09:00:00+00:00",
        "2026-11-23T09:01:30+00:00",
    )


@pytest.mark.parametrize("then", ["reset", "lose_answer"])
def test_dropped_connection_is_an_exception_in_process(state: State, then: str) -> None:
    """There is no connection to drop, so the caller is told."""
    app = create_app(state, ManualClock(), KEY)
    call(app, "POST", "/emulator/faults", {"on": "request", "then": then})

    with pytest.raises(ConnectionDroppedError):
        call(app, "GET", "/openai/v1/models")

    assert call(app, "GET", "/openai/v1/models")[0] == 200


def test_same_seed_gives_the_same_ids(tmp_path: Path) -> None:
    """A simulation can be repeated."""
    states = [State(tmp_path / name, seed="one") for name in ("a", "b")]

    first, second = (state.new_id("file-") for state in states)

    assert first == second
    for state in states:
        state.close()
