"""Movies that are being downloaded or played, kept open between the requests of one player.

A player asks for a movie in many small ranges. Building its header takes a tenth of a second, so
it is built once; and as its files stay open, what was begun can be read to its end, whatever is
deleted meanwhile. All methods block, and may be used by many threads.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from camkeep.archive.timecatalog import TimeCatalog
from camkeep.archive.virtual import VirtualClip, open_clip
from camkeep.clock import Clock, WallUs
from camkeep.errors import UsageError
from camkeep.media.mp4.splice import Gaps
from camkeep.model import CameraId, SegmentState

MOST = 8
"""Movies that stay open although nobody reads them just now."""
MOST_HEADER_BYTES = 64 * 1024 * 1024
"""And what of them is in memory, at most."""
MOST_FILES = 2048
"""And their files."""
IDLE_S = 60.0
"""For so long."""
FRESH_S = 2.0
"""What still grows is opened anew for somebody who begins after so long."""
MOST_FRAMES = 2_700_000
"""Of one movie: a day at 30 a second. Its header has some 20 bytes for each."""


class Wish(NamedTuple):
    """What somebody wants to have as a movie."""

    camera: CameraId
    start: WallUs
    end: WallUs | None
    """None for what there is up to now."""
    evidence: bool = False
    cut_gaps: bool = False


@dataclass(slots=True, eq=False)
class Open:
    """A clip that is open. Who took it gives it back."""

    wish: Wish
    clip: VirtualClip
    settled: bool
    """Whether opening it anew would give the same."""
    files: int
    opened_ns: int
    used_ns: int
    users: int = 1
    tags: frozenset[str] = field(default_factory=frozenset)

    @property
    def header_bytes(self) -> int:
        """What of it is in memory."""
        return sum(movie.header_size for movie in self.clip)


class OpenClips:
    """The clips that are open."""

    def __init__(
        self,
        catalog: Callable[[], AbstractContextManager[TimeCatalog]],
        root: Path,
        clock: Clock,
    ) -> None:
        self._catalog = catalog
        self._root = root
        self._clock = clock
        self._lock = Lock()
        self._open: list[Open] = []  # the one that was used last is the last
        self._ended = False

    def __len__(self) -> int:
        return len(self._open)

    def take(self, wish: Wish, tag: str | None = None) -> Open:
        """The movies of `wish`; where `tag` is the ETag of one that is open, those. Raises
        UsageError where it would be too long, or StorageError."""
        with self._lock:
            known = self._known(wish, tag)
            if known is not None:
                known.users += 1
                return known
        opened = self._opened(wish)
        with self._lock:
            self._open.append(opened)
        return opened

    def give_back(self, opened: Open) -> None:
        """Nobody of this request reads it any more."""
        with self._lock:
            opened.users -= 1
            opened.used_ns = self._clock.mono()
            self._open.remove(opened)
            self._open.append(opened)
        self.tidy()

    def tidy(self) -> None:
        """Close what was not used for long, and the oldest of what is too much."""
        limit_ns = self._clock.mono() - round(IDLE_S * 1e9)
        count = size = files = 0
        closing: list[Open] = []
        with self._lock:
            for opened in reversed(self._open):
                count, size = count + 1, size + opened.header_bytes
                files += opened.files
                much = count > MOST or size > MOST_HEADER_BYTES or files > MOST_FILES
                if not opened.users and (much or self._ended or opened.used_ns <= limit_ns):
                    closing.append(opened)
            self._open = [opened for opened in self._open if opened not in closing]
        for opened in closing:
            opened.clip.close()

    def close(self) -> None:
        """Close all that nobody reads, and the others as soon as nobody does."""
        self._ended = True
        self.tidy()

    def _known(self, wish: Wish, tag: str | None) -> Open | None:
        fresh_ns = self._clock.mono() - round(FRESH_S * 1e9)
        found = [opened for opened in reversed(self._open) if opened.wish == wish]
        if tag is not None:
            return next((opened for opened in found if tag in opened.tags), None)
        return next((o for o in found if o.settled or o.opened_ns >= fresh_ns), None)

    def _opened(self, wish: Wish) -> Open:
        now = self._clock.wall()
        end = max(WallUs(wish.start + 1), now if wish.end is None else wish.end)
        with self._catalog() as catalog:
            segments = catalog.segments(wish.camera, wish.start, end)
        if sum(segment.frames for segment in segments) > MOST_FRAMES:
            raise UsageError("this is more than a movie can hold: ask for a few hours at a time")
        gaps = Gaps.CUT if wish.cut_gaps else Gaps.KEEP
        clip = open_clip(self._root, segments, wish.start, end, gaps=gaps, evidence=wish.evidence)
        tags = frozenset(movie.etag for movie in clip)
        grows = any(segment.state is not SegmentState.CLOSED for segment in segments)
        settled = not grows and wish.end is not None and end <= now
        mono = self._clock.mono()
        return Open(wish, clip, settled, len(segments), mono, mono, tags=tags)
