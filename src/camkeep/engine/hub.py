"""One stream, handed to all who want it. Runs on the event loop.

The recorder is a sink like any: it gets each sample at once and never loses one here. Viewers
have a bounded queue each, which drops up to the next key frame and counts what it dropped, so
that one who does not keep up costs itself pictures and nobody else anything. Who comes begins
with the newest key frame at once: what followed it is remembered.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from camkeep.model import AudioParams, Sample, VideoParams

READER_BYTES = 6 * 1024 * 1024
"""What waits for one viewer at most."""
READER_SAMPLES = 2000
SINCE_KEY_BYTES = 4 * 1024 * 1024
SINCE_KEY_SAMPLES = 1500
"""What is remembered since the newest key frame; a longer group of pictures is not."""


class Taker(Protocol):
    """One who takes the samples as they come. None of these may wait or raise."""

    def session_began(self) -> None:
        """What comes now does not follow what came before."""

    def __call__(self, sample: Sample) -> None:
        """Take a sample."""


class Reader:
    """A viewer's end of a hub. `take` until it is empty-handed; `close` it."""

    def __init__(self, hub: Hub) -> None:
        """Use `Hub.open`."""
        self.dropped = 0
        """Frames that were not taken in time."""
        self.skips = 0
        """How often it had to go on with a later key frame."""
        self._hub = hub
        self._samples: deque[Sample] = deque()
        self._bytes = 0
        self._dropping = False
        self._behind = False  # dropping because the reader was slow
        self._ended = False
        self._ready = asyncio.Event()
        self._runs_before = 0
        self._newest_run = -1

    @property
    def waiting_bytes(self) -> int:
        """What waits for it."""
        return self._bytes

    async def take(self) -> list[Sample]:
        """All samples that are there, at least one; none once the hub has ended. Where `run`
        differs from that of the sample before, it does not follow that: samples are missing, or
        a clock jumped. Whatever is missing, the first frame behind it is a key frame."""
        await self._ready.wait()
        if not self._ended:
            self._ready.clear()
        taken = list(self._samples)
        self._samples.clear()
        self._bytes = 0
        return taken

    def close(self) -> None:
        """Get no more."""
        self._hub.leave(self)
        self.end()

    # what the hub tells

    def session_began(self) -> None:
        """Go on with the next key frame."""
        self._runs_before = self._newest_run + 1
        self._dropping = True

    def end(self) -> None:
        """There will be no more samples."""
        self._ended = True
        self._ready.set()

    def __call__(self, sample: Sample) -> None:
        full = len(self._samples) >= READER_SAMPLES or (
            self._bytes > 0 and self._bytes + len(sample.data) > READER_BYTES
        )
        if full:
            if not self._behind:
                self.skips += 1
            self._dropping = self._behind = True
        elif self._dropping and sample.is_video and sample.key:
            self._runs_before += self._behind
            self._dropping = self._behind = False
        if self._dropping:
            self.dropped += self._behind and sample.is_video
            return
        run = self._runs_before + sample.run
        self._newest_run = max(self._newest_run, run)  # picture and sound count on their own
        if self._runs_before:
            sample = sample._replace(run=run)
        self._samples.append(sample)
        self._bytes += len(sample.data)
        self._ready.set()


class Hub:
    """Hands on what the sessions with one camera bring."""

    def __init__(self, on_viewers: Callable[[], object] = lambda: None) -> None:
        """`on_viewers` is called when a viewer came or went."""
        self.video: VideoParams | None = None
        self.audio: AudioParams | None = None
        """Of the newest samples."""
        self.newest: Sample | None = None
        """The newest frame."""
        self.frames = self.bytes = 0
        """Of pictures, and of all that came."""
        self._on_viewers = on_viewers
        self._takers: tuple[Taker, ...] = ()
        self._readers: set[Reader] = set()
        self._since_key: list[Sample] = []
        self._since_key_bytes = 0
        self._ended = False

    @property
    def readers(self) -> int:
        """How many viewers there are."""
        return len(self._readers)

    @property
    def dropped(self) -> int:
        """Frames that viewers who are here now did not take in time."""
        return sum(reader.dropped for reader in self._readers)

    def attach(self, taker: Taker) -> None:
        """Hand it every sample from now on."""
        self._takers = (*self._takers, taker)

    def open(self) -> Reader:
        """Another viewer. It begins with the newest key frame where that is remembered, else
        with the next."""
        reader = Reader(self)
        if self._ended:
            reader.end()
            return reader
        reader.session_began()
        for sample in self._since_key:
            reader(sample)
        self._readers.add(reader)
        self._takers = (*self._takers, reader)
        self._on_viewers()
        return reader

    def leave(self, taker: Taker) -> None:
        """Hand it nothing any more."""
        self._takers = tuple(other for other in self._takers if other is not taker)
        if isinstance(taker, Reader) and taker in self._readers:
            self._readers.discard(taker)
            self._on_viewers()

    def end(self) -> None:
        """There will be no more samples, ever: let the viewers go, and those who come."""
        self._ended = True
        for reader in list(self._readers):
            reader.close()

    # what the sessions tell

    def session_began(self) -> None:
        """The next sample is of another session."""
        self.forget()
        for taker in self._takers:
            taker.session_began()

    def forget(self) -> None:
        """What was remembered is not the newest any more."""
        self._since_key.clear()
        self._since_key_bytes = 0
        self.newest = None

    def __call__(self, sample: Sample) -> None:
        params = sample.params
        self.bytes += len(sample.data)
        if isinstance(params, VideoParams):
            self.video, self.newest = params, sample
            self.frames += 1
            if sample.key:
                self._since_key = []
                self._since_key_bytes = 0
        else:
            self.audio = params
        self._remember(sample)
        for taker in self._takers:
            taker(sample)

    def _remember(self, sample: Sample) -> None:
        self._since_key_bytes += len(sample.data)
        remembered = self._since_key
        if self._since_key_bytes <= SINCE_KEY_BYTES and len(remembered) < SINCE_KEY_SAMPLES:
            if remembered or (sample.is_video and sample.key):
                remembered.append(sample)
        elif remembered:  # half a group of pictures is of no use
            self._since_key = []
