"""Media time to wall time. Pure; docs/time.md gives the reasons.

A camera's clock says exactly how far apart two frames were taken, but not when; the arrival
says when, but late by an unknown and changing delay. The least-delayed arrivals come closest to
the truth, so the timeline follows them: `offset` is (arrival - media time), and the smallest
offset seen lately is where the mapping wants to be. It gets there by at most 500 ppm, so that
distances between frames stay true, except in the first two seconds of a run, where it may go
to an earlier arrival as fast as order allows, because cameras begin with a burst or a late frame.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from camkeep.clock import MonoNs, WallUs

SLEW_PPM = 500
"""Most that the mapping may stretch or shrink time."""
DRIFT_NS = 1_000_000_000
"""Beyond this distance between mapping and arrivals, samples do not belong to one run."""
SETTLE_NS = 2_000_000_000
"""How long after its beginning a run may still find its anchor."""
WINDOW_NS = 5_000_000_000
"""How long an arrival is remembered as the least delayed."""

Oddity = Literal["jump", "doubled"]


class Placed(NamedTuple):
    """A sample's place in time."""

    ticks: int
    """Unwrapped media time; never the same twice in a row."""
    wall: WallUs
    run: int
    oddity: Oddity | None
    """"jump": the stream's or the wall clock jumped, a new run began. "doubled": the sample
    carried the time of the one before it and was set one tick later."""


class Timeline:
    """Places the samples of one track of one session. Call `place` in order of arrival.

    `wrap_bits` is the width of the time stamps: 32 for RTP, 0 for stamps that do not wrap.
    """

    def __init__(self, timescale: int, wrap_bits: int = 32) -> None: ...

    def place(self, raw_ticks: int, arrival: MonoNs, wall: WallUs) -> Placed:
        """Place the sample whose stream time stamp is `raw_ticks`.

        `arrival` and `wall` are this machine's two clocks, read when the sample's first byte
        was here.
        """
        raise NotImplementedError

    def new_run(self) -> None:
        """The next sample does not follow the last one (something was lost)."""
