"""A disk that loses power: what was not flushed may be there, or not, or in part.

It stands at the archive's seam to the file system, over a real folder in which everything is done
as it was asked for; beside that it keeps book of what the disk owes nobody yet:

- of a file, every write and every cut since the last `sync` of it;
- of a folder, every name that was made, removed or given to another file since its last
  `sync_folder`.

`image` is a disk after the power came back. What was flushed is there. Of what was not, each
sector of each write may be there or not, the length is that of any moment, and each name is the
old or the new one. Nothing is taken for granted that POSIX does not grant: a file that was
flushed is gone where its name was not, and a file may be longer than what was written into it
(then there are zeros).
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from camkeep.archive.files import SystemFiles

Image = dict[str, bytes | None]
"""Files by their path; folders are None."""


class Luck(Enum):
    """What becomes of what was not flushed."""

    NONE = "nothing of it"
    ALL = "all of it"
    PREFIX = "all up to some moment, and the write of that moment in part"
    ANY = "anything, in any order"


@dataclass
class _File:
    durable: bytes = b""
    writes: list[tuple[int, bytes | None]] = field(default_factory=list)
    """Offset and bytes; without bytes, the length to which it was cut."""


@dataclass
class _Folder:
    durable: dict[str, _Node] = field(default_factory=dict)
    now: dict[str, _Node] = field(default_factory=dict)
    changes: list[tuple[str, str, _Node | None]] = field(default_factory=list)
    """A name that goes, one that comes, and to what; either may be empty."""


_Node = _File | _Folder


class CrashFS(SystemFiles):
    """A file system under `top`, whose power may be cut at any moment. Threads may share it."""

    def __init__(self, top: Path, before: Callable[[str], object] = lambda _: None) -> None:
        """All that is under `top` is on the disk. `before` is called with the name of each
        operation, when it has begun and nothing of it is certain."""
        self.operations = 0
        self._top = top
        self._before = before
        self._lock = threading.RLock()
        self._open: dict[int, _File] = {}
        self._root = _read(top)

    # the seam

    def create(self, path: Path, *, overwrite: bool = False) -> int:
        with self._lock:
            fd = super().create(path, overwrite=overwrite)
            folder, name = self._folder(path.parent), path.name
            known = folder.now.get(name)
            if isinstance(known, _File):
                file = known
                file.writes.append((0, None))
            else:
                file = _File()
                folder.now[name] = file
                folder.changes.append(("", name, file))
            self._open[fd] = file
            self._began("create")
            return fd

    def open(self, path: Path) -> int:
        with self._lock:
            fd = super().open(path)
            file = self._folder(path.parent).now[path.name]
            assert isinstance(file, _File)
            self._open[fd] = file
            return fd

    def writev(self, fd: int, buffers: Sequence[bytes | memoryview]) -> int:
        with self._lock:
            at = os.lseek(fd, 0, os.SEEK_CUR)
            count = super().writev(fd, buffers)
            self._open[fd].writes.append((at, b"".join(buffers)[:count]))
            self._began("writev")
            return count

    def pwrite(self, fd: int, data: bytes, offset: int) -> int:
        with self._lock:
            count = super().pwrite(fd, data, offset)
            self._open[fd].writes.append((offset, data[:count]))
            self._began("pwrite")
            return count

    def truncate(self, fd: int, size: int) -> None:
        with self._lock:
            super().truncate(fd, size)
            self._open[fd].writes.append((size, None))
            self._began("truncate")

    def sync(self, fd: int) -> None:
        with self._lock:
            self._began("sync")
            file = self._open[fd]
            file.durable = _written(file.durable, file.writes)
            file.writes.clear()

    def close(self, fd: int) -> None:
        with self._lock:
            del self._open[fd]
            super().close(fd)

    def unlink(self, path: Path) -> None:
        with self._lock:
            super().unlink(path)
            folder = self._folder(path.parent)
            del folder.now[path.name]
            folder.changes.append((path.name, "", None))
            self._began("unlink")

    def rename(self, path: Path, to: Path) -> None:
        assert path.parent == to.parent
        with self._lock:
            super().rename(path, to)
            folder = self._folder(path.parent)
            node = folder.now[to.name] = folder.now.pop(path.name)
            folder.changes.append((path.name, to.name, node))
            self._began("rename")

    def make_folder(self, path: Path) -> None:
        with self._lock:
            super().make_folder(path)
            folder = self._folder(path.parent)
            if path.name not in folder.now:
                node = folder.now[path.name] = _Folder()
                folder.changes.append(("", path.name, node))
                self._began("make_folder")

    def remove_folder(self, path: Path) -> None:
        with self._lock:
            super().remove_folder(path)
            folder = self._folder(path.parent)
            del folder.now[path.name]
            folder.changes.append((path.name, "", None))
            self._began("remove_folder")

    def sync_folder(self, path: Path) -> None:
        with self._lock:
            self._began("sync_folder")
            if path == self._top.parent:
                return
            folder = self._folder(path)
            folder.durable = dict(folder.now)
            folder.changes.clear()

    # the power cut

    def image(self, luck: Luck, chance: random.Random) -> Image:
        """The disk after a power cut at this moment."""
        with self._lock:
            found: Image = {}
            _show(self._root, "", found, luck, chance)
            return found

    def _began(self, what: str) -> None:
        self.operations += 1
        self._before(what)

    def _folder(self, path: Path) -> _Folder:
        node: _Node = self._root
        for name in path.relative_to(self._top).parts:
            assert isinstance(node, _Folder)
            node = node.now[name]
        assert isinstance(node, _Folder)
        return node


def put(image: Mapping[str, bytes | None], top: Path) -> None:
    """Make the folder `top` of an image."""
    top.mkdir()
    for name, data in image.items():
        if data is None:
            (top / name).mkdir()
        else:
            (top / name).write_bytes(data)


def _read(top: Path) -> _Folder:
    """What is there, as something that was flushed."""
    folder = _Folder()
    for path in top.iterdir():
        folder.now[path.name] = _read(path) if path.is_dir() else _File(path.read_bytes())
    folder.durable = dict(folder.now)
    return folder


def _show(folder: _Folder, where: str, found: Image, luck: Luck, chance: random.Random) -> None:
    names = dict(folder.durable)
    for gone, new, node in _some(folder.changes, luck, chance):
        if gone and names.pop(gone, None) is None:
            continue  # the name itself was lost
        if new and node is not None:
            names[new] = node
    for name, node in sorted(names.items()):
        path = f"{where}/{name}" if where else name
        if isinstance(node, _Folder):
            found[path] = None
            _show(node, path, found, luck, chance)
        else:
            found[path] = _after(node, luck, chance)


def _some(
    changes: list[tuple[str, str, _Node | None]], luck: Luck, chance: random.Random
) -> list[tuple[str, str, _Node | None]]:
    match luck:
        case Luck.NONE:
            return []
        case Luck.ALL:
            return changes
        case Luck.PREFIX:
            return changes[: chance.randint(0, len(changes))]
        case Luck.ANY:
            return [change for change in changes if chance.random() < 0.5]


def _after(file: _File, luck: Luck, chance: random.Random) -> bytes:
    """What the disk holds of a file."""
    writes = file.writes
    if luck is Luck.NONE or not writes:
        return file.durable
    if luck is Luck.ALL:
        return _written(file.durable, writes)
    sector = chance.choice((512, 4096))
    if luck is Luck.PREFIX:
        last = chance.randrange(len(writes))
        data = _written(file.durable, writes[:last])
        offset, whole = writes[last]
        if whole is None:
            return data
        end = offset + chance.randint(0, len(whole))
        return _written(data, [(offset, whole[: end - end % sector - offset])])
    return _scattered(file, sector, chance)


def _scattered(file: _File, sector: int, chance: random.Random) -> bytes:
    """Each sector of each write is there or not; the length is that of any moment."""
    data = bytearray(file.durable)
    lengths = [len(data)]
    size = len(data)
    likely = chance.random()
    for offset, whole in file.writes:
        if whole is None:
            size = offset
            lengths.append(size)
            if chance.random() < likely:
                del data[offset:]
            continue
        size = max(size, offset + len(whole))
        lengths.append(size)
        at = offset
        while at < offset + len(whole):
            end = min(offset + len(whole), at - at % sector + sector)
            if chance.random() < likely:
                _patch(data, at, whole[at - offset : end - offset])
            at = end
    length = chance.choice(lengths)
    return bytes(data[:length]) + bytes(max(0, length - len(data)))


def _written(before: bytes, writes: Sequence[tuple[int, bytes | None]]) -> bytes:
    data = bytearray(before)
    for offset, whole in writes:
        if whole is None:
            del data[offset:]
            data += bytes(offset - len(data))
        else:
            _patch(data, offset, whole)
    return bytes(data)


def _patch(data: bytearray, offset: int, piece: bytes) -> None:
    data += bytes(max(0, offset - len(data)))
    data[offset : offset + len(piece)] = piece
