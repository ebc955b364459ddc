"""An archive that is being written: what one process holds open of it, and in which order.

Up: root, lock, index, volume, clips; down in reverse. Two threads do what can block: that of the
volume, and that of the index. Whoever is on the event loop hands them jobs.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any, TypeVar

from camkeep.archive.ageclock import AgeState
from camkeep.archive.catalog import Catalog
from camkeep.archive.check import Mismatch, check
from camkeep.archive.clips import ClipShelf
from camkeep.archive.files import replace_file
from camkeep.archive.holds import Holds
from camkeep.archive.index import Index
from camkeep.archive.indexthread import IndexThread
from camkeep.archive.layout import (
    AGE_FILE,
    INDEX,
)
from camkeep.archive.policyfile import write_policy
from camkeep.archive.reaper import (
    Owed,
    by_camera,
    first_day,
    note_owed,
    remove_empty_days,
    remove_segments,
)
from camkeep.archive.retention import Policy
from camkeep.archive.root import ArchiveRoot, Lock
from camkeep.archive.roster import Opened, Roster
from camkeep.archive.writer import Volume
from camkeep.clock import Clock, WallUs
from camkeep.errors import CamkeepError, DiskFull
from camkeep.model import CameraId, Cause, Clip, KeptCamera, Segment, SegmentState

T = TypeVar("T")

AGAIN_S = 1.0
"""What index and files still do not agree on after so long is wrong."""
LONGEST_NAME = 200
"""Characters of a camera's name."""


