"""The ledger of gaps of one camera: when it should have been recorded and was not, and why.

It is the truth, so it is written twice: as a line of gaps.jsonl in the folder of the day on which
the gap began, and as a row of the index. Runs on the event loop; the writing is done by the
threads of the volume and the index.

At any time at most one gap lasts. Its cause may change while it does (a camera that stalled is
switched off): then it ends, and another begins at that moment.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from camkeep.archive.beside import gap_line
from camkeep.archive.files import Files, write_all
from camkeep.archive.layout import GAPS_FILE, RECORDINGS, day_name
from camkeep.clock import WallUs
from camkeep.model import Cause, Gap, KeptCamera

MOST_WAITING = 1000
"""Lines that wait for a disk that takes none; beyond, the oldest are left out."""
STEP_US = 1_000_000
"""A step of the wall clock that is smaller is no step."""
SHORT_US = 500_000
"""Beside a step of the clock, what is missing is longer than that, or else just the way from one
frame to the next."""


class Threads(Protocol):
    """Where jobs run: `archive.store.Archive`."""

    def on_disk(self, job: Callable[[], Any]) -> Any:
        """Run `job` on the writer thread of the volume."""
        ...

    def on_index(self, job: Callable[[Any], Any]) -> Any:
        """Run `job` with the index, on its thread."""
        ...


class Ledger:
    """The gaps of one camera."""

    def __init__(
        self, camera: KeptCamera, root: Path, files: Files, threads: Threads, lasting: Gap | None
    ) -> None:
        """`lasting` is the gap that lasts, as the index has it."""
        self.lasting = lasting
        """The gap that lasts; its `end` means nothing."""
        self._camera = camera
        self._folder = root / RECORDINGS / camera.folder
        self._files = files
        self._threads = threads
        self._waiting: deque[Gap] = deque(maxlen=MOST_WAITING)

    def open(self, start: WallUs, cause: Cause, detail: str = "") -> None:
        """From `start` on the camera is not recorded. Where it is not already, for the same
        cause, the gap so far ends there."""
        if self.lasting is not None:
            if self.lasting.cause is cause:
                return
            self.close(start)
        self.lasting = Gap(start, start, cause, detail, lasting=True)
        self._write(self.lasting)

    def close(self, end: WallUs, step_us: int = 0) -> None:
        """From `end` on it is recorded again, or not for another cause. Nothing where no gap
        lasts. The wall clock was set forward by `step_us` meanwhile."""
        gap, self.lasting = self.lasting, None
        if gap is not None:
            for piece in pieces(gap.start, end, gap.cause, gap.detail, step_us):
                self._write(piece)

    def note(self, start: WallUs, end: WallUs, cause: Cause, detail: str, step_us: int) -> None:
        """A gap that is over already."""
        for piece in pieces(start, end, cause, detail, step_us):
            if piece.end > piece.start:
                self._write(piece)

    def _write(self, gap: Gap) -> None:
        self._waiting.append(gap)
        self._threads.on_disk(self._flush)

    def _flush(self) -> None:
        """Write the lines that wait, and tell the index of each: it never knows more than the
        files. On the writer thread; raises OSError, and may be tried again."""
        while self._waiting:
            gap = self._waiting[0]
            append_gap(self._files, self._folder, gap)
            self._threads.on_index(partial(self._tell, gap))
            self._waiting.popleft()

    def _tell(self, gap: Gap, index: Any) -> None:
        index.save_gap(self._camera.id, gap)


def append_gap(files: Files, folder: Path, gap: Gap) -> None:
    """Write a line into a camera's `folder`. Blocks; raises OSError.

    Steps: make the day's folder; append the line in one write; flush both.
    """
    day = folder / day_name(gap.start)
    if not day.is_dir():
        files.make_folder(day)
        files.sync_folder(folder)
    path = day / GAPS_FILE
    new = not path.exists()
    fd = files.create(path) if new else files.open(path)
    try:
        size = files.size(fd)
        whole = not size or files.pread(fd, 1, size - 1) == b"\n"
        files.truncate(fd, size)  # to write from there on
        # a line that a crash tore stays alone on its line
        write_all(files, fd, [gap_line(gap) if whole else b"\n" + gap_line(gap)])
        files.sync(fd)
    finally:
        files.close(fd)
    if new:
        files.sync_folder(day)


def pieces(start: WallUs, end: WallUs, cause: Cause, detail: str, step_us: int) -> list[Gap]:
    """A gap from `start` to `end` in which the wall clock was set forward by `step_us`.

    What of it never was is a gap of its own. Where the clock was set back, the gap is told by
    the clock that it began with. The first piece begins at `start`, and may be empty: a break that
    only a step made is none beside it.
    """
    if abs(step_us) < STEP_US:
        step_us = 0
    real_end = WallUs(max(start, end - step_us))
    if step_us and real_end - start < SHORT_US:
        real_end = start
    found = [Gap(start, real_end, cause, detail)]
    if step_us > 0 and end > real_end:
        if real_end == start:
            found = []
        found.append(Gap(real_end, end, Cause.CLOCK, "the clock was set forward"))
    return found
