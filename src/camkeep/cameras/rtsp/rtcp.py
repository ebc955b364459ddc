"""RTCP (RFC 3550 §6) as far as a receiver needs it, and the clocks that it ties together. Pure.

A sender report says which RTP time stamp belongs to which instant of the camera's own clock.
That clock may be wrong by years, which is only reported; but it is the same for sound and
picture, so it tells how the two belong together.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

from camkeep.cameras.rtsp.rtp import signed
from camkeep.errors import MediaError

SENDER_REPORT = 200
RECEIVER_REPORT = 201
SOURCE_DESCRIPTION = 202
GOODBYE = 203

NTP_TO_UNIX_S = 2_208_988_800
"""Seconds from 1900, where NTP begins, to 1970."""

_SENDER_INFO = struct.Struct(">III").unpack_from


class Report(NamedTuple):
    """What one compound packet said that matters here."""

    ntp_ns: int | None = None
    """The camera's clock, ns since 1970; None where it sent no report or has no clock."""
    rtp: int = 0
    """The RTP time stamp of the same instant."""
    goodbye: bool = False


def parse_rtcp(data: bytes) -> Report:
    """Read a compound packet. Raises MediaError where it is none."""
    report = Report()
    pos = 0
    while pos + 4 <= len(data):
        first, kind = data[pos], data[pos + 1]
        size = 4 + 4 * int.from_bytes(data[pos + 2 : pos + 4])
        if first >> 6 != 2 or pos + size > len(data):
            raise MediaError("a malformed RTCP packet")
        if kind == SENDER_REPORT and size >= 28:
            seconds, fraction, rtp = _SENDER_INFO(data, pos + 8)
            if seconds or fraction:  # zero: the camera knows no wall clock (§6.4.1)
                # seconds below 2^31 belong to the era that begins in 2036 (RFC 4330 §3)
                era = 0 if seconds & 0x8000_0000 else 1 << 32
                whole = (seconds + era - NTP_TO_UNIX_S) * 1_000_000_000
                report = report._replace(ntp_ns=whole + (fraction * 1_000_000_000 >> 32), rtp=rtp)
        elif kind == GOODBYE:
            report = report._replace(goodbye=True)
        pos += size
    if pos == 0:
        raise MediaError("an RTCP packet without a header")
    return report


def receiver_report(ssrc: int, name: str) -> bytes:
    """An empty receiver report and the CNAME that must go with it (§6.4.2, §6.5.1).

    It tells a server that somebody is still listening.
    """
    text = name.encode()[:255]
    item = bytes((1, len(text))) + text + b"\0"
    item += b"\0" * (-len(item) % 4)
    description = struct.pack(">BBHI", 0x81, SOURCE_DESCRIPTION, 1 + len(item) // 4, ssrc) + item
    return struct.pack(">BBHI", 0x80, RECEIVER_REPORT, 1, ssrc) + description


@dataclass(slots=True)
class SenderClock:
    """The camera's clock for the time stamps of one track."""

    clock_rate: int
    _ntp_ns: int | None = None
    _rtp: int = 0

    def learn(self, report: Report) -> None:
        """Take the newest sender report."""
        if report.ntp_ns is not None:
            self._ntp_ns, self._rtp = report.ntp_ns, report.rtp

    def at(self, stamp: int) -> int | None:
        """When `stamp` was, ns since 1970 on the camera's clock; None before any report."""
        if self._ntp_ns is None:
            return None
        return self._ntp_ns + signed(stamp - self._rtp, 32) * 1_000_000_000 // self.clock_rate


class Alignment:
    """Places sound on the timeline of the picture.

    Each track has a timeline of its own, anchored on its own arrivals; cameras send sound and
    picture with different delays, so the two disagree by up to some 100 ms. With a sender
    report for each track, the wall time of a sound is that of the last picture plus the
    distance of the two on the camera's clock. `shift` is what has to be added to the sound's
    own wall time to get there. Within a run it moves by at most a quarter of the time that
    passes, so that wall times never run backwards; a new run takes it at once.
    """

    MOST_US = 5_000_000
    """A distance beyond this is a camera whose reports make no sense: they are not followed."""

    def __init__(self) -> None:
        self._run: int | None = None
        self._wall = 0
        self._shift = 0
        self._picture: tuple[int, int] | None = None

    def picture(self, ntp_ns: int, wall: int) -> None:
        """A picture of that instant on the camera's clock was placed at `wall`."""
        self._picture = (ntp_ns, wall)

    def shift(self, ntp_ns: int | None, wall: int, run: int) -> int:
        """Microseconds to add to the wall time of a sound, which its own timeline placed."""
        wanted = self._shift
        if ntp_ns is not None and self._picture is not None:
            picture_ns, picture_wall = self._picture
            exact = picture_wall + (ntp_ns - picture_ns) // 1000 - wall
            wanted = exact if abs(exact) <= self.MOST_US else 0
        if run == self._run:
            most = max(0, wall - self._wall) // 4
            wanted = max(self._shift - most, min(self._shift + most, wanted))
            wall = max(self._wall, wall)
        self._run, self._wall, self._shift = run, wall, wanted
        return wanted
