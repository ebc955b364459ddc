"""Samples for a program: sessions behind an asynchronous iterator with a bounded queue."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator

from camkeep.cameras.source import Notes, Source
from camkeep.clock import Clock
from camkeep.engine.sessions import Connecting, GiveUp, Refused, State, Waiting, run_sessions
from camkeep.model import Sample

QUEUE_BYTES = 32 * 1024 * 1024
QUEUE_SAMPLES = 2000


class LiveQueue:
    """A sink that keeps what a slow reader has not taken yet, within bounds.

    When it is full, everything up to the next key frame is dropped and counted in the notes, so
    that what is read can always be decoded; another run begins there.
    """

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._samples: deque[Sample] = deque()
        self._bytes = 0
        self._dropping = False
        self._ready = asyncio.Event()
        self._runs_before = 0  # of other sessions, and for what was dropped
        self._newest_run = -1

    def session_began(self) -> None:
        """Runs count on over sessions: what follows does not follow what was before."""
        self._runs_before = self._newest_run + 1

    def __call__(self, sample: Sample) -> None:
        """Take a sample."""
        full = self._bytes >= QUEUE_BYTES or len(self._samples) >= QUEUE_SAMPLES
        if full:
            self._dropping = True
        elif self._dropping and sample.is_video and sample.key:
            self._dropping = False
            self._runs_before += 1
        if self._dropping:
            self._notes.dropped += 1
            return
        run = self._runs_before + sample.run
        self._newest_run = max(self._newest_run, run)  # picture and sound count on their own
        if self._runs_before:
            sample = sample._replace(run=run)
        self._samples.append(sample)
        self._bytes += len(sample.data)
        self._ready.set()

    async def take(self) -> list[Sample]:
        """All samples that are there, at least one."""
        await self._ready.wait()
        self._ready.clear()
        taken = list(self._samples)
        self._samples.clear()
        self._bytes = 0
        return taken


async def batches(
    source: Source, notes: Notes, clock: Clock, *, reconnect: bool
) -> AsyncGenerator[list[Sample], None]:
    """What the camera sends, in lists of one or more samples.

    Raises CameraError where the first session fails, where a later one fails in a way that a
    person must heal, and with `reconnect` off where any session ends.
    """
    queue = LiveQueue(notes)
    begun = False

    def entered(state: State) -> None:
        match state:
            case Connecting():
                queue.session_began()
            case Refused(error, _):
                raise GiveUp(error)
            case Waiting(error, _) if not (begun and reconnect):
                raise GiveUp(error)

    sessions = asyncio.create_task(run_sessions(source, queue, notes, entered, clock))
    try:
        while True:
            taking = asyncio.ensure_future(queue.take())
            try:
                await asyncio.wait((taking, sessions), return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not taking.done():
                    taking.cancel()
            if taking.done() and not taking.cancelled():
                begun = True
                yield taking.result()
            if sessions.done():
                sessions.result()
    finally:
        sessions.cancel()
        await asyncio.gather(sessions, return_exceptions=True)
