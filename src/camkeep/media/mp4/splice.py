"""Clips: the samples of many segments as one movie, which exists only while it is read.

A clip is ftyp, moov, a box of its own that says what it is made of, and mdat (ISO 14496-12): a
fast start. Its header is built on request; its media data are ranges of the segments' files.
Pure, no I/O: `archive/virtual.py` has the files.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate
from typing import NamedTuple

from camkeep.clock import WallUs
from camkeep.media.mp4.boxes import U32, box
from camkeep.media.mp4.identity import Identity, creation_time
from camkeep.media.mp4.moov_boxes import MOVIE_TIMESCALE, mvhd, rescale
from camkeep.media.mp4.splice_cut import Share, ticks
from camkeep.media.mp4.splice_join import JoinedTrack, Stretch
from camkeep.media.mp4.splice_lead import Range, lead_of, plain_ranges, with_lead
from camkeep.media.mp4.splice_read import TrackFootage
from camkeep.media.mp4.splice_rows import Rows

GAP_TICKS = 1 + MOVIE_TIMESCALE // 50
"""What begins later than this behind the end of what was before follows a gap: 20 ms, and one
tick that rounding may cost."""
LONGEST_STRETCH = (1 << 31) - 1
"""Most ticks from one sample to the next; players read them as signed numbers."""


class Gaps(StrEnum):
    """What becomes of the gaps between segments."""

    KEEP = "keep"
    """The frame before a gap lasts until the one after it."""
    CUT = "cut"
    """What follows a gap comes right after."""


class Placed(NamedTuple):
    """A share, and when its segment's time 0 is in the clip."""

    share: Share
    video_at: int
    """Ticks of the frames; negative where the clip begins within the segment."""
    audio_at: int
    """Ticks of the sound."""


class Span(NamedTuple):
    """A stretch of a clip that was recorded without a gap: which times are which."""

    at_us: int
    """Since the start of the clip."""
    wall: WallUs
    """The instant that is shown then."""
    length_us: int


@dataclass(slots=True)
class Part:
    """One movie: shares that can be in one."""

    start: WallUs
    """The instant that is shown at time 0."""
    placed: list[Placed] = field(default_factory=list)
    end: int = 0
    """Ticks of the frames at which the clip was asked to end, wherever the footage ends."""

    def spans(self) -> list[Span]:
        """What is shown when, in order."""
        found: list[Span] = []
        for number, (share, at, _) in enumerate(self.placed):
            begin = max(0, at + share.video.begin)
            end = min(at + share.video.ends, self.end)
            if number + 1 < len(self.placed):
                after = self.placed[number + 1]
                end = min(end, after.video_at + after.share.video.begin)
            wall = WallUs(share.start + _us(begin - at)) if begin else self.start
            found.append(Span(_us(begin), wall, _us(end - begin)))
        return found


def plan_parts(shares: Sequence[Share], start: WallUs, end: WallUs, gaps: Gaps) -> list[Part]:
    """The shares, in the order of recording, as movies: mostly one.

    Another begins with another codec, other sound, or after a gap that MP4 cannot hold.
    """
    layers: list[_Layer] = []
    for share in shares:
        if not layers or not layers[-1].takes(share):
            begin = max(start, share.start) if not layers else _first_wall(share)
            layers.append(_Layer(Part(begin), gaps))
        layers[-1].add(share)
    parts = [layer.part for layer in layers]
    for part in parts:
        final = part.placed[-1]
        part.end = final.video_at + ticks(end - final.share.start, MOVIE_TIMESCALE)
    return parts


class _Layer:
    """Lays shares one behind the other. Positions come from wall times, counted from the last
    place where that was not possible: a gap that is cut, a clock that was set back."""

    def __init__(self, part: Part, gaps: Gaps) -> None:
        self.part = part
        self._gaps = gaps
        self._anchor = part.start, 0  # a wall time, and the tick at which it is shown
        self._video_last = self._video_end = -1 << 62
        self._audio_last = -1 << 62
        self._newest = 0  # the last frame on show
        self._sound: tuple[bytes, int] | None = None

    def takes(self, share: Share) -> bool:
        """Whether the share can follow those before in one movie."""
        if _kind(share) != _kind(self.part.placed[-1].share):
            return False
        sound = _sound(share)
        if self._sound is not None and sound not in (None, self._sound):
            return False
        at, audio_at = self._place(share)
        steps = [at + share.video.begin - self._video_last]
        if share.audio is not None and self._sound is not None:
            steps.append(audio_at + share.audio.begin - self._audio_last)
        return max(steps) <= LONGEST_STRETCH

    def add(self, share: Share) -> None:
        """Put it behind those before."""
        at, audio_at = self._place(share)
        if at != self._tick(share.start, MOVIE_TIMESCALE):
            self._anchor = share.start, at
        self.part.placed.append(Placed(share, at, audio_at))
        newest = share.newest if share.cut else share.video.last
        self._video_last, self._video_end = at + share.video.last, at + share.ends
        self._newest = max(0, at + newest)
        if share.audio is not None:
            self._audio_last = audio_at + share.audio.last
            self._sound = _sound(share)

    def _place(self, share: Share) -> tuple[int, int]:
        video, audio = share.video, share.audio
        wanted = at = self._tick(share.start, MOVIE_TIMESCALE)
        if self.part.placed:
            behind = self._video_end - video.begin
            if at - behind > GAP_TICKS:
                at = behind if self._gaps is Gaps.CUT else at
            elif at + video.begin <= self._newest:  # the clock was set back
                at = behind
        if audio is None or share.footage.audio is None:
            return at, 0
        scale = share.footage.audio.head.timescale
        anchor = (share.start, at) if at != wanted else self._anchor
        audio_at = _tick(anchor, share.start, scale)
        return at, max(audio_at, self._audio_last + 1 - audio.begin)

    def _tick(self, wall: WallUs, scale: int) -> int:
        return _tick(self._anchor, wall, scale)


