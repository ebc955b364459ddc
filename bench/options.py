"""The options that all comparisons share."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from compare import Times


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    cameras: list[int]
    rate: float
    times: Times
    scratch: Path | None


def parse(description: str | None, *, cameras: list[int], rate: float = 10.0) -> Options:
    """Read the command line; the arguments here are the defaults."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cameras", type=int, nargs="+", default=cameras, metavar="N")
    parser.add_argument("--rate", type=float, default=rate, help="JPEG frames a second")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each measurement")
    parser.add_argument("--warm-up", type=float, default=5.0, help="seconds before it")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--scratch", type=Path, help="where the movies go, and are deleted")
    chosen = parser.parse_args()
    times = Times(chosen.warm_up, chosen.seconds, chosen.repeats)
    return Options(chosen.cameras, chosen.rate, times, chosen.scratch)
