"""RTCP, the clock it teaches, and the alignment of sound with it."""

from __future__ import annotations

from collections.abc import Iterable

from camkeep.cameras.rtsp.rtcp import Alignment, SenderClock, parse_rtcp, receiver_report
from camkeep.errors import MediaError
from fuzz import samples
from fuzz.reading import Reader, records


def one_input(data: bytes) -> None:
    reader = Reader(data)
    clock = SenderClock(1 + reader.u16())
    alignment = Alignment()
    last: tuple[int, int] | None = None  # run and wall time of the last sound
    wall = 0
    for record in reader.records():
        at = Reader(record)
        stamp, passed, run = at.u16() << 16 | at.u16(), at.u16(), at.u8() // 128
        try:
            clock.learn(parse_rtcp(at.rest()))
        except MediaError:
            continue
        wall += passed
        ntp_ns = clock.at(stamp)
        if ntp_ns is not None and passed & 1:
            alignment.picture(ntp_ns, wall)
        shift = alignment.shift(ntp_ns, wall, run)
        assert abs(shift) <= Alignment.MOST_US
        if last is not None and last[0] == run:
            assert wall + shift >= last[1], "time runs backwards"
        last = run, wall + shift


def seeds() -> Iterable[bytes]:
    head = bytes.fromhex("00010000 4000 00")
    reports = [samples.sender_report(90_000 * n, goodbye=n == 2) for n in range(3)]
    yield b"\x5f\xff" + records(head + report for report in reports)
    yield b"\x5f\xff" + records([head + receiver_report(7, "camkeep") + reports[0]])
