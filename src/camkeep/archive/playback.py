"""What was recorded as a stream of fragments, for Media Source Extensions: from any instant, all
of it or key frames only.

A blocking generator that holds one fragment, and the tables of one segment, in memory. When to
send what is its reader's business.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from operator import add
from pathlib import Path

from camkeep.archive.clipfiles import OpenFile, reason_of
from camkeep.archive.playsamples import Reel, Sound
from camkeep.clock import WallUs
from camkeep.errors import MediaError, StorageError
from camkeep.media.mp4.identity import Identity
from camkeep.media.mp4.moov_boxes import MOVIE_TIMESCALE
from camkeep.media.mp4.read_params import read_audio_entry, read_video_entry
from camkeep.media.mp4.replay import Replay
from camkeep.media.mp4.splice import GAP_TICKS
from camkeep.media.mp4.splice_cut import ticks
from camkeep.media.mp4.splice_read import TrackFootage, read_footage
from camkeep.model import AudioParams, Codec, Segment, VideoParams

UNTOLD_REORDER = 4
"""How many frames a stream is taken to reorder that does so without saying how many."""


class Density(StrEnum):
    """Which frames are played."""

    ALL = "all"
    KEY = "key"
    """Only those at which decoding can begin, without sound: for playing fast, either way."""


class Why(StrEnum):
    """Why a header is sent."""

    START = "start"
    PARAMS = "params"
    """Another size, codec or sound follows; the times go on."""
    GAP = "gap"
    """What follows does not follow in time: something is missing, or the clock was set."""


@dataclass(frozen=True, slots=True)
class Header:
    """An initialization segment: what a player must have before the fragments that follow."""

    data: bytes
    wall: WallUs
    """The instant of media time 0 of the fragments that follow."""
    codecs: str
    """As RFC 6381 writes them: ``avc1.64001f,mp4a.40.2``."""
    why: Why
    video: VideoParams


@dataclass(frozen=True, slots=True)
class Fragment:
    """A media segment: `moof` and `mdat`."""

    data: bytes
    wall: WallUs
    """When its first frame was taken."""
    at_us: int
    """The same as media time, since the header's `wall`."""
    duration_us: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A segment that could not be read, or not to its end."""

    segment: Segment
    reason: str
    """In words for a person."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG, in place of a fragment: browsers play none that stand in a movie."""

    data: bytes
    wall: WallUs
    at_us: int
    duration_us: int


Played = Header | Fragment | Picture | Skipped


def play(
    root: Path,
    segments: Iterable[Segment],
    since: WallUs,
    until: WallUs | None = None,
    *,
    density: Density = Density.ALL,
    pictures: bool = False,
    back: bool = False,
    every_us: int = 0,
    sound: bool = True,
) -> Iterator[Played]:
    """The stream from the key frame at or before `since` on, of `segments` in the order of their
    sequence, which may be found while it goes on. A segment that grows is played up to its last
    whole fragment.

    `pictures`: JPEGs come one by one, as `Picture`, and without sound. Of key frames alone
    (`density`), those that begin less than `every_us` after the one before are left out, and with
    `back` they come the last one first, `segments` then in that order, too: each has a header of
    its own, `at_us` counts from there.
    """
    stream = _Stream(density, since, until, pictures, back, every_us, sound)
    for segment in segments:
        try:
            with closing(OpenFile(root / segment.path)) as file:
                yield from stream.segment(segment, file)
        except (OSError, MediaError, StorageError) as error:
            yield Skipped(segment, reason_of(error))


