"""Datagrams put in order: none is lost, none doubled, and few are held."""

from __future__ import annotations

from collections.abc import Iterable

from camkeep.cameras.rtsp.rtp import Datagram, Reorder
from camkeep.clock import MonoNs, WallUs
from fuzz.reading import Reader


def one_input(data: bytes) -> None:
    reader = Reader(data)
    reorder = Reorder()
    number, now = 65_000, 0
    given = taken = 0
    while reader.left:
        step = reader.u8()
        number += (reader.u16() if step == 255 else step - 100) if step & 1 else 1
        now += 1_000_000 * (step >> 4)
        packet = bytes(2) + (number & 0xFFFF).to_bytes(2)
        out = reorder.push(Datagram(packet, MonoNs(now), WallUs(now)))
        given += 1
        taken += len(out)
        assert 0 <= given - taken <= Reorder.WINDOW
        assert all(len(datagram.data) == 4 for datagram in out)


def seeds() -> Iterable[bytes]:
    yield bytes(30)
    yield bytes([0, 103, 99, 97, 0, 0, 101, 105, 99, 97, 95, 0, 255, 16, 0, 0, 0])
    yield bytes([103] * 80)
    yield bytes([0, 0xF3, 0xF0, 0xF0, 0xF0, 0, 21, 23])
