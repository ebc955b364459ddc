"""From the RTP packets of the sound to samples: see `track.py` for what is common."""

from __future__ import annotations

from camkeep.cameras.rtsp.depacketize_audio import AudioPackets
from camkeep.cameras.rtsp.rtcp import Report
from camkeep.cameras.rtsp.track import Moment, Outlet, Track
from camkeep.cameras.trouble import Trouble
from camkeep.clock import WallUs
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
