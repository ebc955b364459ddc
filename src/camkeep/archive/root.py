"""The folder of an archive: made once, marked, and locked by the one process that records.

Whoever wants to write asks `check` first: where a disk was unmounted, or another put in its
place, nothing may be written to what is there instead.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from contextlib import suppress
from pathlib import Path

from camkeep.archive.disk import create_error
from camkeep.archive.files import Files, Room, SystemFiles, replace_file
from camkeep.archive.layout import CLIPS, LOCK, MARKER, README, RECORDINGS
from camkeep.clock import WallUs
from camkeep.errors import DiskAway, NotWritable, UsageError

VERSION = 1
"""Of the layout."""

_IGNORED = frozenset({"lost+found", ".DS_Store", "System Volume Information"})
_BEGUN = frozenset({README, RECORDINGS, CLIPS, f".{README}.part", f".{MARKER}.part"})
"""What there is before the marker of a new archive."""
FSTAB = Path("/etc/fstab")
"""Names the disks that belong to this machine (fstab(5))."""
_README = """\
This folder is an archive of camera recordings, kept by camkeep.

recordings/   one folder for each camera, in it one for each day, in it the movies. They are
              ordinary MP4 files, and every player opens them. A movie is called by the time at
              which it begins: 2026-11-21/14-03-07Z.mp4 began on 21 November 2026 at 14:03:07
              UTC. "damaged" in a name says that the disk failed while it was written.
              gaps.jsonl, in the folder of a day, lists when the camera was not recorded, and
              why. removed.json lists what was deleted on purpose.
clips/        what people marked: a name, cameras, and an interval. The pictures stay where they
              are, in the movies.
index.db      a list of all that, for speed. It can be deleted: it is made anew from the files.
camkeep.db    what people set up for "camkeep serve": cameras, users, what happened. Its secrets
              are sealed with camkeep.key: keep that file to yourself, and a copy of both.

