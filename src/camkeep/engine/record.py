"""`record`: one camera to one or more movies, until the plan is fulfilled or somebody stops it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from camkeep.archive.writer import Volume
from camkeep.cameras.source import Notes, Sink, Source
from camkeep.clock import Clock
from camkeep.engine.feed import Feed
from camkeep.engine.plan import Plan, Progress, Summary
from camkeep.engine.recorder import Recorder
from camkeep.engine.sessions import (
    Connecting,
    GiveUp,
    Live,
    Refused,
    State,
    Waiting,
    run_sessions,
)
from camkeep.errors import CameraError, CamkeepError, Stalled
from camkeep.model import Sample

PROGRESS_S = 0.5


class Recording:
    """One recording under way. `run()` it once; `stop()` ends it and keeps what there is.

    Recordings that go to the same disk do well to share a `volume`, its writer thread; without
    one, a recording has a thread of its own. With a `feed` of the same source, which nobody else
    may run, others see what is recorded: each sample goes there once the recorder has it.
    """

    def __init__(
        self,
        source: Source,
        plan: Plan,
        clock: Clock,
        volume: Volume | None = None,
        feed: Feed | None = None,
    ) -> None:
        self.notes = Notes() if feed is None else feed.notes
        self._feed = feed
        self._source = source
        self._plan = plan
        self.clock = clock
        self._volume = volume
        self._state: State = Connecting()
        self._sessions = 0
        self._stopped = False
        self._recorder: Recorder | None = None

    @property
    def camera(self) -> str:
        """Its address, without a login."""
        return str(self._source.address)

    @property
    def plan(self) -> Plan:
        """What is to be made."""
        return self._plan

    def stop(self, why: str = "stopped") -> None:
        """End the recording; `run` closes the movies and returns."""
        if self._recorder is not None and not self._recorder.done.is_set():
            self._stopped = True
            self._recorder.end(why)

    async def run(self, on_progress: Callable[[Progress], None] | None = None) -> Summary:
        """Record. Returns when it is over, for whatever reason, with all movies closed.

        `Summary.error` holds what ended it too early; nothing is raised but for a plan that
        cannot be begun (NotWritable) and cancellation, which closes the movies, too.
        """
        self._plan.check_writable()
        camera = str(self._source.address)
        recorder = self._recorder = Recorder(
            self._plan, self.notes, camera, self.clock, self._volume
        )
        sessions = asyncio.create_task(
            run_sessions(self._source, self._sink(recorder), self.notes, self._entered, self.clock)
        )
        done = asyncio.create_task(recorder.done.wait())
        limit = asyncio.create_task(self._end_when_away_too_long(recorder))
        try:
            if on_progress is not None:
                on_progress(self.progress())
            while not (sessions.done() or done.done()):
                await asyncio.wait(
                    (sessions, done),
                    timeout=PROGRESS_S if on_progress else None,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if on_progress is not None and not sessions.done():
                    on_progress(self.progress())
        finally:
            if self._feed is not None:
                self._feed.hub.end()
            try:
                await _end(sessions, done, limit)
            finally:  # whatever may come meanwhile, another cancellation for one
                await recorder.close()
        return self._summary(recorder, sessions)

    def progress(self) -> Progress:
        """Where it stands."""
        assert self._recorder is not None
        state, why, wait_s = "connecting", "", 0.0
        match self._state:
            case Connecting():
                pass
            case Live():
                state = "live"
            case Waiting(error, retry_s) | Refused(error, retry_s):
                state, why, wait_s = "waiting", str(error), retry_s
        made = self._recorder
        return Progress(
            state, why, wait_s, made.elapsed_s, made.frames, made.bytes, made.drops, made.files
        )

    def _sink(self, recorder: Recorder) -> Sink:
        feed = self._feed
        if feed is None:
            return recorder

        def keep_and_show(sample: Sample) -> None:
            recorder(sample)
            feed.hub(sample)

        return keep_and_show

    def _entered(self, state: State) -> None:
        """A session entered `state`. Before the first frame, most failures end the recording."""
        recorder = self._recorder
        assert recorder is not None
        self._state = state
        if self._feed is not None:
            self._feed.entered(state)
        match state:
            case Connecting():
                recorder.session_began()
            case Live():
                self._sessions += 1
            case Waiting(error, _):
                recorder.session_ended(error)
                if not recorder.frames and not self._plan.wait:
                    raise GiveUp(error)
            case Refused(error, _):
                recorder.session_ended(error)
                if not recorder.frames:
                    raise GiveUp(error)

    async def _end_when_away_too_long(self, recorder: Recorder) -> None:
        """End a recording of limited duration also while the camera is away."""
        if self._plan.duration_s is None:
            return
        while True:
            left = self._plan.duration_s - recorder.since_first_s()
            if left <= -1.0:  # a second of grace: the frame at the very end decides by itself
                recorder.end("the time asked for is over")
                return
            await asyncio.sleep(max(left + 1.0, 0.05))

    def _summary(self, recorder: Recorder, sessions: asyncio.Task[None]) -> Summary:
        error: Exception | None = recorder.error
        if error is None and sessions.done() and not sessions.cancelled():
            error = sessions.exception()  # type: ignore[assignment]
        if error is None and not recorder.movies:
            error = Stalled("nothing was recorded: no key frame came")
        if error is not None and not isinstance(error, CamkeepError):
            raise error
        if isinstance(error, CameraError) and error.camera is None:
            error.camera = str(self._source.address)
        return Summary(
            movies=tuple(recorder.movies),
            gaps=tuple(recorder.gaps),
            reconnects=max(0, self._sessions - 1),
            drops=recorder.drops,
            thinned=recorder.thinned,
            measured_fps=recorder.measured_fps,
            promised_fps=self.notes.promised_fps,
            ended=recorder.ended,
            stopped=self._stopped,
            error=error,
            trouble=self.notes.trouble,
        )


async def _end(*tasks: asyncio.Task[object]) -> None:
    """Cancel `tasks` and wait for them; what they raised stays in them."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
