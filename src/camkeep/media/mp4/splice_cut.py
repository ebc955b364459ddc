"""What a clip takes of a segment: all of it, or what lies between two instants.

Decoding begins at the key frame at or before the first instant, sound at the piece that sounds
then. Frames at or after the second instant are left out, but for those that others need, which
come before them in decoding order and are never shown.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import add, itemgetter
from typing import NamedTuple

from camkeep.clock import WallUs
from camkeep.errors import MediaError
from camkeep.media.mp4.read_columns import Columns
from camkeep.media.mp4.splice_read import Footage, TrackFootage
from camkeep.media.mp4.splice_rows import Rows, cut_rows

LONGEST = 1 << 40
"""Ticks that no segment lasts: months."""


class Selection(NamedTuple):
    """Samples of a track, from one up to another."""

    track: TrackFootage
    first: int
    stop: int


@dataclass(frozen=True, slots=True)
class Share:
    """What a clip has of one segment."""

    start: WallUs
    """Time 0 of the segment."""
    footage: Footage
    video: Rows
    audio: Rows | None
    ranges: tuple[tuple[int, int], ...]
    """Where the samples lie in the file, each from its first byte to its last; what else is in
    between belongs to no sample."""
    runs: tuple[int, ...]
    """How many samples of all tracks, in the order in which they lie in the file, are left out,
    taken, left out ... in turn."""
    cut: tuple[Selection, ...] = ()
    """What was taken of each track; empty where it is all."""
    moved: tuple[int, int] = (0, 0)
    """The frame on show at the first instant is shown from then on, not from when it was taken:
    its number among the frames taken, and by how many ticks."""
    newest: int = 0
    """When the last frame of a cut share would be shown, ticks of the segment: also one that is
    only there for others."""

    @property
    def ends(self) -> int:
        """When nothing of its pictures is left, ticks of the segment."""
        return max(self.video.ends, self.newest + 1) if self.cut else self.video.ends

    @property
    def count(self) -> int:
        """Samples of all tracks."""
        return self.video.count + (self.audio.count if self.audio is not None else 0)


def ticks(distance_us: int, timescale: int) -> int:
    """A distance in time as ticks, rounded to the nearest."""
    return (2 * distance_us * timescale + 1_000_000) // 2_000_000


def share_of(
    footage: Footage, start: WallUs, since: WallUs, until: WallUs, *, exact: bool
) -> Share | None:
    """What lies from `since` up to `until` of a segment whose time 0 is `start`.

    None where no frame does. `exact`: the frame on show at `since` is shown from then on; else
    the key frame that it needs is where the share begins. Raises MediaError.
    """
    video = footage.video.rows(footage.space)
    audio = footage.audio.rows(footage.space) if footage.audio is not None else None
    if video is None:
        return None
    for rows in (video, audio):
        if rows is not None and not -LONGEST <= rows.begin <= rows.ends <= LONGEST:
            raise MediaError("the movie's times are absurd")
    scale = footage.video.head.timescale
    begin, end = ticks(since - start, scale), ticks(until - start, scale)
    late = (
        audio is not None
        and footage.audio is not None
        and (audio.last >= ticks(until - start, footage.audio.head.timescale))
    )
    if video.ends <= begin:
        return None
    inside = video.ends <= end or (video.last < end and not video.offsets)
    if begin <= video.begin and inside and not late:
        count = video.count + (audio.count if audio is not None else 0)
        return Share(start, footage, video, audio, (footage.space,), (0, count))
    return _cut(footage, start, since, until, exact)


def _cut(
    footage: Footage, start: WallUs, since: WallUs, until: WallUs, exact: bool
) -> Share | None:
    track = footage.video
    columns, scale = track.columns, track.head.timescale
    begin = ticks(since - start, scale) - track.shift
    end = ticks(until - start, scale) - track.shift
    shown = list(map(add, columns.dts, columns.offsets))
    stop = 1 + max((n for n, time in enumerate(shown) if time < end), default=-1)
    starts = (n for n in range(stop) if columns.keys[n] and shown[n] <= begin)
    first = max(starts, default=0)
    if first >= stop:
        return None
    offsets, moved = columns.offsets[first:stop], (0, 0)
    on_show = max(
        (n for n in range(first, stop) if shown[n] <= begin), key=shown.__getitem__, default=None
    )
    if exact and on_show is not None:
        moved = on_show - first, begin - shown[on_show]
        if moved[1] >= 1 << 31:
            raise MediaError("the movie's times are absurd")
        offsets[moved[0]] += moved[1]
    taken = [Selection(track, first, stop)]
    video = cut_rows(columns, track.shift, first, stop, offsets)
    audio = None
    if footage.audio is not None:
        sound = _sound(footage.audio, start, since, until)
        taken.append(sound)
        if sound.first < sound.stop:
            columns = sound.track.columns
            silent = array("i", bytes(4 * (sound.stop - sound.first)))
            audio = cut_rows(columns, sound.track.shift, sound.first, sound.stop, silent)
    ranges, runs = _in_file(taken)
    newest = track.shift + max(shown[first:stop])
    return Share(start, footage, video, audio, ranges, runs, tuple(taken), moved, newest)


def _sound(track: TrackFootage, start: WallUs, since: WallUs, until: WallUs) -> Selection:
    times, scale = track.columns.dts, track.head.timescale
    begin = ticks(since - start, scale) - track.shift
    first = bisect_right(times, begin) - 1
    if first >= 0 and begin - times[first] >= _usual(track.columns.durations, first):
        first += 1  # it has ended: what follows it is a pause
    stop = bisect_left(times, ticks(until - start, scale) - track.shift)
    return Selection(track, max(0, first), stop)


def _usual(durations: Sequence[int], number: int) -> int:
    """How long a piece of sound lasts, also where a pause makes its duration longer."""
    around = sorted(durations[max(0, number - 2) : number + 3])
    return min(durations[number], around[(len(around) - 1) // 2])


def _in_file(
    taken: list[Selection],
) -> tuple[tuple[tuple[int, int], ...], tuple[int, ...]]:
    """Ranges and runs, as `Share` has them."""
    samples: list[tuple[int, int, bool]] = []
    for selection in taken:
        columns: Columns = selection.track.columns
        flags = bytearray(len(columns.sizes))
        flags[selection.first : selection.stop] = b"\1" * (selection.stop - selection.first)
        ends = map(add, columns.positions, columns.sizes)
        samples += zip(columns.positions, ends, map(bool, flags), strict=True)
    samples.sort()
    ranges: list[tuple[int, int]] = []
    runs = [] if samples and not samples[0][2] else [0]
    for is_taken, run in groupby(samples, key=itemgetter(2)):
        group = list(run)
        runs.append(len(group))
        if is_taken:
            ranges.append((group[0][0], max(end for _, end, _ in group)))
    return tuple(ranges), tuple(runs)
