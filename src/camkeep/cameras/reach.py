"""Which numeric addresses to connect to, judged by whoever opened the source.

A name is resolved once, each answer is judged, and the connection goes to one of the answers:
nobody can answer something harmless to the judge and something else to the connection. One answer
that is refused refuses the name: a camera has no second address of that kind.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from ipaddress import ip_address
from typing import TypeVar

MayReach = Callable[[str], None]
"""Takes a numeric address; raises a CameraError (Forbidden) where none may connect to it."""

P = TypeVar("P", bound=asyncio.BaseProtocol)

MOST = 8
"""Answers that are tried, at most."""


async def open_connection(
    make: Callable[[], P],
    host: str,
    port: int,
    tls: ssl.SSLContext | None,
    timeout_s: float,
    may_reach: MayReach | None,
) -> tuple[asyncio.Transport, P]:
    """A TCP (or TLS) connection to the first that answers of all addresses that `host` has.

    Raises OSError (also TimeoutError, where several are tried within `timeout_s`), UnicodeError,
    and what `may_reach` raises.
    """
    loop = asyncio.get_running_loop()
    hosts = [host] if may_reach is None else await _judged(host, port, may_reach)
    for left, each in zip(range(len(hosts), 0, -1), hosts, strict=True):
        try:
            async with asyncio.timeout(timeout_s / len(hosts) if left > 1 else None):
                return await loop.create_connection(
                    make,
                    each,
                    port,
                    ssl=tls,
                    server_hostname=host if tls else None,
                    happy_eyeballs_delay=0.25,
                )
        except ssl.SSLError:
            raise
        except OSError:  # TimeoutError, too
            if left == 1:
                raise
    raise OSError("no such host")


async def _judged(host: str, port: int, may_reach: MayReach) -> list[str]:
    """The numeric addresses that `host` has now, none of which is refused."""
    if _is_numeric(host):  # it need not wait until names of other cameras are resolved
        may_reach(host.partition("%")[0])
        return [host]
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(_text(family, address) for family, _, _, _, address in found))
    for address in addresses:
        may_reach(address.partition("%")[0])
    return addresses[:MOST]


def _is_numeric(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _text(family: int, address: tuple[object, ...]) -> str:
    """The numeric address with its zone, which link-local addresses cannot do without."""
    host = str(address[0])
    if family == socket.AF_INET6 and len(address) > 3 and address[3] and "%" not in host:
        return f"{host}%{address[3]}"
    return host
