"""From the RTP packets of the sound to samples: see `track.py` for what is common."""

from __future__ import annotations

from camkeep.cameras.rtsp.depacketize_audio import AudioPackets
from camkeep.cameras.rtsp.rtcp import Report
from camkeep.cameras.rtsp.track import Moment, Outlet, Track
from camkeep.cameras.trouble import Trouble
from camkeep.clock import MonoNs, WallUs
from camkeep.errors import MediaError
from camkeep.media.timeline import Timeline
from camkeep.model import Sample


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
        params, out = self._packets.params, self._out
        for offset, piece in pieces:
            # the packet's own frame says when the others would have come by themselves
            at, after_us = (stamp + offset) & 0xFFFF_FFFF, offset * 1_000_000 // self._rate
            placed = self._place(
                self._timeline, at, MonoNs(arrival + 1000 * after_us), WallUs(wall + after_us)
            )
            shift = out.alignment.shift(self._clock.at(at), placed.wall, placed.run)
            taken = WallUs(placed.wall + shift)
            out.sink(Sample(params, piece, placed.ticks, arrival, taken, True, placed.run))

    def _lost(self) -> None:
        self._packets.reset()
        self._timeline.new_run()

    def _reported(self, report: Report) -> None:
        """The picture's reports tell all that is of interest."""
