"""The test card as a camera: ``testcard:?size=640x480&fps=30``. No network, no device."""

from __future__ import annotations

import asyncio
import re
from typing import NoReturn

from camkeep.cameras.address import Address
from camkeep.cameras.source import Notes, Sink, SourceOptions
from camkeep.cameras.testcard.card import check_size, picture
from camkeep.errors import UsageError
from camkeep.media.jpeg import jpeg_params
from camkeep.media.timeline import Timeline
from camkeep.model import Sample

MOST_FPS = 240.0
BEHIND_NS = 2_000_000_000
"""After a longer pause of the whole process the schedule begins afresh, without a burst."""


class TestcardSource:
    """Pictures 0, 1, 2 ... of the test card, each at its time. Raises UsageError."""

    def __init__(self, address: Address, options: SourceOptions) -> None:
        known = {"size", "fps"}
        unknown = sorted(address.options.keys() - known)
        if unknown:
            raise UsageError("the test card has only size= and fps=, as in testcard:?fps=30")
        self._address = address
        self._clock = options.clock
        self._width, self._height = _size(address.options.get("size", "640x480"))
        self._fps = _rate(address.options.get("fps", "30"))

    @property
    def address(self) -> Address:
        """Where it is."""
        return self._address

    async def run(self, sink: Sink, notes: Notes) -> NoReturn:
        """Hand pictures to `sink` until cancelled."""
        params = jpeg_params(self._width, self._height)
        notes.product, notes.transport, notes.login = "camkeep test card", "test card", "none"
        notes.promised_fps, notes.video = self._fps, params
        timeline = Timeline(params.timescale, wrap_bits=0)
        picture(0, self._width, self._height)  # the first one takes longer: before its time counts
        start, first, number = self._clock.mono(), 0, 0
        while True:
            behind = self._clock.mono() - start - round((number - first) * 1e9 / self._fps)
            if behind > BEHIND_NS:
                start, first = self._clock.mono(), number
            await asyncio.sleep(max(0, -behind) / 1e9)
            arrival, wall = self._clock.mono(), self._clock.wall()
            data = picture(number, self._width, self._height)
            placed = timeline.place(arrival // 1000, arrival, wall)
            sink(Sample(params, data, placed.ticks, arrival, placed.wall, True, placed.run))
            number += 1

    async def snapshot(self, notes: Notes) -> bytes:
        """Picture 0."""
        return picture(0, self._width, self._height)


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text, re.ASCII)
    if found is None:
        raise UsageError("the test card's size is written as size=640x480")
    width, height = int(found[1]), int(found[2])
    check_size(width, height)
    return width, height


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0.05 <= rate <= MOST_FPS:
        raise UsageError(f"the test card's rate lies between 0.05 and {MOST_FPS:g}: write fps=30")
    return rate
