"""One server for all tests; each test has a resource of its own behind it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emulator.app import create_app
from emulator.clock import ManualClock
from emulator.server import Server
from emulator.state import State
from tests.emulator.published import find_contract
from tests.emulator.resources import KEY, Resource


class Stage:
    """Passes requests to the resource of the running test and notes what was answered."""

    def __init__(self) -> None:
        """Begin without a resource."""
        self.app: ASGIApp | None = None
        self.answers: list[tuple[str, str, int, bytes]] = []
        self.url = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        assert self.app is not None
        status, body, answers = 0, b"", self.answers

        async def note(message: Message) -> None:
            nonlocal status, body
            status = message.get("status", status)
            body += message.get("body", b"")
            if message["type"] == "http.response.body" and not message.get("more_body"):
                answers.append((scope["method"], scope["path"], status, body))
            await send(message)

        await self.app(scope, receive, note)


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """A running server."""
    stage, ready = Stage(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stage.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = Server(stage, ready.set)
        thread = threading.Thread(target=lambda: server.run(sockets=[listener]))
        thread.start()
        assert ready.wait(30)
        yield stage
        server.should_exit = True
        thread.join()


@pytest.fixture
def resource(stage: Stage, tmp_path: Path) -> Iterator[Resource]:
    """A new resource; every answer of its v1 surface is held against the contract at the end."""
    state, clock = State(tmp_path / "state", seed="a seed"), ManualClock()
    stage.app, stage.answers = create_app(state, clock, KEY), []
    yield Resource(url=stage.url, state=state, clock=clock, answers=stage.answers)
    state.close()
    contract = find_contract()
    for method, path, status, body in stage.answers if contract else ():
        assert contract is not None
        contract.check(method, path, status, body)
