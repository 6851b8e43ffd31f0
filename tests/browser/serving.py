"""A world behind a real socket, which a test can stop and start again at the same address."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from tests.api.asgi import asgi_app
from tests.api.world import World


class ServedWorld:
    """Serves a world at a port of this machine; started and stopped by the test."""

    def __init__(self, world: World) -> None:
        """Choose a free port."""
        self.world = world
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The address of the dashboard."""
        return f"http://127.0.0.1:{self.port}/api/dashboard"

    def start(self) -> None:
        """Serve until stopped."""
        config = uvicorn.Config(
            asgi_app(self.world),
            host="127.0.0.1",
            port=self.port,
            log_level="error",
            lifespan="off",
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError(f"nothing listens at port {self.port}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Close the port."""
        if self._server and self._thread:
            self._server.should_exit = True
            self._server.force_exit = True
            self._thread.join(10)


@contextmanager
def serving(world: World) -> Iterator[ServedWorld]:
    """Serve a world for a while."""
    served = ServedWorld(world)
    served.start()
    try:
        yield served
    finally:
        served.stop()
