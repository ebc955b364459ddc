"""What the tracks of a session have in common. Pure but for the notes and the sink it is given.

A track takes the RTP packets of one flow and makes samples of them.

`receive` runs for each packet of each camera: what is rare is kept out of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from camkeep.cameras.rtsp.rtcp import Alignment, Report, SenderClock, parse_rtcp
from camkeep.cameras.rtsp.rtp import (
    HEADER,
    MAX_DROPOUT,
    MAX_MISORDER,
    payload,
    signed,
    unpack_header,
)
from camkeep.cameras.source import Notes, Sink
from camkeep.cameras.trouble import Trouble
from camkeep.clock import MonoNs, WallUs
from camkeep.errors import MediaError
from camkeep.media.timeline import Placed, Timeline


class Moment(Protocol):
    """When the packet that is being received was here: a `Wire`, or the UDP socket."""

    arrival: MonoNs
    arrival_wall: WallUs


@dataclass(slots=True)
class Outlet:
    """Where the tracks of one session put what they make."""

    sink: Sink
    notes: Notes
    progress: Callable[[], None]
    """Called for each whole picture."""
    alignment: Alignment = field(default_factory=Alignment)


class Track(ABC):
    """What sound and picture have in common: the order of packets, and the sender's clock."""

    def __init__(self, payload_type: int, clock_rate: int, moment: Moment, out: Outlet) -> None:
        self.moment = moment
        self._payload_type = payload_type
        self._out = out
        self._trouble = out.notes.trouble
        self._clock = SenderClock(clock_rate)
        self._expected = -1  # sequence number of the next packet
        self._ssrc = -1

    def receive(self, data: bytes, start: int, stop: int) -> None:
        """Take the RTP packet data[start:stop]."""
        if stop - start < HEADER:
            self._trouble[Trouble.RTP_MALFORMED] += 1
            return
        first, second, number, stamp, ssrc = unpack_header(data, start)
        if first == 0x80:
            start += HEADER
        else:
            try:
                start, stop = payload(data, start, stop)
            except MediaError:
                self._trouble[Trouble.RTP_MALFORMED] += 1
                return
        if (number != self._expected or ssrc != self._ssrc) and not self._admit(number, ssrc):
            return
        self._expected = (number + 1) & 0xFFFF
        if second & 0x7F == self._payload_type:
            self._take(data, start, stop, stamp, second & 0x80)
        else:
            self._trouble[Trouble.RTP_MALFORMED] += 1

    def receive_rtcp(self, data: bytes, start: int, stop: int) -> None:
        """Take the RTCP packet data[start:stop]. Raises StreamBroken when the camera ends."""
        try:
            report = parse_rtcp(data[start:stop])
        except MediaError:
            self._trouble[Trouble.RTP_MALFORMED] += 1
            return
        self._clock.learn(report)
        self._reported(report)

    def _admit(self, number: int, ssrc: int) -> bool:
        """Decide about a packet that is not the expected one: whether it is to be used."""
        ahead = signed(number - self._expected, 16)
        begun, same = self._expected >= 0, ssrc == self._ssrc
        if begun and same:
            if -MAX_MISORDER <= ahead < 0:
                self._trouble[Trouble.RTP_LATE] += 1
                return False
            self._trouble[Trouble.RTP_LOST] += ahead if 0 < ahead <= MAX_DROPOUT else 1
        self._ssrc = ssrc
        if begun:
            self._lost()
        return True

    @abstractmethod
    def _take(self, data: bytes, start: int, stop: int, stamp: int, marker: int) -> None:
        """Use the payload data[start:stop], which may be empty."""

    @abstractmethod
    def _lost(self) -> None:
        """The packet that comes next does not follow the last one."""

    @abstractmethod
    def _reported(self, report: Report) -> None:
        """A report came; the clock has learned it."""

    def _place(self, timeline: Timeline, stamp: int, arrival: MonoNs, wall: WallUs) -> Placed:
        placed = timeline.place(stamp, arrival, wall)
        if placed.oddity is not None:
            jump = placed.oddity == "jump"
            self._trouble[Trouble.CLOCK_JUMP if jump else Trouble.CLOCK_DOUBLED] += 1
        return placed