class _Stream:
    """Where the stream is."""

    def __init__(
        self,
        density: Density,
        since: WallUs,
        until: WallUs | None,
        pictures: bool,
        back: bool,
        every_us: int,
        sound: bool,
    ) -> None:
        self._density = density
        self._audible = sound and density is Density.ALL
        self._pictures = pictures
        self._back = back
        self._every = ticks(every_us, MOVIE_TIMESCALE)
        self._since: WallUs | None = since  # None once it has begun
        self._until = until
        self._replay: Replay | None = None
        self._kinds: object = None  # what the header was made for
        self._zero = WallUs(0)  # the instant of media time 0
        self._last = self._end = 0  # the last frame and its end, ticks of the frames
        self._heard = -1  # the last piece of sound, ticks of the sound

    def segment(self, segment: Segment, file: OpenFile) -> Iterator[Header | Fragment | Picture]:
        """What is to be played of one segment."""
        footage = read_footage(file)
        reel = self._reel(footage.video, segment, file)
        if not reel.frames:
            return
        pictures = _video_params(footage.video, self._density)
        single = self._pictures and pictures.codec is Codec.JPEG
        audio = footage.audio if self._audible and not single else None
        why = self._break(footage.video, audio, segment, reel.times[0])
        if why is not None:
            yield self._begin(footage.video, pictures, audio, segment, reel.times[0], why)
        assert self._replay is not None
        base = max(ticks(segment.start - self._zero, MOVIE_TIMESCALE), -reel.times[0])
        sound = self._sound(audio, segment, file) if audio is not None else None
        edges = [*range(len(reel.frames))] if single or self._back else [*reel.edges()]
        pairs = [*pairwise([*edges, len(reel.frames)])]
        for first, stop in reversed(pairs) if self._back else pairs:
            begin, end = reel.times[first] + base, reel.times[stop] + base
            at_us, samples = _us(begin), reel.take(first, stop, base)
            wall, length_us = WallUs(self._zero + at_us), _us(end) - _us(begin)
            if single:
                yield Picture(b"".join(samples.data), wall, at_us, length_us)
            else:
                final = stop == len(reel.frames)
                heard = sound.take(end, final=final) if sound is not None else None
                yield Fragment(self._replay.fragment(samples, heard), wall, at_us, length_us)
            self._last, self._end = reel.times[stop - 1] + base, end
            self._since = self._since if self._back else None
        if sound is not None:
            self._heard = max(self._heard, sound.last)

    def _reel(self, track: TrackFootage, segment: Segment, file: OpenFile) -> Reel:
        """The frames that are to be played: from the key frame at or before the instant on,
        without those that lead into its group and follow from the one before."""
        columns = track.columns
        shown = [track.shift + time for time in map(add, columns.dts, columns.offsets)]
        frames = list(range(len(shown)))
        end = columns.end + track.shift
        if self._since is not None:
            since = ticks(self._since - segment.start, MOVIE_TIMESCALE)
            first = max((n for n in frames if columns.keys[n] and shown[n] <= since), default=0)
            frames = [n for n in frames[first:] if shown[n] >= shown[first]] if end > since else []
        if self._until is not None:
            until = ticks(self._until - segment.start, MOVIE_TIMESCALE)
            stop = 1 + max((n for n in frames if shown[n] < until), default=-1)
            if stop < len(shown):
                end = columns.dts[stop] + track.shift
            frames = [n for n in frames if n < stop]
        if self._density is Density.KEY:
            frames = self._apart([n for n in frames if columns.keys[n]], shown)
            return Reel(file, columns, frames, [*(shown[n] for n in frames), end], shown)
        times = [columns.dts[n] + track.shift for n in frames]
        return Reel(file, columns, frames, [*times, end], shown)

    def _apart(self, frames: list[int], shown: list[int]) -> list[int]:
        """Those of them that are far enough from the one before."""
        found: list[int] = []
        for n in frames:
            if not found or shown[n] - shown[found[-1]] >= self._every:
                found.append(n)
        return found

    def _break(
        self, video: TrackFootage, audio: TrackFootage | None, segment: Segment, first: int
    ) -> Why | None:
        """Why a header must come before the segment's frames, if one must."""
        if self._replay is None:
            return Why.START
        if self._back:
            return Why.GAP
        first += ticks(segment.start - self._zero, MOVIE_TIMESCALE)
        if first - self._end > GAP_TICKS or first <= self._last:
            return Why.GAP
        return Why.PARAMS if _kinds(video, audio) != self._kinds else None

    def _begin(
        self,
        video: TrackFootage,
        pictures: VideoParams,
        audio: TrackFootage | None,
        segment: Segment,
        first: int,
        why: Why,
    ) -> Header:
        if why is not Why.PARAMS:
            self._zero = WallUs(segment.start + _us(first))
            self._last = self._end = self._heard = -1
        sound = _audio_params(audio) if audio is not None else None
        identity = Identity("", segment.run, segment.sequence, self._zero, segment.camera)
        self._replay = Replay(pictures, sound, identity)
        self._kinds = _kinds(video, audio)
        codecs = [pictures.codec_string, *([sound.codec_string] if sound is not None else [])]
        return Header(self._replay.header, self._zero, ",".join(codecs), why, pictures)

    def _sound(self, track: TrackFootage, segment: Segment, file: OpenFile) -> Sound:
        """The sound from where the stream is; behind what was heard."""
        scale = track.head.timescale
        base = track.shift + ticks(segment.start - self._zero, scale)
        times = track.columns.dts
        first = bisect_left(times, -base)
        if first < len(times):
            base = max(base, self._heard + 1 - times[first])
        stop = len(times)
        if self._until is not None:
            until = ticks(self._until - segment.start, scale) - track.shift
            stop = bisect_left(times, until)
        return Sound(file, track.columns, scale, base, first, stop)


def _kinds(video: TrackFootage, audio: TrackFootage | None) -> object:
    return video.entry, audio.entry if audio is not None else None


def _video_params(track: TrackFootage, density: Density) -> VideoParams:
    entry = memoryview(track.entry)
    params = read_video_entry(bytes(entry[4:8]), entry[8:], track.head.timescale)
    if density is Density.KEY:
        return replace(params, reorder=0)
    if params.reorder is None and any(track.columns.offsets):
        return replace(params, reorder=UNTOLD_REORDER)
    return params


def _audio_params(track: TrackFootage) -> AudioParams:
    entry = memoryview(track.entry)
    params = read_audio_entry(bytes(entry[4:8]), entry[8:])
    if params.sample_rate != track.head.timescale:
        raise MediaError("camkeep did not write this movie")
    return params


def _us(tick: int) -> int:
    """Ticks of the frames in µs, rounded to the nearest."""
    return (2 * tick * 1_000_000 + MOVIE_TIMESCALE) // (2 * MOVIE_TIMESCALE)
