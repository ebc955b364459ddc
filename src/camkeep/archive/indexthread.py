"""The one thread with the one connection that writes to the index.

Jobs run in the order in which they were given. Nobody needs to wait for them: the files are the
truth, and an index that is damaged is made anew from them, here, while recording goes on and its
jobs wait.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from camkeep.archive.catalog import Catalog
from camkeep.archive.index import Index
from camkeep.archive.layout import MARKER
from camkeep.archive.reindex import Rebuilt, rebuild
from camkeep.errors import DiskAway, IndexDamaged, StorageError

T = TypeVar("T")


class IndexThread:
    """Runs jobs with the index."""

    def __init__(
        self,
        root: Path,
        path: Path,
        on_rebuilt: Callable[[str], object] = lambda _: None,
        check: Callable[[], object] = lambda: None,
    ) -> None:
        """`root` is the archive's folder, `path` the index. `on_rebuilt` is told, on the thread,
        why the index was made anew. `check` raises DiskAway where another archive, or none, is
        in that folder: then nothing is opened or made there."""
        self._root = root
        self._path = path
        self._check = check
        self._on_rebuilt = on_rebuilt
        self._index: Index | None = None
        self._seen: tuple[int, int] | None = None  # device and inode of what is open
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="camkeep-index")
        self.stale = False
        """Whether a job could not be done, for want of room or of a disk: the index is behind
        the files until `rebuild`."""

    def submit(self, job: Callable[[Index], T]) -> Future[T]:
        """Have `job` done with the index."""
        return self._pool.submit(self._run, job)

    def rebuild(self) -> Future[Rebuilt]:
        """Make the index anew from the files."""
        return self._pool.submit(self._rebuild)

    def close(self) -> None:
        """Wait for all jobs, and let go of the index."""
        self._pool.submit(self._let_go)
        self._pool.shutdown(wait=True)

    def _run(self, job: Callable[[Index], T]) -> T:
        try:
            try:
                return job(self._opened())
            except IndexDamaged as error:
                self._rebuild()
                self._on_rebuilt(f"{str(error).partition(':')[0]}: it was made anew from the files")
                return job(self._opened())
        except StorageError:
            self.stale = True
            raise

    def _opened(self) -> Index:
        if self._index is not None and self._seen != self._identity():
            self._rebuild()  # a person deleted or replaced it: nobody would read what is written
        if self._index is None:
            self._check()
            if not self._path.exists():
                self._rebuild()
            index = Index.open(self._path)
            try:
                with Catalog.open(self._path) as catalog:  # thrice as fast as one that writes
                    catalog.examine()
            except BaseException:
                index.close()
                raise
            self._index, self._seen = index, self._identity()
        return self._index

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _rebuild(self) -> Rebuilt:
        self._check()
        if not (self._root / MARKER).exists():  # nothing is written to where a disk was
            raise DiskAway(f"the archive is not at {self._root} any more")
        self._let_go()
        rebuilt = rebuild(self._root, self._path)
        self.stale = False
        return rebuilt

    def _let_go(self) -> None:
        if self._index is not None:
            with suppress(Exception):
                self._index.close()
            self._index = None
