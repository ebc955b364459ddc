"""From the RTP packets of the picture to samples: see `track.py` for what is common."""

from __future__ import annotations

from typing import Protocol

from camkeep.cameras.rtsp.depacketize_nal import NalPackets
from camkeep.cameras.rtsp.rtcp import Report
from camkeep.cameras.rtsp.rtp import HEADER, fragment_layout, pack_flow
from camkeep.cameras.rtsp.track import Moment, Outlet, Track
from camkeep.cameras.trouble import Trouble
from camkeep.errors import MediaError, StreamBroken
from camkeep.media.nal import AccessUnit
from camkeep.media.timeline import Timeline
from camkeep.model import Sample, VideoParams

KEY_WAIT_NS = 60_000_000_000
"""How long whole frames without a key frame still count as progress."""


class VideoPackets(Protocol):
    """What a track needs of a video codec; the methods are those of `NalPackets`."""

    def push(self, data: bytes, start: int, stop: int) -> None: ...
    def begins(self, data: bytes, start: int, stop: int) -> bool: ...
    def finish(self) -> AccessUnit | None: ...
    def reset(self) -> None: ...


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
        self._plain = bytes((0x80, payload_type))  # no extras, no marker
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

    def receive_run(self, data: bytes, start: int, stop: int, stride: int, count: int) -> None:
        """Take `count` RTP packets of one length: data[start:stop], and so on every `stride`.

        As `receive` for each of them, but in one go where they are fragments of one frame.
        """
        if not self._take_fragments(data, start, stop, stride, count):
            length = stop - start
            for at in range(start, start + count * stride, stride):
                self.receive(data, at, at + length)

    def _take_fragments(self, data: bytes, start: int, stop: int, stride: int, count: int) -> bool:
        """Take packets that differ in nothing but their number and content; False, and none is
        taken, where they differ in more, or do not go on with the access unit under way."""
        packets, first = self._packets, self._expected
        if not self._filling or not isinstance(packets, NalPackets) or first + count > 0xFFFF:
            return False
        content = stop - start - HEADER - packets.fragment_head
        if content <= 0:
            return False
        gap = stride - (stop - start)
        layout = fragment_layout(gap, packets.fragment_head, content)
        window = memoryview(data)[start - gap : start - gap + count * stride]
        kinds, numbers, flows, heads, contents = zip(*layout.iter_unpack(window), strict=True)
        alike = (
            numbers == tuple(range(first, first + count))
            and kinds.count(self._plain) == count
            and flows.count(pack_flow(self._stamp, self._ssrc)) == count
            and heads.count(heads[0]) == count
        )
        if not alike or not packets.push_fragments(heads[0], contents):
            return False
        self._expected = first + count
        return True

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
