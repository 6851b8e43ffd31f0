"""Sockets that listen on this machine alone."""

from __future__ import annotations

import socket


def listen(port: int) -> socket.socket:
    """Listen on a port; 0: on any free one."""
    server = socket.create_server(("127.0.0.1", port))
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else 40 ms an answer
    return server


def url_of(server: socket.socket) -> str:
    """Return the address of a socket that listens."""
    return f"http://127.0.0.1:{server.getsockname()[1]}"
