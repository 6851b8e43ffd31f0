"""`python -m emulator`: serve one emulated Azure OpenAI resource until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

from emulator.app import create_app
from emulator.clock import ScaledClock
from emulator.server import Server
from emulator.state import State
from emulator.store import InUseError

COULD_NOT_START = 3


def main() -> int:
    """Serve; SIGTERM and SIGINT end it cleanly."""
    options = _options()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    options.state.mkdir(parents=True, exist_ok=True)
    try:
        state = State(options.state)
    except InUseError:
        sys.stderr.write(f"emulator: another emulator serves {options.state} already\n")
        return COULD_NOT_START
    with contextlib.closing(state), socket.create_server(("127.0.0.1", options.port)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        paces = state.meta.setdefault("paces", [])
        clock = ScaledClock(start=_start(state), scale=options.time_scale, paces=paces)
        app = create_app(state, clock, options.key)
        for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises it again at its end
            signal.signal(number, lambda *_: None)
        asyncio.run(Server(app, lambda: _say(f"emulator ready {url}")).serve(sockets=[server]))
    return 0


def _start(state: State) -> datetime:
    """Return the time at which the clock goes on: where it stopped, or now."""
    if state.settled_at:
        return datetime.fromtimestamp(state.settled_at, UTC)
    return datetime.now(UTC)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="emulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--state", type=Path, required=True, help="what must last lies here")
    parser.add_argument("--time-scale", type=float, default=1.0, help="emulated per real second")
    parser.add_argument("--key", required=True, help="accepted as API key and as bearer token")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
