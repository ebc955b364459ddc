"""How long a clip takes to open: its header is built, and its first byte could be sent.

    python bench/clip_header.py [--repeats 15]

Segments of a minute with 1,800 frames and 2,812 pieces of AAC each, every frame with a duration of
its own. A clip begins and ends within a segment. No file is cold: the system has them all cached.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import segments as footage

from camkeep.archive.virtual import open_clip
from camkeep.clock import WallUs
from camkeep.model import Segment


def measure(root: Path, segments: list[Segment], repeats: int) -> str:
    """A row of the table."""
    start = WallUs(segments[0].start + 20_000_000)
    end = WallUs(segments[-1].end - 15_000_000)
    took: list[float] = []
    size = 0
    for _ in range(repeats):
        began = time.perf_counter()
        with open_clip(root, segments, start, end) as clip:
            clip[0].read(0, 1)
            took.append(time.perf_counter() - began)
            size = clip[0].header_size
    tracemalloc.start()
    with open_clip(root, segments, start, end):
        kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (
        f"| {len(segments)} | {statistics.median(took) * 1e3:.0f} ms | {max(took) * 1e3:.0f} ms "
        f"| {size / 1e6:.1f} MB | {kept / 1e6:.1f} MB | {peak / 1e6:.0f} MB |"
    )


def again(segment: Segment, hours: int) -> Segment:
    """The segment as one of a later hour: where it lies in time does not stand in its tables."""
    start = WallUs(segment.start + hours * 3_600_000_000)
    return replace(segment, sequence=segment.sequence + 60 * hours, start=start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15)
    arguments = parser.parse_args()
    minute = footage.tiny_minute()
    with tempfile.TemporaryDirectory(prefix="camkeep-bench-") as folder:
        root = Path(folder)
        hour = footage.record(root, minute, 60)
        made = [again(segment, turn) for turn in range(24) for segment in hour]
        print("| segments | median | longest | header | memory kept | memory at most |")
        print("|---|---|---|---|---|---|")
        for count, repeats in ((1, 1), (10, 1), (60, 1), (24 * 60, 5)):
            print(measure(root, made[:count], max(3, arguments.repeats // repeats)), flush=True)


if __name__ == "__main__":
    main()
