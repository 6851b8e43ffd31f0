"""`python -m emulator`: serve one emulated Azure OpenAI resource until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import socket
import sys
from asyncio import Transport
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from emulator.app import create_app
from emulator.clock import ScaledClock
from emulator.state import State

_GRACE_SECONDS = 1


class _Protocol(H11Protocol):
    """HTTP over a connection that the app can drop."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Show the connection to the app, in `scope["state"]`."""
        super().connection_made(cast(Transport, transport))
        self.app_state = {**self.app_state, "transport": transport}


class _Server(uvicorn.Server):
    """Says where it listens once it does."""

    def __init__(self, config: uvicorn.Config, url: str) -> None:
        super().__init__(config)
        self._url = url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say so."""
        await super().startup(sockets)
        sys.stdout.write(f"emulator ready {self._url}\n")
        sys.stdout.flush()


def main() -> None:
    """Serve; SIGTERM and SIGINT end it cleanly."""
    options = _options()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    options.state.mkdir(parents=True, exist_ok=True)
    state = State(options.state)
    with contextlib.closing(state), socket.create_server(("127.0.0.1", options.port)) as server:
        clock = ScaledClock(start=_start(state), scale=options.time_scale)
        config = uvicorn.Config(
            create_app(state, clock, options.key),
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises it again at its end
            signal.signal(number, lambda *_: None)
        asyncio.run(_Server(config, url).serve(sockets=[server]))


def _start(state: State) -> datetime:
    """Return the time at which the clock goes on: where it stopped, or now."""
    if state.settled_at:
        return datetime.fromtimestamp(state.settled_at, UTC)
    return datetime.now(UTC)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="emulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--state", type=Path, required=True, help="what must last lies here")
    parser.add_argument("--time-scale", type=float, default=1.0, help="emulated per real second")
    parser.add_argument("--key", required=True, help="accepted as API key and as bearer token")
    return parser.parse_args()


if __name__ == "__main__":
    main()
