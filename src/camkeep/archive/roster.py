"""The cameras of an archive: which there are, what they are called, and those that this process
records into. Blocks: on the volume's thread, but for `close`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from camkeep.archive.beside import camera_json, read_camera
from camkeep.archive.disk import create_error
from camkeep.archive.files import replace_file
from camkeep.archive.growing import at_this_moment
from camkeep.archive.layout import (
    CAMERA_FILE,
    RECORDINGS,
    camera_folders,
    folder_name,
    moment,
    new_camera_id,
)
from camkeep.archive.ledger import Ledger
from camkeep.archive.recovery import recover_camera
from camkeep.archive.root import ArchiveRoot
from camkeep.archive.segments import SegmentShelf
from camkeep.clock import Clock, WallUs
from camkeep.errors import UsageError
from camkeep.model import CameraId, Cause, KeptCamera, Segment

LONGEST_NAME = 200
"""Characters of a camera's name."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A camera, ready to be kept."""

    camera: KeptCamera
    shelf: SegmentShelf
    ledger: Ledger


class Threads(Protocol):
    """Where jobs run: `archive.store.Archive`."""

    def on_disk(self, job: Callable[[], Any]) -> Any:
        """Run `job` on the volume's thread."""
        ...

    def on_index(self, job: Callable[[Any], Any]) -> Any:
        """Run `job` with the index, on its thread."""
        ...

    def ask(self, job: Callable[[Any], Any]) -> Any:
        """Have `job` done with the index, and wait."""
        ...


class Roster:
    """The cameras."""

    def __init__(
        self, root: ArchiveRoot, clock: Clock, threads: Threads, last_alive: WallUs | None
    ) -> None:
        """`last_alive` is when a process before this one was last alive."""
        self._root = root
        self._clock = clock
        self._threads = threads
        self._ask = threads.ask
        self._last_alive = last_alive
        self._opened: list[Opened] = []

    def find(self) -> None:
        """Tell an index that is behind of the cameras whose folders are there."""
        known = self._ask(lambda index: index.cameras())
        folders, ids = {camera.folder for camera in known}, {camera.id for camera in known}
        for folder in camera_folders(self._root.path):
            if folder in folders:
                continue
            with suppress(OSError, ValueError):
                data = (self._root.path / RECORDINGS / folder / CAMERA_FILE).read_bytes()
                camera = read_camera(data, folder)
                if camera.id not in ids:
                    self._ask(partial(_save_camera, camera))

    def open(
        self, name: str, address: str, camera_id: CameraId | None, idle: Cause | None
    ) -> Opened:
        """A camera, new or known, made ready to be recorded; see `Archive.keep`."""
        camera = self._camera(name, address, camera_id)
        if any(opened.camera.id == camera.id for opened in self._opened):
            raise UsageError(f"two cameras are called {name}: give one of them another name")
        tail = recover_camera(self._root, camera, self._ask)
        shelf = SegmentShelf(self._root, camera, tail, self._threads.on_index)
        lasting = self._ask(lambda index: index.lasting_gap(camera.id))
        ledger = Ledger(camera, self._root.path, self._root.files, self._threads, lasting)
        self._note_absence(camera, ledger, tail.end, idle)
        opened = Opened(camera, shelf, ledger)
        self._opened.append(opened)
        return opened

    def close(self, camera_id: CameraId) -> None:
        """It is not recorded by this process any more."""
        self._opened = [each for each in self._opened if each.camera.id != camera_id]

    def describe(self, camera_id: CameraId, name: str, address: str) -> KeptCamera:
        """Write down what a camera is called now, and where it is."""
        camera = self._camera(name, address, camera_id)
        for opened in self._opened:
            if opened.camera.id == camera_id:
                opened.shelf.camera = camera
        return camera

    def at_this_moment(self, segment: Segment) -> Segment:
        """`segment` with its length so far, where it grows. Any thread; reads the file only
        where it is not of this process."""
        for opened in self._opened:
            if opened.camera.id == segment.camera:
                known = opened.shelf.at_this_moment(segment)
                if known is not None:
                    return known
        return at_this_moment(self._root.path, segment)

    def recover(self) -> None:
        """What is on the disk may be another than before: go on behind it."""
        for opened in self._opened:
            opened.shelf.resume(recover_camera(self._root, opened.camera, self._ask))

    def _camera(self, name: str, address: str, camera_id: CameraId | None) -> KeptCamera:
        """The camera of that id, else of that name, with its newest name and address; written
        down."""
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise UsageError(f"a camera's name has 1 to {LONGEST_NAME} letters, digits or signs")
        named: KeptCamera | None = self._ask(lambda index: index.camera_named(name))
        known = named
        if camera_id is not None:
            known = self._ask(lambda index: index.camera(camera_id))
            if named is not None and named.id != camera_id:
                self._make_way(named)
        if known is not None and (known.name, known.address) == (name, address):
            return known
        if known is not None:
            camera = replace(known, name=name, address=address)
        else:
            taken = [other.folder for other in self._ask(lambda index: index.cameras())]
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
        path = self._root.path / RECORDINGS / camera.folder
        try:
            self._root.files.make_folder(path)
            replace_file(self._root.files, path / CAMERA_FILE, camera_json(camera))
            self._root.files.sync_folder(path.parent)
        except OSError as error:
            raise create_error(error, path) from error
        self._ask(lambda index: index.save_camera(camera))
        return camera

    def _note_absence(
        self, camera: KeptCamera, ledger: Ledger, end: WallUs | None, idle: Cause | None
    ) -> None:
        """Nothing was recorded since the last process ended, until now and a bit longer."""
        now = self._clock.wall()
        lasting, alive = ledger.lasting, self._last_alive
        if lasting is not None and idle is not None:
            ledger.open(WallUs(max(now, lasting.start)), idle)
            return
        if lasting is not None:
            if lasting.cause is not Cause.NOT_RUNNING:
                ledger.open(WallUs(max(lasting.start, min(alive or now, now))), Cause.NOT_RUNNING)
            return
        since = end if end is not None else camera.since
        gaps = self._ask(lambda index: index.gaps(camera.id, since, now, now))
        removals = self._ask(lambda index: index.removals(camera.id))
        since = max([since, *(known.end for known in (*gaps, *removals))])
        new = since == camera.since and (alive is None or alive <= since)  # nobody was here before
        if idle is not None:
            ledger.open(min(since, now), idle)
        elif since < now and not new:
            ledger.open(since, Cause.NOT_RUNNING)
        else:
            ledger.open(min(since, now), Cause.STARTING)


def _save_camera(camera: KeptCamera, index: Any) -> None:
    index.save_camera(camera)
