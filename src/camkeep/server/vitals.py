"""Whether the parts that must answer do answer: the disk of the archive, its index, the settings.

Each is asked again and again, one question at a time, by jobs that do nothing. One that does not
answer is told of after a while (`unwell`); after far longer nothing but a new start can help
(`ailing`), and the watchdog is not fed any more. A disk that stalls for half a minute, or an index
that is made anew from a million files, is no reason to end a recorder that works.

That the event loop answers shows in that this is asked at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from camkeep.archive.files import Room
from camkeep.archive.index import Index
from camkeep.archive.store import Archive
from camkeep.clock import Clock
from camkeep.errors import CamkeepError
from camkeep.server.database import Database

ASK_S = 2.0
"""How long after each answer the next question comes."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something that must answer."""

    name: str
    """As a person calls it: "the disk of the archive"."""
    ask: Callable[[], Awaitable[object]]
    """Returns when it has answered; what it raises is an answer, too."""
    slow_s: float
    """Without an answer for so long it is told of."""
    dead_s: float
    """And after so long nobody waits any more."""


class Vitals:
    """Asks them. `run` it; all else may be called on the event loop at any time."""

    def __init__(self, parts: Sequence[Part], clock: Clock) -> None:
        self.room: Room | None = None
        """Of the archive's disk, when it answered last."""
        self._clock = clock
        self._states = [_State(part, clock.mono()) for part in parts]

    async def run(self) -> NoReturn:
        """Ask until cancelled."""
        asking = [asyncio.create_task(self._ask(state)) for state in self._states]
        try:
            while True:
                await asyncio.gather(*asking)
        finally:
            for task in asking:
                task.cancel()

    def unwell(self) -> list[str]:
        """What does not answer, or answers that it cannot work; for people."""
        told = []
        for state in self._states:
            if (silent_s := self._silent_s(state)) >= state.part.slow_s:
                told.append(f"{state.part.name} has not answered for {silent_s:.0f} s")
            elif state.trouble is not None:
                told.append(state.trouble)
        return told

    def ailing(self) -> list[str]:
        """What has not answered for so long that the process is to be started anew."""
        return [
            f"{state.part.name} has not answered for {silent_s:.0f} s"
            for state in self._states
            if (silent_s := self._silent_s(state)) >= state.part.dead_s
        ]

    def _silent_s(self, state: _State) -> float:
        return (self._clock.mono() - state.answered_ns) / 1e9 if state.asked else 0.0

    async def _ask(self, state: _State) -> NoReturn:
        while True:
            state.answered_ns = self._clock.mono()
            state.asked = True
            try:
                await state.part.ask()
                state.trouble = None
            except (CamkeepError, OSError) as error:
                state.trouble = str(error)
            state.asked = False
            await asyncio.sleep(ASK_S)


class _State:
    """What is known of a part."""

    def __init__(self, part: Part, now_ns: int) -> None:
        self.part = part
        self.asked = False
        self.answered_ns = now_ns
        self.trouble: str | None = None


def vitals_of(archive: Archive, database: Database, clock: Clock) -> Vitals:
    """Those of the service."""

    async def disk() -> None:
        vitals.room = await asyncio.wrap_future(archive.on_disk(archive.root.room))

    async def index() -> None:
        await asyncio.wrap_future(archive.on_index(_look))

    async def settings() -> None:
        await database.run(lambda _: None, reads=True)

    parts = [
        Part("the disk of the archive", disk, 30, 300),
        Part("the archive's index", index, 120, 3600),
        Part("the settings", settings, 30, 600),
    ]
    vitals = Vitals(parts, clock)
    return vitals


def _look(_: Index) -> None:
    """The job of one who only wants an answer."""
