"""One camera for a program: `AsyncCamera`, and `Camera`, the same without asynchrony."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from camkeep.archive.stills import check_still, write_still
from camkeep.cameras.address import Address
from camkeep.cameras.source import Notes, SourceOptions
from camkeep.engine.live import batches
from camkeep.engine.plan import SUFFIXES, Plan, Progress, Summary
from camkeep.engine.portal import Portal, blocking
from camkeep.engine.probe import Report, probe
from camkeep.engine.record import Recording
from camkeep.engine.sources import make_source
from camkeep.errors import UsageError, of_camera
from camkeep.media.jpeg_repair import repair as repaired
from camkeep.model import Sample

StrPath = str | os.PathLike[str]

STILL_SUFFIXES = (".jpg", ".jpeg")


class AsyncCamera:
    """A camera. Nothing is opened until something is asked of it.

    Each call opens a session of its own and closes it again, so calls may overlap.
    """

    def __init__(self, address: Address, options: SourceOptions) -> None:
        """Raises UsageError where the address or its options make no sense. See `aopen`."""
        self.address = address
        self.notes = Notes()
        """What the camera has shown of itself in `snapshot` and `samples`."""
        self._options = options
        self._source = make_source(address, options)
        self._streams: list[AsyncGenerator[object, None]] = []  # those that may still be open

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for stream in self._streams:  # a loop that was left by `break`
            await stream.aclose()

    async def snapshot(
        self, path: StrPath | None = None, *, repair: bool = False, overwrite: bool = True
    ) -> bytes:
        """One picture, byte for byte as the camera made it; also written to `path` if given.

        `repair` cuts off junk and null bytes that strict readers stumble over, losslessly.
        Where `path` ends in .mp4 it gets one key frame, whatever the codec, and the bytes
        returned are the movie's. Raises CameraError (NotSupported where the camera has no
        JPEG), StorageError, or UsageError where `path` is called neither .jpg nor .mp4.
        """
        if path is not None and Path(path).suffix.lower() in SUFFIXES:
            summary = await self.record(path, frames=1, audio=False, overwrite=overwrite)
            return await asyncio.to_thread(summary.movies[0].path.read_bytes)
        if path is not None:
            if Path(path).suffix.lower() not in STILL_SUFFIXES:
                raise UsageError(f"a snapshot is a JPEG: call the file {Path(path).stem}.jpg")
            check_still(Path(path), overwrite=overwrite)
        with of_camera(str(self.address)):
            picture = await self._source.snapshot(self.notes)
        if repair:
            picture = await asyncio.to_thread(repaired, picture)
        if path is not None:
            await asyncio.to_thread(write_still, Path(path), picture, overwrite=overwrite)
        return picture

    async def record(
        self,
        path: StrPath,
        *,
        seconds: float | None = None,
        frames: int | None = None,
        fps: float | None = None,
        segment: float | None = None,
        audio: bool = True,
        wait: bool = False,
        overwrite: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Summary:
        """Record to the MP4 `path` until `seconds` or `frames` are reached, or cancelled.

        `fps` keeps only so many frames a second, `segment` begins a new file after so many
        seconds, `wait` waits for a camera that does not answer yet. The movie is whole in
        every case. Raises what ended the recording too early, after the movie was closed.
        """
        plan = Plan(Path(path), seconds, frames, fps, segment, audio, wait, overwrite)
        recording = Recording(self._source, plan, self._options.clock)
        summary = await recording.run(on_progress)
        if summary.error is not None:
            raise summary.error
        return summary

    def samples(self, *, reconnect: bool = True) -> AsyncGenerator[Sample, None]:
        """What the camera sends, compressed, as it comes: key frames, frames and sound.

        A reader that is too slow loses everything up to a key frame. With `reconnect` the
        stream goes on after the camera was lost (`Sample.run` then goes up); the first
        session must succeed. Raises CameraError. A loop that is left hangs up at the end of
        ``async with``, or with the iterator's `aclose`.
        """
        stream = self._samples(reconnect)
        self._streams = [s for s in self._streams if getattr(s, "ag_frame", None)] + [stream]
        return stream

    async def _samples(self, reconnect: bool) -> AsyncGenerator[Sample, None]:
        async with aclosing(self.batches(reconnect=reconnect)) as many:
            async for batch in many:
                for sample in batch:
                    yield sample

    async def batches(self, *, reconnect: bool = True) -> AsyncGenerator[list[Sample], None]:
        """Like `samples`, in lists of what has come meanwhile: cheaper for many cameras."""
        with of_camera(str(self.address)):
            async with aclosing(
                batches(self._source, self.notes, self._options.clock, reconnect=reconnect)
            ) as many:
                async for batch in many:
                    yield batch

    async def probe(self, seconds: float = 5.0) -> Report:
        """Watch for `seconds` and report what the camera really delivers."""
        source = make_source(self.address, replace(self._options, exact_arrivals=True))
        with of_camera(str(self.address)):
            return await probe(source, seconds)


class Camera:
    """A camera without asynchrony; the same methods as `AsyncCamera`, which wait."""

    def __init__(self, inner: AsyncCamera) -> None:
        self._inner = inner
        self._portal = Portal()

    @property
    def address(self) -> Address:
        """Where it is; its `str` holds no login."""
        return self._inner.address

    @property
    def notes(self) -> Notes:
        """What the camera has shown of itself in `snapshot` and `samples`."""
        return self._inner.notes

    snapshot = blocking(AsyncCamera.snapshot)
    record = blocking(AsyncCamera.record)
    probe = blocking(AsyncCamera.probe)

    def samples(self, *, reconnect: bool = True) -> Iterator[Sample]:
        """What the camera sends, compressed; see `AsyncCamera.samples`."""
        many = self._inner.batches(reconnect=reconnect)
        try:
            while True:
                try:
                    yield from self._portal.run(anext(many))
                except StopAsyncIteration:
                    return
        finally:
            if not self._portal.closed:  # which would have ended it
                self._portal.run(many.aclose())

    def close(self) -> None:
        """End the thread behind it. `with` does it by itself."""
        self._portal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
