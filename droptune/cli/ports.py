"""Ports of this machine."""

from __future__ import annotations

import socket


def is_free(port: int) -> bool:
    """Whether a server could listen on a port of 127.0.0.1 now; 0 is none."""
    if not port:
        return False
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
