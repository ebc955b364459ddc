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
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, TypeVar

from camkeep.archive.ageclock import AgeState
from camkeep.archive.beside import camera_json, read_camera
from camkeep.archive.catalog import Catalog
from camkeep.archive.check import Mismatch, check
from camkeep.archive.clips import ClipShelf
from camkeep.archive.disk import create_error
from camkeep.archive.files import replace_file
from camkeep.archive.holds import Holds
from camkeep.archive.index import Index
from camkeep.archive.indexthread import IndexThread
from camkeep.archive.layout import (
    AGE_FILE,
    CAMERA_FILE,
    INDEX,
    RECORDINGS,
    camera_folders,
    folder_name,
    moment,
    new_camera_id,
)
from camkeep.archive.ledger import Ledger
from camkeep.archive.policyfile import write_policy
from camkeep.archive.reaper import (
    Owed,
    by_camera,
    first_day,
    note_owed,
    remove_empty_days,
    remove_segments,
)
from camkeep.archive.recovery import recover_camera
from camkeep.archive.retention import Policy
from camkeep.archive.root import ArchiveRoot, Lock
from camkeep.archive.segments import SegmentShelf
from camkeep.archive.writer import Volume
from camkeep.clock import Clock, WallUs
from camkeep.errors import CamkeepError, DiskFull, UsageError
from camkeep.model import CameraId, Cause, Clip, KeptCamera, Segment, SegmentState

T = TypeVar("T")

AGAIN_S = 1.0
"""What index and files still do not agree on after so long is wrong."""
LONGEST_NAME = 200
"""Characters of a camera's name."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A camera, ready to be kept."""

    camera: KeptCamera
    shelf: SegmentShelf
    ledger: Ledger


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
        self._opened: list[Opened] = []
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
            archive._find_cameras()
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

    def _find_cameras(self) -> None:
        """Tell an index that is behind of the cameras whose folders are there."""
        known = self.ask(lambda index: index.cameras())
        folders, ids = {camera.folder for camera in known}, {camera.id for camera in known}
        for folder in camera_folders(self.root.path):
            if folder in folders:
                continue
            with suppress(OSError, ValueError):
                data = (self.root.path / RECORDINGS / folder / CAMERA_FILE).read_bytes()
                camera = read_camera(data, folder)
                if camera.id not in ids:
                    self.ask(partial(_save_camera, camera))

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
            self.on_disk(lambda: self._keep(name.strip(), address, camera_id, idle))
        )

    async def let_go(self, camera_id: CameraId) -> None:
        """The camera is not recorded by this process any more."""
        self._opened = [each for each in self._opened if each.camera.id != camera_id]

    async def describe(self, camera_id: CameraId, name: str, address: str) -> KeptCamera:
        """Write down what a camera is called now, and where it is. Raises UsageError or
        StorageError."""

        def change() -> KeptCamera:
            camera = self._camera(name.strip(), address, camera_id)
            for opened in self._opened:
                if opened.camera.id == camera_id:
                    opened.shelf.camera = camera
            return camera

        return await asyncio.wrap_future(self.on_disk(change))

    def _keep(
        self, name: str, address: str, camera_id: CameraId | None, idle: Cause | None
    ) -> Opened:
        camera = self._camera(name, address, camera_id)
        if any(opened.camera.id == camera.id for opened in self._opened):
            raise UsageError(f"two cameras are called {name}: give one of them another name")
        tail = recover_camera(self.root, camera, self.ask)
        shelf = SegmentShelf(self.root, camera, tail, self.index.submit)
        lasting = self.ask(lambda index: index.lasting_gap(camera.id))
        ledger = Ledger(camera, self.root.path, self.root.files, self, lasting)
        self._note_absence(camera, ledger, tail.end, idle)
        opened = Opened(camera, shelf, ledger)
        self._opened.append(opened)
        return opened

    def _camera(self, name: str, address: str, camera_id: CameraId | None) -> KeptCamera:
        """The camera of that id, else of that name, with its newest name and address; written
        down."""
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise UsageError(f"a camera's name has 1 to {LONGEST_NAME} letters, digits or signs")
        named: KeptCamera | None = self.ask(lambda index: index.camera_named(name))
        known = named
        if camera_id is not None:
            known = self.ask(lambda index: index.camera(camera_id))
            if named is not None and named.id != camera_id:
                self._make_way(named)
        if known is not None and (known.name, known.address) == (name, address):
            return known
        if known is not None:
            camera = replace(known, name=name, address=address)
        else:
            taken = [other.folder for other in self.ask(lambda index: index.cameras())]
            folder = folder_name(name, taken)
            own_id = camera_id or new_camera_id()
            camera = KeptCamera(own_id, name, folder, address, self._clock.wall())
        return self._describe(camera)

    def _make_way(self, camera: KeptCamera) -> None:
        """Another camera is called as this one was, which is not recorded any more."""
        if any(opened.camera.id == camera.id for opened in self._opened):
            raise UsageError(f"two cameras are called {camera.name}: give one another name")
        until = moment(self._clock.wall())
        name = f"{camera.name[: LONGEST_NAME - 40]} until {until:%Y-%m-%d %H:%M:%S}"
        self._describe(replace(camera, name=name))

    def _describe(self, camera: KeptCamera) -> KeptCamera:
        """Write down what a camera is called, and where it is: in its folder, then in the
        index."""
        path = self.root.path / RECORDINGS / camera.folder
        try:
            self.root.files.make_folder(path)
            replace_file(self.root.files, path / CAMERA_FILE, camera_json(camera))
            self.root.files.sync_folder(path.parent)
        except OSError as error:
            raise create_error(error, path) from error
        self.ask(lambda index: index.save_camera(camera))
        return camera

    def _note_absence(
        self, camera: KeptCamera, ledger: Ledger, end: WallUs | None, idle: Cause | None
    ) -> None:
        """Nothing was recorded since the last process ended, until now and a bit longer."""
        now = self._clock.wall()
        lasting, alive = ledger.lasting, self._lock.last_alive
        if lasting is not None and idle is not None:
            ledger.open(WallUs(max(now, lasting.start)), idle)
            return
        if lasting is not None:
            if lasting.cause is not Cause.NOT_RUNNING:
                ledger.open(WallUs(max(lasting.start, min(alive or now, now))), Cause.NOT_RUNNING)
            return
        since = end if end is not None else camera.since
        gaps = self.ask(lambda index: index.gaps(camera.id, since, now, now))
        removals = self.ask(lambda index: index.removals(camera.id))
        since = max([since, *(known.end for known in (*gaps, *removals))])
        new = since == camera.since and (alive is None or alive <= since)  # nobody was here before
        if idle is not None:
            ledger.open(min(since, now), idle)
        elif since < now and not new:
            ledger.open(since, Cause.NOT_RUNNING)
        else:
            ledger.open(min(since, now), Cause.STARTING)

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
        def again() -> None:
            for opened in self._opened:
                opened.shelf.resume(recover_camera(self.root, opened.camera, self.ask))

        await asyncio.wrap_future(self.index.rebuild())
        await asyncio.wrap_future(self.on_disk(again))


def _save_camera(camera: KeptCamera, index: Index) -> None:
    index.save_camera(camera)
