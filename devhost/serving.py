"""Serving routes on a socket until a signal asks to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator, Sequence
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

_GRACE_SECONDS = 1


class Server(uvicorn.Server):
    """Uvicorn without its signal handling, which ends the process by the signal it caught."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop serving on SIGTERM and Ctrl-C; the process goes on to its own end."""
        loop, signals = asyncio.get_running_loop(), (signal.SIGTERM, signal.SIGINT)
        for each in signals:
            loop.add_signal_handler(each, self.handle_exit, each, None)
        try:
            yield
        finally:
            for each in signals:
                loop.remove_signal_handler(each)


def server_of(routes: Sequence[Route], lifespan: Any) -> Server:
    """Return a server of some routes; its `serve` takes the sockets."""
    config = uvicorn.Config(
        Starlette(routes=routes, lifespan=lifespan),
        log_level="warning",
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    return Server(config)
