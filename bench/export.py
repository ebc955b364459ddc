"""A clip of an hour exported, beside ffmpeg on the same segments, turn and turn about.

    python bench/export.py [--minutes 60] [--repeats 3] [--folder DIR]

1080p30 at 4 Mbit/s in segments of a minute; the clip is all of them, as `ffmpeg -f concat -c copy`
can have no other. Each turn is timed to the last byte that was handed to the system, and to the
last that is on the disk: camkeep flushes what it exports, for ffmpeg `sync` does.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import segments as footage

from camkeep.archive.export import export_clip
from camkeep.archive.virtual import open_clip
from camkeep.clock import WallUs
from camkeep.model import Segment


class Turn(NamedTuple):
    """One export."""

    handed_s: float
    flushed_s: float
    cpu_s: float


def ours(root: Path, made: Sequence[Segment]) -> Turn:
    """camkeep."""
    out = root / "ours.mp4"
    handed: list[float] = []
    began, cpu = time.perf_counter(), _cpu_s()

    def note(done: int, total: int) -> None:
        if done == total:  # what follows is the flush
            handed.append(time.perf_counter() - began)

    with open_clip(root, made, made[0].start, WallUs(made[-1].end)) as clip:
        export_clip(clip, out, overwrite=True, progress=note)
    flushed = time.perf_counter() - began
    return Turn(handed[0], flushed, _cpu_s() - cpu)


def theirs(root: Path, made: Sequence[Segment]) -> Turn:
    """ffmpeg."""
    out, names = root / "theirs.mp4", root / "list.txt"
    names.write_text("".join(f"file '{root / segment.path}'\n" for segment in made))
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "concat", "-safe", "0"]
    began, cpu = time.perf_counter(), _cpu_s()
    subprocess.run([*command, "-i", str(names), "-c", "copy", str(out)], check=True)
    handed = time.perf_counter() - began
    fd = os.open(out, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)
    return Turn(handed, time.perf_counter() - began, _cpu_s() - cpu)


def _cpu_s() -> float:
    """Of this process and those it waited for."""
    return sum(os.times()[:4])


def first_byte_ms(root: Path, made: Sequence[Segment]) -> float:
    """From the request to the first byte of a clip that begins and ends within a segment."""
    took = []
    for _ in range(9):
        began = time.perf_counter()
        start = WallUs(made[0].start + 20_000_000)
        with open_clip(root, made, start, WallUs(made[-1].end - 20_000_000)) as clip:
            clip[0].read(0, 1)
            took.append(time.perf_counter() - began)
    return statistics.median(took) * 1e3


def compare(root: Path, made: Sequence[Segment], repeats: int) -> None:
    """Print the table."""
    turns: dict[Callable[..., Turn], list[Turn]] = {ours: [], theirs: []}
    for export in turns:  # not counted: memory that is used first is dear in a virtual machine
        export(root, made)
        (root / f"{export.__name__}.mp4").unlink()
    for number in range(repeats):
        for export in (ours, theirs) if number % 2 == 0 else (theirs, ours):
            os.sync()
            turns[export].append(export(root, made))
            print(f"  {export.__doc__} {turns[export][-1]}", flush=True)
            size = (root / f"{export.__name__}.mp4").stat().st_size
            (root / f"{export.__name__}.mp4").unlink()
    print(f"\n{len(made)} min, {size / 1e9:.2f} GB, medians of {repeats}\n")
    print("| | ffmpeg | camkeep | ratio |\n|---|---|---|---|")
    for name, column in (("handed to the system", 0), ("on the disk", 1), ("CPU", 2)):
        other, own = (statistics.median(turn[column] for turn in turns[e]) for e in (theirs, ours))
        print(f"| {name} | {other:.2f} s | {own:.2f} s | {own / other:.2f} |")
    print(f"\nfirst byte after {first_byte_ms(root, made):.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to work: a disk with room for 4 GB")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="camkeep-bench-", dir=arguments.folder) as folder:
        root = Path(folder)
        made = footage.record(root, footage.real_minute(), arguments.minutes)
        compare(root, made, arguments.repeats)


if __name__ == "__main__":
    main()