Copy or watch whatever you like. Delete with camkeep, not by hand: the archive proves that
nothing in it was changed, and "camkeep archive verify" will say that something is missing.
"""


class ArchiveRoot:
    """The folder of an archive that is there."""

    def __init__(self, path: Path, archive_id: str, files: Files) -> None:
        """Use `open_root` or `make_root`."""
        self.path = path
        self.id = archive_id
        self.files = files
        self._seen: tuple[int, int] | None = None  # device and inode of the marker

    def check(self) -> None:
        """Raise DiskAway where this is not the archive that was opened any more. Blocks."""
        marker = self.path / MARKER
        try:
            found = marker.stat()
            if (found.st_dev, found.st_ino) == self._seen:
                return
            if _read_marker(marker) == self.id:
                self._seen = (found.st_dev, found.st_ino)
                return
        except (OSError, UsageError):
            pass
        raise DiskAway(
            f"the archive is not at {self.path} any more: was its disk unmounted? Recording goes "
            "on when it is back"
        )

    def room(self) -> Room:
        """How large its disk is, and how much of it is free. Raises OSError."""
        return self.files.room(self.path)


def open_root(path: Path, files: Files | None = None) -> ArchiveRoot:
    """The archive at `path`. Raises UsageError where there is none."""
    marker = path / MARKER
    try:
        archive_id = _read_marker(marker)
    except FileNotFoundError:
        raise UsageError(
            f"there is no archive at {path}: `camkeep serve` or `camkeep keep` makes one"
        ) from None
    except OSError as error:
        raise UsageError(f"the archive at {path} cannot be read: {error.strerror}") from error
    root = ArchiveRoot(path, archive_id, files or SystemFiles())
    root.check()
    return root


def make_root(path: Path, *, new: bool = False, files: Files | None = None) -> ArchiveRoot:
    """The archive at `path`, made where there is none yet.

    A folder that is there and empty is taken only where `new` says so: it may be the place of a
    disk that is not mounted. Raises UsageError, NotWritable or DiskFull.
    """
    if os.path.lexists(path / MARKER):
        return open_root(path, files)
    _check_place(path, new)
    files = files or SystemFiles()
    try:
        files.make_folder(path)
        for folder in (RECORDINGS, CLIPS):
            files.make_folder(path / folder)
        replace_file(files, path / README, _README.encode())
        fields = {"archive": secrets.token_hex(8), "version": VERSION}
        replace_file(files, path / MARKER, json.dumps(fields).encode() + b"\n")
        files.sync_folder(path.parent)
    except OSError as error:
        raise create_error(error, path) from error
    return open_root(path, files)


def _check_place(path: Path, new: bool) -> None:
    """Raise where no archive should be made there."""
    if not os.path.lexists(path):
        if not os.path.isdir(path.parent):  # noqa: PTH112 - of os.path: those of pathlib may raise
            raise NotWritable(f"there is no folder {path.parent}: create it, or mount its disk")
        if not new and (place := unmounted(path)) is not None:
            raise UsageError(
                f"the disk of {place} is not mounted ({FSTAB} names it): mount it; to begin an "
                "archive on the disk that is there instead, say --new"
            )
        return
    try:
        inside = {entry.name for entry in os.scandir(path)} - _IGNORED
    except OSError as error:
        raise NotWritable(f"{path} is not a folder that can be used: {error.strerror}") from error
    if inside and inside <= _BEGUN and not _holds_anything(path):
        return  # it was just being made when a crash came
    if inside:
        raise UsageError(
            f"{path} holds other things, but no archive: choose an empty folder, or one that does "
            "not exist yet"
        )
    if not new:
        raise UsageError(
            f"{path} is empty. If a disk belongs there, mount it; to begin an archive in it, say "
            "--new"
        )


def unmounted(path: Path) -> Path | None:
    """The folder at or above `path` that is to be the place of a disk, and is not now; None where
    there is none, or where nobody can know."""
    try:
        rows = [line.split() for line in FSTAB.read_text(errors="replace").splitlines()]
    except OSError:
        return None
    places = {row[1] for row in rows if len(row) > 1 and not row[0].startswith("#")}
    here = Path(os.path.abspath(path))  # noqa: PTH100 - links stay as fstab writes them
    above = (place for place in (here, *here.parents) if str(place) in places)
    return next((place for place in above if not os.path.ismount(place)), None)


def _holds_anything(path: Path) -> bool:
    """Whether a recording or a clip is at `path`."""
    folders = [path / RECORDINGS, path / CLIPS]
    return any(next(folder.iterdir(), None) for folder in folders if folder.is_dir())


def _read_marker(marker: Path) -> str:
    """The archive's id. Raises OSError, or UsageError where the marker is not one of ours."""
    with marker.open("rb") as file:
        data = file.read(4096)
    try:
        fields = json.loads(data)
        archive_id, version = fields["archive"], fields["version"]
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{marker} is damaged: it says which archive this is") from error
    if not isinstance(archive_id, str) or version != VERSION:
        raise UsageError(f"the archive at {marker.parent} was made by a newer camkeep")
    return archive_id


class Lock:
    """Held by the one process that writes to an archive, until it ends in whatever way.

    The file's time says when that process was last alive; the kernel keeps it through a crash.
    """

    def __init__(self, root: ArchiveRoot) -> None:
        """Raises UsageError where another process holds it, or NotWritable."""
        path = root.path / LOCK
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise create_error(error, path) from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(self._fd, 20, 0).decode("ascii", "replace").strip()
            os.close(self._fd)
            raise UsageError(
                f"another camkeep (process {holder or 'unknown'}) works on {root.path}: end it, "
                "or choose another folder"
            ) from None
        alive = os.fstat(self._fd)
        self.last_alive = WallUs(alive.st_mtime_ns // 1000) if alive.st_size else None
        """When the process before this one was last alive; None where there was none."""
        with suppress(OSError):  # a full disk takes it only where there was one before
            os.pwrite(self._fd, f"{os.getpid():<19}\n".encode(), 0)

    def beat(self, wall: WallUs) -> None:
        """This process is alive. May block as long as the disk does."""
        with suppress(OSError):  # a full or missing disk is told elsewhere
            os.utime(self._fd, ns=(wall * 1000, wall * 1000))

    def release(self) -> None:
        """Let others have it."""
        os.close(self._fd)

    def leave(self) -> None:
        """Let others have it, who need not know that this process, which did not record, was
        here: the time of the recorder before it stands again."""
        if self.last_alive is not None:
            self.beat(self.last_alive)
        else:
            os.ftruncate(self._fd, 0)
        self.release()


def is_locked(root: ArchiveRoot) -> bool:
    """Whether a process works on the archive at this moment."""
    try:
        fd = os.open(root.path / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False
