"""EasyN and Foscam: replies of their CGI programs, and answers to a search."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import IPv4Address

from camkeep.cameras.address import parse_address
from camkeep.cameras.easyn import discovery, replies
from camkeep.errors import LoginRefused, MediaError, NotSupported
from fuzz.reading import chunked, chunks, long


def one_input(data: bytes) -> None:
    body = b"".join(chunks(data))
    for name, value in replies.parse_reply(body).items():
        assert name.isidentifier(), name
        assert len(value) <= len(body)
    with suppress(LoginRefused, NotSupported):
        replies.check_reply(body, "brightness 300")
    with suppress(MediaError):
        _found(discovery.parse_reply(body))


def _found(camera: discovery.Found) -> None:
    for address in (camera.ip, camera.mask, camera.gateway, camera.dns):
        assert str(IPv4Address(address)) == address
    assert camera.id.isprintable()
    assert camera.name.isprintable()
    assert 0 <= camera.port <= 65_535
    assert parse_address(camera.url)[0].host == camera.ip


def seeds() -> Iterable[bytes]:
    yield chunked(b"var id='00606EAB';\nvar alias='a\\'b';\r\nvar now=1790000000;\n")
    yield chunked(b'id="x";tz=-3600;ok=;\nerror: illegal params.')
    yield chunked(b"ok.")
    yield chunked(b"var result='Auth Failed';")
    yield chunked(b"var a = 1 ; var b='\xe9';")
    head = b"MO_I" + bytes(19) + b"00606EAB0000\0" + b"garage".ljust(21, b"\0")
    yield chunked(
        head
        + struct.pack(">4I", 0xC0000207, 0xFFFFFF00, 0xC0000201, 0x08080808)
        + bytes([0, 0, 0, 0, 11, 37, 2, 49, 0, 4, 20, 13, 0, 80, 1])
    )
    yield long(b"a=", b" ", b"'")
    yield long(b";", b" ", b"'")
    yield long(b"var ", b" ")
    yield long(b"a='", b"\\'")
    yield long(b"", b";a='\\")
