"""One stream of a camera, fetched while somebody wants it.

Runs on the event loop. `run` is immortal: sessions come and go in it, also another source in the
place of the first. Who wants the stream is the recorder, or any viewer; some seconds after the
last has gone, the camera is left alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import NoReturn, Protocol, runtime_checkable

from camkeep.cameras.source import Notes, Source
from camkeep.clock import Clock, MonoNs
from camkeep.engine.hub import Hub, Reader
from camkeep.engine.sessions import (
    LONGEST_WAIT_S,
    Connecting,
    Idle,
    Live,
    Off,
    Refused,
    Waiting,
    run_sessions,
)
from camkeep.errors import CamkeepError, NotFound, NotSupported, Stalled, StreamBroken
from camkeep.model import Sample

LINGER_S = 5.0
"""How long a stream is still fetched after its last viewer has gone: one who reloads a page
is back at once."""

FeedState = Connecting | Live | Waiting | Refused | Idle | Off

log = logging.getLogger(__name__)


@runtime_checkable
class Hurried(Protocol):
    """A source that can be read sooner while somebody watches, at a higher cost."""

    def hurry(self, wanted: bool) -> None:
        """Read it at once, or when it is cheapest."""
        ...


class Feed:
    """A stream. `run` it, once."""

    def __init__(
        self, source: Source, clock: Clock, on_state: Callable[[Feed], object] = lambda _: None
    ) -> None:
        """`on_state` is called whenever `state` has changed."""
        self.notes = Notes()
        self.state: FeedState = Idle()
        self.since = clock.wall()
        """Since when it is so."""
        self.sessions = 0
        """How many of them brought pictures."""
        self.hub = Hub(self._viewers_changed)
        self._source = source
        self._clock = clock
        self._on_state = on_state
        self._recorded = False
        self._off = False
        self._lingers_until: MonoNs | None = None
        self._changed = asyncio.Event()

    @property
    def source(self) -> Source:
        """Where it comes from."""
        return self._source

    @property
    def needed(self) -> bool:
        """Whether the stream is to be fetched."""
        return not self._off and (
            self._recorded or self.hub.readers > 0 or self._lingers_until is not None
        )

    # what people want

    def want(self, *, recorded: bool, off: bool = False) -> None:
        """Whether the recorder wants it; and whether nobody may have it."""
        if (recorded, off) != (self._recorded, self._off):
            self._recorded, self._off = recorded, off
            if off:
                self._lingers_until = None
            self._changed.set()
            if not self.needed and isinstance(self.state, Idle | Off):
                self._enter(Off() if off else Idle())

    def replace(self, source: Source) -> None:
        """Fetch it from elsewhere, or in another way, from now on: nothing of the old source is
        handed on any more."""
        self._source = source
        self._changed.set()

    def watch(self) -> Reader:
        """The stream for one more viewer; `close` it when done. It goes on over sessions."""
        return self.hub.open()

    async def picture(self, timeout_s: float = 8.0) -> Sample:
        """The newest frame that can be decoded alone, fetched where nobody watches. Raises
        CameraError."""
        if self._off:
            raise NotFound("it is switched off")
        reader = self.watch()
        try:
            async with asyncio.timeout(timeout_s):
                while samples := await reader.take():
                    for sample in reversed(samples):
                        if sample.is_video and sample.key:
                            return sample
            raise NotFound("it was removed or switched off")
        except TimeoutError:
            match self.state:
                case Waiting(error, _) | Refused(error, _):
                    raise error.with_traceback(None) from None  # it lasts, and is raised often
                case _:
                    raise Stalled("it sent no picture in time") from None
        finally:
            reader.close()

    def _viewers_changed(self) -> None:
        """A viewer came or went."""
        watched = self.hub.readers > 0
        if isinstance(self._source, Hurried):
            self._source.hurry(watched)
        if watched:
            self._lingers_until = None
        elif self._lingers_until is None and not self._off:
            self._lingers_until = MonoNs(self._clock.mono() + round(LINGER_S * 1e9))
        self._changed.set()

    # the loop

    async def run(self) -> NoReturn:
        """Fetch the stream whenever it is needed, until cancelled."""
        while True:
            while not self.needed:
                self._changed.clear()
                await self._changed.wait()
            await self._fetch(self._source)
            self.hub.forget()
            self._enter(Off() if self._off else Idle())

    async def _fetch(self, source: Source) -> None:
        """Hold sessions until it is not needed any more, or comes from elsewhere."""
        if isinstance(source, Hurried):
            source.hurry(self.hub.readers > 0)
        sessions = asyncio.create_task(self._sessions(source))
        try:
            while self.needed and self._source is source:
                self._changed.clear()
                await self._wait_for_change()
        finally:
            sessions.cancel()
            await asyncio.gather(sessions, return_exceptions=True)

    async def _wait_for_change(self) -> None:
        """Until something has changed, or nobody lingers any more."""
        if self._lingers_until is None:
            await self._changed.wait()
            return
        left_s = (self._lingers_until - self._clock.mono()) / 1e9
        try:
            await asyncio.wait_for(self._changed.wait(), max(0.0, left_s))
        except TimeoutError:
            if self.hub.readers == 0:
                self._lingers_until = None

    async def _sessions(self, source: Source) -> NoReturn:
        """Sessions with one source. A fault of ours costs a session, not the camera."""
        self.notes.begin_anew()

        def sink(sample: Sample) -> None:
            if self._source is source:  # else what it still sends is of no interest
                self.hub(sample)

        while True:
            try:
                await run_sessions(source, sink, self.notes, self.entered, self._clock)
            except CamkeepError as error:  # of opening it: what was asked for makes no sense
                self.entered(Refused(NotSupported(str(error)), LONGEST_WAIT_S))
            except Exception as error:
                log.exception("a session with a camera failed in an unforeseen way")
                told = StreamBroken(f"camkeep itself failed ({type(error).__name__}): see its log")
                self.entered(Waiting(told, LONGEST_WAIT_S))
            await asyncio.sleep(LONGEST_WAIT_S)

    def entered(self, state: FeedState) -> None:
        """A session is in another state: told by `run`, or by who holds the sessions instead."""
        match state:
            case Connecting():
                self.hub.session_began()
            case Live():
                self.sessions += 1
            case _:
                self.hub.forget()
        self._enter(state)

    def _enter(self, state: FeedState) -> None:
        if type(state) is not type(self.state):
            self.since = self._clock.wall()
        self.state = state
        self._on_state(self)