def _tick(anchor: tuple[WallUs, int], wall: WallUs, scale: int) -> int:
    """When `wall` is shown, ticks of `scale`, where `anchor` is a wall time and the tick of the
    frames at which it is shown."""
    at, tick = anchor
    exact = scale * (tick * 1_000_000 + (wall - at) * MOVIE_TIMESCALE)
    whole = MOVIE_TIMESCALE * 1_000_000
    return (2 * exact + whole) // (2 * whole)


def _us(tick: int) -> int:
    """Ticks of the frames in µs, rounded to the nearest."""
    return (2 * tick * 1_000_000 + MOVIE_TIMESCALE) // (2 * MOVIE_TIMESCALE)


def _first_wall(share: Share) -> WallUs:
    return WallUs(share.start + _us(share.video.begin))


def _kind(share: Share) -> bytes:
    return share.footage.video.entry[4:8]


def _sound(share: Share) -> tuple[bytes, int] | None:
    audio = share.footage.audio
    if share.audio is None or audio is None:
        return None
    return audio.entry, audio.head.timescale


class Spliced:
    """One part with its tables joined."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.ranges: list[list[Range]] = []
        """The media data of each share."""
        self.leads: list[int] = []
        """How many bytes stand in front of each key frame of each share."""
        self._rows: list[Rows] = []
        self._lay_out()
        self._places = [0, *accumulate(sum(r.size for r in ranges) for ranges in self.ranges)]
        self.media_size = self._places[-1]
        self.video = self._video()
        self.audio = self._audio()

    @property
    def tracks(self) -> list[JoinedTrack]:
        """Frames, and sound where there is any."""
        return [self.video] if self.audio is None else [self.video, self.audio]

    @property
    def duration(self) -> int:
        """Ticks of the frames."""
        return max(rescale(track.ends, track.head.timescale) for track in self.tracks)

    def header(self, about: bytes) -> bytes:
        """All up to the media data. `about`: a box that is to be in it."""
        shares = [placed.share for placed in self.part.placed]
        ftyp = next((s.footage.ftyp for s in shares if s.audio), shares[0].footage.ftyp)
        # a header of the narrow kind is shorter: where that fits, it is right
        for wide in (False, True):
            head = 16 if self.media_size + 8 > U32 else 8
            place = len(ftyp) + len(self._moov(0, wide)) + len(about) + head
            if wide or place + self.media_size <= U32:
                break
        size = head + self.media_size
        mdat = (
            struct.pack(">I4s", size, b"mdat")
            if head == 8
            else struct.pack(">I4sQ", 1, b"mdat", size)
        )
        return b"".join((ftyp, self._moov(place, wide), about, mdat))

    def _moov(self, media_place: int, wide: bool) -> bytes:
        created = creation_time(Identity("", 0, 0, self.part.start))
        traks = [track.trak(created, media_place, wide=wide) for track in self.tracks]
        next_id = 1 + max(track.head.track_id for track in self.tracks)
        return box(b"moov", mvhd(created, self.duration, next_id), *traks)

    def _lay_out(self) -> None:
        """Where the parameter sets change, they stand in front of each key frame, too."""
        shares = [placed.share for placed in self.part.placed]
        entries = {share.footage.video.entry for share in shares}
        leads = {entry: lead_of(entry) if len(entries) > 1 else b"" for entry in entries}
        for share in shares:
            lead = leads[share.footage.video.entry]
            ranges, rows = plain_ranges(share), share.video
            if lead:
                ranges, rows = with_lead(share, lead)
            self.ranges.append(ranges)
            self.leads.append(len(lead))
            self._rows.append(rows)

    def _video(self) -> JoinedTrack:
        entries: list[bytes] = []
        stretches: list[Stretch] = []
        for number, (share, at, _) in enumerate(self.part.placed):
            entry = share.footage.video.entry
            if entry not in entries:
                entries.append(entry)
            description = 1 + entries.index(entry)
            stretches.append(self._stretch(number, self._rows[number], at, description))
        head = self.part.placed[0].share.footage.video.head
        return JoinedTrack(head, entries, stretches, self.part.end)

    def _audio(self) -> JoinedTrack | None:
        stretches: list[Stretch] = []
        found: TrackFootage | None = None
        for number, (share, _, at) in enumerate(self.part.placed):
            if share.audio is not None:
                found = found or share.footage.audio
                stretches.append(self._stretch(number, share.audio, at, 1))
        if found is None:
            return None
        limit = max(self.part.end * found.head.timescale // MOVIE_TIMESCALE, 1)
        return JoinedTrack(found.head, [found.entry], stretches, limit)

    def _stretch(self, number: int, rows: Rows, at: int, description: int) -> Stretch:
        return Stretch(rows, at, description, self.ranges[number], self._places[number])
