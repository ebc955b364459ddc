"""From the RTP packets of one flow to samples. Pure but for the notes and the sink it is given.

`receive` runs for each packet of each camera: what is rare is kept out of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from camkeep.cameras.rtsp.depacketize_audio import AudioPackets
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
from camkeep.errors import MediaError, StreamBroken
from camkeep.media.nal import AccessUnit
from camkeep.media.timeline import Placed, Timeline
from camkeep.model import Sample, VideoParams

KEY_WAIT_NS = 60_000_000_000
"""How long whole frames without a key frame still count as progress."""


class Moment(Protocol):
    """When the packet that is being received was here: a `Wire`, or the UDP socket."""

    arrival: MonoNs
    arrival_wall: WallUs


class VideoPackets(Protocol):
    """What a track needs of a video codec; the methods are those of `NalPackets`."""

    def push(self, data: bytes, start: int, stop: int) -> None: ...
    def begins(self, data: bytes, start: int, stop: int) -> bool: ...
    def finish(self) -> AccessUnit | None: ...
    def reset(self) -> None: ...


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


class VideoTrack(Track):
    """Gathers access units: one ends at the marker bit, or where the time stamp changes."""

    def __init__(
        self,
        packets: VideoPackets,
        payload_type: int,
        clock_rate: int,
        moment: Moment,
        out: Outlet,
    ) -> None:
        super().__init__(payload_type, clock_rate, moment, out)
        self._clock_rate = clock_rate
        self._packets = packets
        self._timeline: Timeline | None = None
        self._params: VideoParams | None = None
        self._stamp = -1  # of the access unit that is being gathered
        self._filling = False  # whether there is one
        self._arrival, self._arrival_wall = moment.arrival, moment.arrival_wall
        self._unsure = True  # whether the next packet may be from the middle of a picture
        self._skip = -1  # time stamp of an access unit that is to be dropped
        self._waiting = True  # for a key frame
        self._waiting_since = moment.arrival
        self._fresh = False  # whether leading pictures have lost what they refer to

    def _take(self, data: bytes, start: int, stop: int, stamp: int, marker: int) -> None:
        if (self._unsure or stamp == self._skip) and self._skips(data, start, stop, stamp, marker):
            return
        if stamp != self._stamp or not self._filling:
            if self._filling:
                self._finish()
            self._stamp = stamp
            self._filling = True
            self._arrival = self.moment.arrival
            self._arrival_wall = self.moment.arrival_wall
        if start < stop:
            try:
                self._packets.push(data, start, stop)
            except MediaError:
                self._trouble[Trouble.RTP_MALFORMED] += 1
                self._drop()
                self._skip = -1 if marker else stamp
                return
        if marker:
            self._finish()

    def _skips(self, data: bytes, start: int, stop: int, stamp: int, marker: int) -> bool:
        """Whether this packet belongs to a picture of which a part is missing."""
        if self._unsure:
            if start == stop:
                return True
            self._unsure = False
            self._skip = -1
            if self._packets.begins(data, start, stop):
                return False
            if stamp != self._stamp:  # else it was counted when its packet was missed
                self._drop()
            self._stamp = self._skip = stamp
        if marker:
            self._skip = -1
        return True

    def _lost(self) -> None:
        if self._filling:
            self._drop()
        self._begin_again()
        self._unsure = True

    def _drop(self) -> None:
        """Give up the access unit that is being gathered."""
        self._trouble[Trouble.FRAME_BROKEN] += 1
        self._filling = False
        self._begin_again()

    def _begin_again(self) -> None:
        self._packets.reset()
        if not self._waiting:
            self._waiting = True
            self._waiting_since = self.moment.arrival
        if self._timeline is not None:
            self._timeline.new_run()

    def _finish(self) -> None:
        """The access unit is complete: hand it on."""
        try:
            unit = self._packets.finish()
        except MediaError:
            self._drop()
            return
        self._filling = False
        if unit is None:
            if self._waiting:
                self._wait_on()
            return
        params, data, key, leading = unit
        if (self._waiting or self._fresh) and self._undecodable(key, leading):
            return
        if params is not self._params or self._timeline is None:
            self._change(params)
        assert self._timeline is not None
        placed = self._place(self._timeline, self._stamp, self._arrival, self._arrival_wall)
        out = self._out
        out.progress()
        out.sink(Sample(params, data, placed.ticks, self._arrival, placed.wall, key, placed.run))
        ntp_ns = self._clock.at(self._stamp)
        if ntp_ns is not None:
            out.alignment.picture(ntp_ns, placed.wall)

    def _undecodable(self, key: bool, leading: bool) -> bool:
        """Whether the frame refers to what never came."""
        if self._waiting and key:
            self._waiting = False
            self._fresh = True
            return False
        if self._waiting or leading:
            self._trouble[Trouble.FRAME_BEFORE_KEY] += 1
            self._wait_on()
            return True
        self._fresh = False
        return False

    def _wait_on(self) -> None:
        """A whole frame is a sign of life while a key frame is waited for, but not for ever."""
        if self._arrival - self._waiting_since < KEY_WAIT_NS:
            self._out.progress()

    def _change(self, params: VideoParams) -> None:
        self._params = self._out.notes.video = params
        if self._timeline is None:
            self._timeline = Timeline(self._clock_rate, ordered=params.reorder == 0)

    def _reported(self, report: Report) -> None:
        if report.ntp_ns is not None:
            ours = self.moment.arrival_wall
            self._out.notes.clock_offset_s = (report.ntp_ns // 1000 - ours) / 1e6
        if report.goodbye:
            if self._filling:
                self._finish()
            raise StreamBroken("the camera ended the stream")


class AudioTrack(Track):
    """Each packet is complete in itself, or a fragment of which the codec keeps account."""

    def __init__(
        self, packets: AudioPackets, payload_type: int, moment: Moment, out: Outlet
    ) -> None:
        rate = packets.params.timescale
        super().__init__(payload_type, rate, moment, out)
        self._rate = rate
        self._packets = packets
        self._timeline = Timeline(rate)

    def _take(self, data: bytes, start: int, stop: int, stamp: int, marker: int) -> None:
        if start == stop:
            return
        try:
            pieces = self._packets.push(data, start, stop)
        except MediaError:
            self._trouble[Trouble.RTP_MALFORMED] += 1
            self._lost()
            return
        if not pieces:
            return
        arrival, wall = self.moment.arrival, self.moment.arrival_wall
        placed = self._place(self._timeline, stamp, arrival, wall)
        shift = self._out.alignment.shift(self._clock.at(stamp), placed.wall, placed.run)
        params, run = self._packets.params, placed.run
        for offset, piece in pieces:
            at = WallUs(placed.wall + shift + offset * 1_000_000 // self._rate)
            ticks = placed.ticks + offset
            self._out.sink(Sample(params, piece, ticks, arrival, at, True, run))

    def _lost(self) -> None:
        self._packets.reset()
        self._timeline.new_run()

    def _reported(self, report: Report) -> None:
        """The picture's reports tell all that is of interest."""