class Archive:
    """An archive that this process records into. `open` it, `close` it."""

    def __init__(self, root: ArchiveRoot, clock: Clock, lock: Lock, index: IndexThread) -> None:
        """Use `open`."""
        self.root = root
        self.index = index
        self.volume = Volume()
        self.clips = ClipShelf(root.path, root.files, index.submit)
        self._clock = clock
        self._lock = lock
        self.roster = Roster(root, clock, self, lock.last_alive)
        """Its cameras."""
        self._owed: dict[CameraId, Owed] = {}
        self._back: asyncio.Task[None] | None = None

    @classmethod
    def open(
        cls, root: ArchiveRoot, clock: Clock, on_news: Callable[[str], object] = lambda _: None
    ) -> Archive:
        """Lock the archive and finish what a crash left half done. Blocks. `on_news` is told, on
        the index's thread, when the index was made anew. Raises UsageError where another process
        works on it, or StorageError."""
        lock = Lock(root)
        try:
            index = IndexThread(root.path, root.path / INDEX, on_news, root.check)
            archive = cls(root, clock, lock, index)
        except BaseException:
            lock.release()
            raise
        try:
            archive.clips.look()
            archive.roster.find()
            archive._finish_deletions()
            archive._end_clips()
        except BaseException:
            archive.close()
            raise
        return archive

    def close(self) -> None:
        """Let go of everything. Blocks until what waits is written."""
        if any(self._owed.values()):
            with suppress(CamkeepError, OSError):
                self.on_disk(self._note_owed).result()
        self.volume.close()
        self.index.close()
        self._lock.beat(self._clock.wall())
        self._lock.release()

    # jobs

    def on_disk(self, job: Callable[[], T]) -> Future[T]:
        """Run `job` on the volume's thread; DiskAway where the archive is not there."""

        def checked() -> T:
            self.root.check()
            return job()

        return self.volume.submit(checked)

    def on_index(self, job: Callable[[Index], T]) -> Future[T]:
        """Run `job` with the index, on its thread."""
        return self.index.submit(job)

    def ask(self, job: Callable[[Any], T]) -> T:
        """Have `job` done with the index and wait. Not on the event loop, nor on the index's
        thread."""
        return self.index.submit(job).result()

    async def beat(self) -> None:
        """Write down that this process is alive."""
        now = self._clock.wall()
        await asyncio.wrap_future(self.volume.submit(lambda: self._lock.beat(now)))

    # cameras

    async def keep(
        self,
        name: str,
        address: str,
        *,
        camera_id: CameraId | None = None,
        idle: Cause | None = None,
    ) -> Opened:
        """A camera, new or known, made ready to be recorded: that of the id, or else that of the
        name. From now on each moment without a picture is a gap; with `idle`, for that reason, as
        it is not to be recorded yet. Raises UsageError or StorageError."""
        return await asyncio.wrap_future(
            self.on_disk(lambda: self.roster.open(name.strip(), address, camera_id, idle))
        )

    async def let_go(self, camera_id: CameraId) -> None:
        """The camera is not recorded by this process any more."""
        await asyncio.wrap_future(self.volume.submit(lambda: self.roster.close(camera_id)))

    async def describe(self, camera_id: CameraId, name: str, address: str) -> KeptCamera:
        """Write down what a camera is called now, and where it is. Raises UsageError or
        StorageError."""
        return await asyncio.wrap_future(
            self.on_disk(lambda: self.roster.describe(camera_id, name.strip(), address))
        )

    # what is there no more

    async def remove(self, camera_id: CameraId, segments: Sequence[Segment]) -> list[Segment]:
        """Delete segments of a camera, but for those that a clip has come to hold meanwhile;
        which ones went. Raises StorageError."""
        return await asyncio.wrap_future(self.on_disk(lambda: self._remove(camera_id, segments)))

    def _remove(self, camera_id: CameraId, segments: Sequence[Segment]) -> list[Segment]:
        holds = Holds.of_clips(self.clips.look())
        going = [segment for segment in segments if not holds.cover(segment)]
        camera: KeptCamera | None = self.ask(lambda index: index.camera(camera_id))
        if camera is None or not going:
            return []
        owed = self._owed.setdefault(camera_id, [])
        remove_segments(self.root, camera, going, self.ask, self._clock.wall(), owed)
        oldest = self.ask(lambda index: next(index.oldest(camera_id), None))
        if oldest is not None:
            remove_empty_days(self.root, camera, oldest.start)
            first = first_day(self.root, camera)
            if first is not None:
                self.ask(lambda index: index.drop_gaps(camera_id, first))
        return going

    async def note_owed(self) -> None:
        """Note what went from a disk that was too full to note it. Raises StorageError."""
        if any(self._owed.values()):
            await asyncio.wrap_future(self.on_disk(self._note_owed))

    def _note_owed(self) -> None:
        now = self._clock.wall()
        for camera in self.ask(lambda index: index.cameras()):
            note_owed(self.root, camera, self._owed.get(camera.id, []), self.ask, now)

    def _finish_deletions(self) -> None:
        """Delete what a crash left marked."""
        marked = [
            segment
            for segment in self.ask(lambda index: index.unfinished())
            if segment.state is SegmentState.DELETING
        ]
        cameras = {camera.id: camera for camera in self.ask(lambda index: index.cameras())}
        for camera_id, segments in by_camera(marked):
            remove_segments(self.root, cameras[camera_id], segments, self.ask, self._clock.wall())

    async def check(self) -> list[Mismatch]:
        """Compare the index with the files, beside all else. Raises StorageError."""
        given_up = threading.Event()

        def compare() -> list[Mismatch]:
            with Catalog.open(self.root.path / INDEX) as catalog:
                return check(self.root.path, catalog, given_up.is_set)

        try:
            first = await asyncio.to_thread(compare)
            if not first:
                return []
            await asyncio.sleep(AGAIN_S)  # the index may be a moment behind a file that is new
            again = set(await asyncio.to_thread(compare))
            return [mismatch for mismatch in first if mismatch in again]
        finally:
            given_up.set()

    async def age_state(self) -> tuple[WallUs | None, AgeState | None]:
        """When the newest footage ended, and what was believed of the time when last written."""

        def read(index: Index) -> tuple[WallUs | None, AgeState | None]:
            ends = [total.end for total in index.totals().values() if total.end is not None]
            try:
                fields = json.loads((self.root.path / AGE_FILE).read_bytes())
                saved = AgeState(
                    WallUs(int(fields["believed"])),
                    WallUs(int(fields["wall"])),
                    int(fields["doubted_us"]),
                )
            except (OSError, ValueError, KeyError, TypeError):
                saved = None
            return max(ends, default=None), saved

        return await asyncio.wrap_future(self.on_index(read))

    async def save_age_state(self, state: AgeState) -> None:
        """Write down what is believed of the time. Raises OSError or DiskAway."""
        data = json.dumps(asdict(state)).encode() + b"\n"
        path = self.root.path / AGE_FILE
        await asyncio.wrap_future(self.on_disk(lambda: replace_file(self.root.files, path, data)))

    async def save_policy(self, policy: Policy) -> None:
        """Write down what is asked to be kept, for others to read. A disk that does not take it
        is told elsewhere."""
        with suppress(CamkeepError, OSError):
            await asyncio.wrap_future(
                self.on_disk(lambda: write_policy(self.root.path, self.root.files, policy))
            )

    # clips

    async def save_clip(self, clip: Clip) -> None:
        """Write a clip down. Raises StorageError."""
        await asyncio.wrap_future(self.on_disk(lambda: self.clips.save(clip)))

    async def end_clip(self, clip_id: str, end: WallUs) -> None:
        """Have a clip end then, which was told to and could not be written; nothing where it is
        there no more, or has an end. Raises StorageError."""

        def write() -> None:
            for clip in self.clips.look():
                if clip.id == clip_id and clip.end is None:
                    self.clips.save(replace(clip, end=end))

        await asyncio.wrap_future(self.on_disk(write))

    def _end_clips(self) -> None:
        """A clip that was being recorded when the process ended, ended then. On a full disk it
        goes on until the next start."""
        alive = self._lock.last_alive or self._clock.wall()
        for clip in self.clips.look():
            if clip.end is None:
                with suppress(DiskFull):
                    self.clips.save(replace(clip, end=WallUs(max(clip.start, alive))))

    # a disk that went away

    async def returned(self) -> None:
        """The archive's disk is back: read anew what is on it, once for all who wait."""
        if self._back is None or self._back.done():
            self._back = asyncio.create_task(self._read_anew())
        await asyncio.shield(self._back)

    async def _read_anew(self) -> None:
        await asyncio.wrap_future(self.index.rebuild())
        await asyncio.wrap_future(self.on_disk(self.roster.recover))
