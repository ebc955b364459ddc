"""RTP packets (RFC 3550 §5.1) and putting those that came by UDP in order. Pure."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import NamedTuple

from camkeep.clock import MonoNs, WallUs
from camkeep.errors import MediaError

HEADER = 12
"""Bytes of the fixed header."""

unpack_header = struct.Struct(">BBHII").unpack_from
"""Version and flags, marker and payload type, sequence number, time stamp, SSRC."""


pack_flow = struct.Struct(">II").pack
"""Time stamp and SSRC."""


@lru_cache(maxsize=64)
def fragment_layout(gap: int, head: int, content: int) -> struct.Struct:
    """A packet without extras, for `iter_unpack` over packets `gap` bytes apart.

    Its fields: flags, marker and payload type; sequence number; time stamp and SSRC; the first
    `head` bytes of the payload; its other `content` bytes.
    """
    return struct.Struct(f">{gap}x2sH8s{head}s{content}s")


MAX_DROPOUT = 3000
"""A jump ahead of more packets than this is a new beginning, not a loss (RFC 3550 §A.1)."""
MAX_MISORDER = 256
"""A packet that is further behind than this is a new beginning, not a late packet."""


def payload(data: bytes, start: int, stop: int) -> tuple[int, int]:
    """Where the payload of the packet data[start:stop] begins and ends.

    For packets with contributing sources, an extension (§5.3.1) or padding; the usual header
    has none of these. Raises MediaError where the packet is malformed.
    """
    first = data[start]
    if first >> 6 != 2:
        raise MediaError("a packet that is not RTP version 2")
    begin = start + HEADER + 4 * (first & 0x0F)
    if first & 0x10:
        if begin + 4 > stop:
            raise MediaError("an RTP extension longer than its packet")
        begin += 4 + 4 * int.from_bytes(data[begin + 2 : begin + 4])
    end = stop
    if first & 0x20:
        end -= data[stop - 1]
        if end == stop:
            raise MediaError("RTP padding of no length")
    if begin > end:
        raise MediaError("an RTP header longer than its packet")
    return begin, end


def signed(value: int, bits: int) -> int:
    """The difference of two counters of `bits` bits, across the wrap."""
    half = 1 << (bits - 1)
    return ((value + half) & ((1 << bits) - 1)) - half


class Datagram(NamedTuple):
    """A packet that came by UDP, and when."""

    data: bytes
    arrival: MonoNs
    arrival_wall: WallUs


class Reorder:
    """Puts datagrams in the order of their sequence numbers.

    A packet that is ahead of its turn waits until the missing ones come, but neither longer
    than `HOLD_NS` nor for more than `WINDOW` packets: they count as lost then. Packets from
    behind are handed on as they are: their track knows what late ones mean.
    """

    WINDOW = 64
    HOLD_NS = 100_000_000

    def __init__(self) -> None:
        self._expected: int | None = None
        self._held: dict[int, Datagram] = {}

    def push(self, packet: Datagram) -> list[Datagram]:
        """Take a datagram of at least four bytes; returns those whose turn it is."""
        number = int.from_bytes(packet.data[2:4])
        if self._expected is None:
            self._expected = number
        ahead = signed(number - self._expected, 16)
        if ahead > MAX_DROPOUT or ahead < -MAX_MISORDER:
            ready = [self._held[key] for key in sorted(self._held, key=self._distance)]
            self._held.clear()
            self._expected = (number + 1) & 0xFFFF
            return [*ready, packet]
        if ahead < 0 or number in self._held:
            return [packet]
        self._held[number] = packet
        ready = self._in_turn()
        while self._held and self._overdue(packet.arrival):
            self._expected = min(self._held, key=self._distance)
            ready += self._in_turn()
        return ready

    def _in_turn(self) -> list[Datagram]:
        ready = []
        assert self._expected is not None
        while (packet := self._held.pop(self._expected, None)) is not None:
            ready.append(packet)
            self._expected = (self._expected + 1) & 0xFFFF
        return ready

    def _overdue(self, now: int) -> bool:
        oldest = next(iter(self._held.values())).arrival
        return len(self._held) > self.WINDOW or now - oldest > self.HOLD_NS

    def _distance(self, number: int) -> int:
        return (number - (self._expected or 0)) & 0xFFFF
