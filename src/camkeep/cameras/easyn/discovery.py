"""Finding EasyN and Foscam cameras in the local network by UDP broadcast."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from camkeep.errors import MediaError, Unreachable, UsageError

PORT = 10000
BROADCAST = (("255.255.255.255", PORT),)
REQUEST = bytes.fromhex("4D4F5F49") + bytes(11) + bytes.fromhex("0400000004") + bytes(6) + b"\x01"
"""What cameras answer to: 27 bytes."""
TRIES = 3
"""Broadcasts get lost, so there are several."""
MAX_FOUND = 1000

_REPLY = struct.Struct(">23s13s21s4I4b4b4bH?")
_MAGIC = b"MO_I"


@dataclass(frozen=True, slots=True)
class Found:
    """A camera that answered, in its own words."""

    id: str
    name: str
    ip: str
    mask: str
    gateway: str
    dns: str
    system_version: str
    app_version: str
    port: int
    dhcp: bool

    @property
    def url(self) -> str:
        """Its address for camkeep, without a login."""
        return f"easyn://{self.ip}/" if self.port == 80 else f"easyn://{self.ip}:{self.port}/"


def parse_reply(data: bytes) -> Found:
    """Read a camera's answer. Raises MediaError where it is none."""
    if len(data) != _REPLY.size or not data.startswith(_MAGIC):
        raise MediaError("not a camera's answer to a search")
    (_, id_, name, ip, mask, gateway, dns, *rest) = _REPLY.unpack(data)
    system, app, port, dhcp = rest[4:8], rest[8:12], rest[12], rest[13]
    return Found(
        _text(id_),
        _text(name),
        str(IPv4Address(ip)),
        str(IPv4Address(mask)),
        str(IPv4Address(gateway)),
        str(IPv4Address(dns)),
        ".".join(str(n & 0xFF) for n in system),
        ".".join(str(n & 0xFF) for n in app),
        port,
        dhcp,
    )


async def discover(
    timeout_s: float = 2.0,
    *,
    targets: Sequence[tuple[str, int]] = BROADCAST,
    port: int = PORT,
    host: str = "0.0.0.0",
) -> list[Found]:
    """Ask `targets` from `port`, and return the cameras that answered within `timeout_s` seconds.

    Where `port` is in use another is taken; some cameras then do not answer. Raises Unreachable
    where there is no network to ask.
    """
    if not 0 < timeout_s <= 60:
        raise UsageError("a search takes up to 60 seconds")
    found: dict[tuple[str, str], Found] = {}

    def take(answer: Found) -> None:
        if len(found) < MAX_FOUND:
            found[answer.id, answer.ip] = answer

    loop = asyncio.get_running_loop()
    with _open(host, port) as link:
        loop.add_reader(link, _receive, link, take)
        try:
            for _ in range(TRIES):
                _send(link, targets)
                await asyncio.sleep(timeout_s / TRIES)
        finally:
            loop.remove_reader(link)
    return sorted(found.values(), key=lambda camera: IPv4Address(camera.ip))


def _open(host: str, port: int) -> socket.socket:
    for number in (port, 0):
        link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            link.setblocking(False)
            link.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            link.bind((host, number))
        except OSError:
            link.close()
            continue
        return link
    raise Unreachable("there is no network to search for cameras in")


def _send(link: socket.socket, targets: Sequence[tuple[str, int]]) -> None:
    failed = 0
    for target in targets:
        try:
            link.sendto(REQUEST, target)
        except OSError:
            failed += 1
    if failed == len(targets):
        raise Unreachable("there is no network to search for cameras in")


def _receive(link: socket.socket, take: Callable[[Found], None]) -> None:
    """Read one datagram. Our own broadcast comes back, too, and others may use the port."""
    try:
        take(parse_reply(link.recv(2048)))
    except (OSError, MediaError):
        return


def _text(field: bytes) -> str:
    text = field.partition(b"\0")[0].decode("utf-8", "replace")
    return "".join(c for c in text if c.isprintable())
