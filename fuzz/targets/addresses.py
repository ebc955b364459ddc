"""Addresses that a person typed: a good one or a UsageError, and the password in neither."""

from __future__ import annotations

from collections.abc import Iterable

from camkeep.cameras.address import SCHEMES, parse_address
from camkeep.errors import UsageError

_SECRET = "Zx9very8secret"


def one_input(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    try:
        address, credentials = parse_address(text.replace("PASS", _SECRET))
    except UsageError as error:
        _hides(str(error))
        return
    assert address.scheme in SCHEMES
    assert 0 <= address.port <= 65_535
    assert bool(address.host) == bool(address.port)
    assert address.path
    shown = f"{address}{credentials!r}{address.authority}"
    if ":PASS@" in text and text.count("PASS") == 1 and credentials and credentials.password:
        assert _SECRET not in shown
    assert address.options is not None
    assert not any(letter in address.target + address.authority for letter in "\r\n\0")


def _hides(message: str) -> None:
    assert _SECRET not in message


def seeds() -> Iterable[bytes]:
    for text in (
        "0",
        "/dev/video1?size=640x480",
        "rtsp://user:PASS@192.0.2.9:8554/main?a=b&password=c",
        "easyn://admin:PASS@[2001:db8::1]/?resolution=640x480&rate=10",
        "http://h%C3%A9/%0a/snapshot.cgi?user=a&pwd=PASS",
        "testcard:?size=320x240&fps=5",
        "v4l2:/dev/video0",
        "https://host:0/",
    ):
        yield text.encode()
