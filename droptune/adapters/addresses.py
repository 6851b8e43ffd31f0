"""Which addresses the app may post to: no request leads into its own network.

Checked twice: before, for every address that the name resolves to, and on the connection itself,
because a name may resolve to something else a moment later.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Any

from droptune.adapters.deadline import Deadline

if TYPE_CHECKING:
    from requests import Session

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Source: Microsoft Learn, "What is IP address 168.63.129.16": a public address that leads to the
# platform of every Azure virtual machine.
_PLATFORM = ipaddress.IPv4Address("168.63.129.16")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class AddressRefusedError(Exception):
    """An address is not one to post to; its message names no address."""


def refuse_address(host: str, port: int, *, local: bool, tls: bool) -> None:
    """Raise AddressRefusedError if any address of a host is not allowed; OSError if it has none."""
    for *_, where in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        check_address(str(where[0]), local=local, tls=tls)


def check_address(text: str, *, local: bool, tls: bool) -> None:
    """Raise AddressRefusedError unless an address is public, or this laptop where that is allowed.

    Without TLS only this laptop is allowed.
    """
    address = _unwrapped(ipaddress.ip_address(text.split("%")[0]))
    if address.is_loopback and local:
        return
    public = address.is_global and not address.is_multicast and address != _PLATFORM
    if not public or not tls:
        raise AddressRefusedError("its URL does not lead to a public host over https")


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def guarded_session(*, local: bool, deadline: Deadline) -> Session:
    """Return a session that checks each connection before it sends a byte, and trusts no proxy.

    Its connections end with the deadline.
    """
    from requests import Session
    from requests.adapters import HTTPAdapter
    from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
    from urllib3.connection import HTTPConnection, HTTPSConnection

    def checked(connection: socket.socket, *, tls: bool) -> socket.socket:
        deadline.watch(connection)
        return _checked(connection, local=local, tls=tls)

    class GuardedConnection(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return checked(super()._new_conn(), tls=False)

    class GuardedTlsConnection(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return checked(super()._new_conn(), tls=True)

    class Pool(HTTPConnectionPool):
        ConnectionCls = GuardedConnection

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = GuardedTlsConnection

    class Guard(HTTPAdapter):
        def init_poolmanager(
            self, connections: int, maxsize: int, block: bool = False, **more: Any
        ) -> None:
            self.poolmanager = PoolManager(
                num_pools=connections, maxsize=maxsize, block=block, **more
            )
            self.poolmanager.pool_classes_by_scheme = {"http": Pool, "https": TlsPool}

    session = Session()
    session.trust_env = False
    for scheme in ("http://", "https://"):
        session.mount(scheme, Guard(max_retries=0))
    return session


def _checked(connection: socket.socket, *, local: bool, tls: bool) -> socket.socket:
    try:
        check_address(str(connection.getpeername()[0]), local=local, tls=tls)
    except AddressRefusedError:
        connection.close()
        raise
    return connection
