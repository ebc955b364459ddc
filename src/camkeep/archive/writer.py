"""The one thread that writes to a volume, and the bound on what may wait for it.

Disk calls can block for seconds; the loop must not. Jobs run one after the other in the order
they were given. The first error is kept: a job that follows a failed one is not run, because
what it would append no longer has anything to stand on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

T = TypeVar("T")

BACKLOG_BYTES = 60 * 1024 * 1024
"""Most that may wait for a slow disk before samples are dropped: with what is remembered for
viewers, 64 MB a camera."""


class Volume:
    """The thread itself. Recordings that go to one volume share it: their jobs would wait for
    the same disk anyhow, and one thread that wakes for many of them costs less than many."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="camkeep-writer")

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Run `job` after those before it."""
        return self._pool.submit(job)

    def close(self) -> None:
        """Wait for all jobs and end the thread."""
        self._pool.shutdown(wait=True)


class Writer:
    """What one recording has to do with its volume: jobs in order, a bounded backlog, and the
    first error. Use from one thread."""

    def __init__(self, on_error: Callable[[], object], volume: Volume | None = None) -> None:
        """`on_error` is called on the writer thread, once, when a job has failed. Without a
        `volume` to share, the writer has one of its own."""
        self._volume = volume or Volume()
        self._shared = volume is not None
        self._waiting = 0
        self._lock = threading.Lock()  # of _waiting, which both threads change
        self._on_error = on_error
        self.error: Exception | None = None

    @property
    def waiting_bytes(self) -> int:
        """Bytes of samples in jobs that are not done."""
        return self._waiting

    @property
    def full(self) -> bool:
        """Whether the backlog has reached its bound: drop instead of submitting."""
        return self._waiting >= BACKLOG_BYTES

    def submit(self, job: Callable[[], None], nbytes: int = 0) -> None:
        """Run `job`, which holds `nbytes` of samples, after those before it."""
        with self._lock:
            self._waiting += nbytes
        self._volume.submit(partial(self._run, job, nbytes))

    def always(self, job: Callable[[], None]) -> Future[None]:
        """Run `job` after those before it even if one of them failed: for closing files."""
        return self._volume.submit(job)

    def finished(self) -> Future[None]:
        """Done when all jobs that were given so far are."""
        return self._volume.submit(_nothing)

    def close(self) -> None:
        """End the thread where it is this writer's own. Blocks until its jobs are done: await
        `finished` before."""
        if not self._shared:
            self._volume.close()

    def _run(self, job: Callable[[], None], nbytes: int) -> None:
        try:
            if self.error is None:
                job()
        except Exception as error:  # noqa: BLE001 - it is raised again where the recording ends
            self.error = error
            self._on_error()
        finally:
            with self._lock:
                self._waiting -= nbytes


def _nothing() -> None:
    """The job behind all others."""
