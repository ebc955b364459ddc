"""A stream cut into the segments and partial segments of HLS (RFC 8216bis, low latency), in
memory. Pure.

A segment begins with a key frame where one comes in time, else with any frame: its length is
bounded, whatever the camera's groups of pictures are. Partial segments end when the first frame
of the next is there, so that all durations are exact. What is kept is bounded in number and size.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from camkeep.clock import WallUs, as_datetime
from camkeep.media.mp4.livestream import fragment, initialization
from camkeep.media.mp4.livetimes import Began, Frame, LiveTimes, Sound
from camkeep.media.mp4.video_track import VIDEO_TIMESCALE, VideoTrack
from camkeep.model import AudioParams, Codec, Sample, VideoParams

TARGET_S = 4
"""EXT-X-TARGETDURATION: no segment is longer, rounded."""
SEGMENT_S = 2.0
"""A segment ends at the first key frame after so long."""
FIRST_S = 0.5
"""The same for the very first, for which players wait."""
PART_S = 0.5
"""EXT-X-PART-INF: no partial segment is longer, as long as frames come often enough."""
LEAST_PART = 0.85
"""Of that, but for the last one of a segment (§4.4.4.9)."""
SEGMENTS = 8
BYTES = 32 * 1024 * 1024
SEGMENT_BYTES = 12 * 1024 * 1024
WITH_PARTS = 3
"""Segments whose partial segments are listed."""
SOUNDS = frozenset({Codec.AAC})


@dataclass(slots=True)
class Part:
    """A partial segment."""

    data: bytes
    duration_s: float
    independent: bool
    """Whether it begins with a key frame."""


@dataclass(slots=True)
class Segment:
    """A segment, or the beginning of one."""

    number: int
    """Its media sequence number."""
    map: int
    """Number of its initialization segment."""
    wall: WallUs
    """When its first frame was taken."""
    broken: bool
    """Whether it does not follow the one before."""
    parts: list[Part] = field(default_factory=list)
    complete: bool = False

    @property
    def duration_s(self) -> float:
        """So far."""
        return sum(part.duration_s for part in self.parts)

    @property
    def size(self) -> int:
        """Bytes so far."""
        return sum(len(part.data) for part in self.parts)


class HlsStream:
    """One camera's. `add` its samples."""

    def __init__(self, name: str, first: int, announced: AudioParams | None) -> None:
        """`first` is the number of the first segment: later ones of the camera must be higher."""
        self.segments: deque[Segment] = deque()
        """The last one grows."""
        self.maps: dict[int, bytes] = {}
        """Initialization segments."""
        self.ended = False
        self.part_s = PART_S
        self._name = name
        self._next = first
        self._breaks_gone = 0
        self._times = LiveTimes(announced, SOUNDS)
        self._map = -1
        self._delay = 0
        self._broken = False
        self._frames: list[Frame] = []
        self._sounds: list[Sound] = []
        self._bytes = 0
        self._step = VIDEO_TIMESCALE // 25
        self._sequence = 0

    def add(self, sample: Sample) -> bool:
        """The next sample; whether there is a new part. Raises MediaError."""
        changed = False
        for placed in self._times.add(sample):
            match placed:
                case Frame():
                    changed |= self._frame(placed)
                case Sound():
                    self._sounds.append(placed)
                case Began(video, audio, origin):
                    changed |= self._begin(video, audio, origin)
        return changed

    def end(self) -> None:
        """There will be no more."""
        self._close_part(None)
        self._close_segment()
        self.ended = True

    @property
    def playable(self) -> bool:
        """Whether there is a whole segment: players that know nothing of parts need one."""
        return any(segment.complete for segment in self.segments)

    def part(self, number: int, part: int) -> bytes | None:
        """A partial segment, if it is there."""
        segment = self.segment(number)
        if segment is None or part >= len(segment.parts):
            return None
        return segment.parts[part].data

    def segment(self, number: int) -> Segment | None:
        """The segment of that number, if it is there."""
        return next((each for each in self.segments if each.number == number), None)

    def reached(self, number: int, part: int | None) -> bool:
        """Whether what a client waits for is in the playlist: part `part` of a segment, or all of
        it (§6.2.5.2)."""
        last = self.segments[-1] if self.segments else None
        if last is None or number > last.number:
            return False
        if number < last.number or last.complete:
            return True
        return part is not None and part < len(last.parts)

    # what comes

    def _begin(self, video: VideoParams, audio: AudioParams | None, origin: WallUs) -> bool:
        closed = self._close_part(None)
        self._close_segment()
        self._map += 1
        self.maps[self._map] = initialization(video, audio, self._name, origin)
        self._delay = VideoTrack(1, video).delay
        self._broken = self._map > 0
        self._sounds = []
        return closed

    def _frame(self, frame: Frame) -> bool:
        closed = False
        if self._frames:
            step = frame.dts - self._frames[-1].dts
            if frame.gap:
                closed = self._close_part(None)
                self._close_segment()
                self._broken = True
            else:
                self._step = step
                closed = self._maybe_close(frame)
        if not self.segments or self.segments[-1].complete:
            broken, self._broken = self._broken, False
            self.segments.append(Segment(self._next, self._map, frame.wall, broken))
            self._next += 1
            self._trim()
        self._frames.append(frame)
        self._bytes += len(frame.data)
        return closed

    def _maybe_close(self, frame: Frame) -> bool:
        """End the part, and the segment, before `frame` where it is time."""
        part_s = (frame.dts - self._frames[0].dts) / VIDEO_TIMESCALE
        step_s = self._step / VIDEO_TIMESCALE
        segment = self.segments[-1]
        whole_s = segment.duration_s + part_s
        least_s = SEGMENT_S if self.playable else FIRST_S
        ends = frame.key and whole_s >= least_s
        ends = ends or whole_s + step_s > TARGET_S
        ends = ends or segment.size + self._bytes > SEGMENT_BYTES
        full = part_s >= self.part_s * LEAST_PART or part_s + step_s > self.part_s
        if not ends and not full:
            return False
        self._close_part(frame)
        if ends:
            self._close_segment()
        return True

    def _close_part(self, following: Frame | None) -> bool:
        """End the part before `following`, or for now."""
        frames = self._frames
        if not frames:
            return False
        end = following.dts if following is not None else frames[-1].dts + self._step
        self._sequence += 1
        data = fragment(self._sequence, frames, end, self._delay, self._sounds)
        duration_s = (end - frames[0].dts) / VIDEO_TIMESCALE
        if not any(segment.parts for segment in self.segments):  # nobody has seen a playlist yet
            self.part_s = max(self.part_s, duration_s)
        self.segments[-1].parts.append(Part(data, duration_s, frames[0].key))
        self._frames, self._sounds, self._bytes = [], [], 0
        return True

    def _close_segment(self) -> None:
        if self.segments and self.segments[-1].parts:
            self.segments[-1].complete = True

    def _trim(self) -> None:
        """Forget what is old."""
        while len(self.segments) > 2 and (
            len(self.segments) > SEGMENTS + 1
            or sum(segment.size for segment in self.segments) > BYTES - SEGMENT_BYTES
        ):
            self.segments.popleft()
            self._breaks_gone += self.segments[0].broken
            self.segments[0].broken = False
        used = {segment.map for segment in self.segments} | {self._map}
        self.maps = {number: data for number, data in self.maps.items() if number in used}

    # the playlist

    def playlist(self, base: str, query: str = "") -> str:
        """The media playlist. URIs begin with `base` and end with `query`."""
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:9",
            f"#EXT-X-TARGETDURATION:{TARGET_S}",
            f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={3 * self.part_s:.5f}",
            f"#EXT-X-PART-INF:PART-TARGET={self.part_s:.5f}",
            f"#EXT-X-MEDIA-SEQUENCE:{self.segments[0].number if self.segments else self._next}",
            f"#EXT-X-DISCONTINUITY-SEQUENCE:{self._breaks_gone}",
        ]
        map_before = None
        for place, segment in enumerate(self.segments):
            if not segment.parts:
                continue
            if segment.broken:
                lines.append("#EXT-X-DISCONTINUITY")
            if segment.map != map_before:
                lines.append(f'#EXT-X-MAP:URI="{base}init{segment.map}.mp4{query}"')
                map_before = segment.map
            lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{_date(segment.wall)}")
            if len(self.segments) - place <= WITH_PARTS:
                lines += [
                    f"#EXT-X-PART:DURATION={part.duration_s:.5f},"
                    f'URI="{base}part{segment.number}.{number}.m4s{query}"'
                    + (",INDEPENDENT=YES" if part.independent else "")
                    for number, part in enumerate(segment.parts)
                ]
            if segment.complete:
                lines.append(f"#EXTINF:{segment.duration_s:.5f},")
                lines.append(f"{base}seg{segment.number}.m4s{query}")
        lines.append(self._hint(base, query))
        return "\n".join(lines) + "\n"

    def _hint(self, base: str, query: str) -> str:
        if self.ended:
            return "#EXT-X-ENDLIST"
        number, part = self.coming
        return f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{base}part{number}.{part}.m4s{query}"'

    @property
    def coming(self) -> tuple[int, int]:
        """Number of the part that is next, and of its segment."""
        if self.segments and not self.segments[-1].complete:
            return self.segments[-1].number, len(self.segments[-1].parts)
        return self._next, 0


def _date(wall: WallUs) -> str:
    return as_datetime(wall).isoformat(timespec="milliseconds").replace("+00:00", "Z")
