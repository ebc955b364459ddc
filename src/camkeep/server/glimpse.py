"""A look at a camera before it is set up: what it is, what is wrong with it, and one picture.

No more than a few at once, and none for long. Runs on the event loop.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn

from camkeep.cameras.address import Address
from camkeep.cameras.source import Notes, Sink, Source
from camkeep.engine.probe import probe
from camkeep.engine.report import report_values
from camkeep.errors import CameraError, LoginRefused, MediaError, NeedsPerson, NotTrusted, Stalled
from camkeep.media.mp4.identity import Identity
from camkeep.media.mp4.muxer import Muxer
from camkeep.media.mp4.track import TimedSample
from camkeep.model import Codec, Sample, VideoParams
from camkeep.server.problems import Problem
from camkeep.server.redact import redactor

AT_ONCE = 3
LONGEST_S = 15.0
WATCH_S = 4.0
"""How long a camera that answers is watched."""
LARGEST_PICTURE = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What was seen."""

    report: dict[str, Any] | None
    """As `camkeep probe --json` has it; None where no picture came."""
    error: str | None
    """Why none came, for a person."""
    needs_person: bool
    """Whether that stays so until somebody changes something."""
    cause: str | None
    """`login` or `trust` where that is what must be changed."""
    picture: str | None
    """The first key frame as a data: URL, a JPEG or a movie of one frame."""


class Glimpses:
    """Looks at cameras."""

    def __init__(self, at_once: int = AT_ONCE, longest_s: float = LONGEST_S) -> None:
        self._free = at_once
        self._longest_s = longest_s

    async def look(self, source: Source) -> Glimpse:
        """Look at one. Raises Problem 429 where as many as may be are being looked at."""
        if self._free <= 0:
            told = "several cameras are being tested already: try again in a few seconds"
            raise Problem(429, "Too many tests", told, headers={"retry-after": "5"})
        self._free -= 1
        first = _First(source)
        try:
            async with asyncio.timeout(self._longest_s):
                report = await probe(first, WATCH_S)
        except TimeoutError:
            error: CameraError = Stalled(f"no picture came within {self._longest_s:g} s")
            return _failed(error)
        except CameraError as error:
            return _failed(error)
        finally:
            self._free += 1
        values = report_values(report)
        values["advice"] = [redactor(words) for words in values["advice"]]
        return Glimpse(values, None, False, None, first.picture())


def _failed(error: CameraError) -> Glimpse:
    login, trust = isinstance(error, LoginRefused), isinstance(error, NotTrusted)
    cause = "login" if login else "trust" if trust else None
    return Glimpse(None, redactor(error.message), isinstance(error, NeedsPerson), cause, None)


class _First:
    """A source that remembers its first key frame."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._sample: Sample | None = None

    @property
    def address(self) -> Address:
        return self._source.address

    async def run(self, sink: Sink, notes: Notes) -> NoReturn:
        def take(sample: Sample) -> None:
            if self._sample is None and sample.is_video and sample.key:
                self._sample = sample
            sink(sample)

        await self._source.run(take, notes)

    async def snapshot(self, notes: Notes) -> bytes:
        return await self._source.snapshot(notes)

    def picture(self) -> str | None:
        """The frame as a data: URL; None where it is absurdly large or fits no movie."""
        sample = self._sample
        if sample is None or len(sample.data) > LARGEST_PICTURE:
            return None
        if sample.params.codec is Codec.JPEG:
            return f"data:image/jpeg;base64,{b64encode(sample.data).decode()}"
        with suppress(MediaError):
            return f"data:video/mp4;base64,{b64encode(_movie(sample)).decode()}"
        return None


def _movie(sample: Sample) -> bytes:
    """A movie of that frame alone. Raises MediaError."""
    assert isinstance(sample.params, VideoParams)
    muxer = Muxer(sample.params, None, Identity("test", 0, 0, sample.wall))
    timed = TimedSample(sample.params, sample.data, 0, True)
    return b"".join([muxer.header(), *muxer.fragment([timed]), *muxer.flush()])
