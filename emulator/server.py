"""The web server of an emulated resource."""

from __future__ import annotations

import asyncio
import socket
from asyncio import Transport
from collections.abc import Callable
from typing import cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

_GRACE_SECONDS = 1


class _Protocol(H11Protocol):
    """HTTP over a connection that the app can drop."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Show the connection to the app, in `scope["state"]`.

        asyncio sends small writes at once only on sockets that name TCP, which accepted ones do
        not; without it each answer waits 40 ms for the client's acknowledgement.
        """
        super().connection_made(cast(Transport, transport))
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.app_state = {**self.app_state, "transport": transport}


class Server(uvicorn.Server):
    """Serves an app; `listening` is called once it does."""

    def __init__(self, app: ASGIApp, listening: Callable[[], object]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=_Protocol,
                ws="none",
                lifespan="off",
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say so."""
        await super().startup(sockets)
        self._listening()
