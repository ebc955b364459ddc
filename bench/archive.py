"""What an archive of many segments costs: to open, to look at, to check, to index anew.

    python bench/archive.py [--segments 100000 1000000] [--files 100000]

32 cameras, one segment a minute each. Up to `--files` segments have a file each, some 2 KB small:
opening, checking and reindexing look at names and last bytes only, so it is as if they were of any
size, all in the system's cache. Larger archives have rows alone.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import archive_made as made

from camkeep.archive.catalog import Catalog
from camkeep.archive.check import check
from camkeep.archive.coverage import spans
from camkeep.archive.holds import Holds
from camkeep.archive.index import Index
from camkeep.archive.indexthread import IndexThread
from camkeep.archive.layout import INDEX
from camkeep.archive.recovery import recover_camera
from camkeep.archive.reindex import rebuild
from camkeep.archive.retention import CameraUsage, Limits, Policy, Usage, plan_deletions
from camkeep.archive.root import make_root, open_root
from camkeep.archive.store import Archive
from camkeep.clock import SystemClock, WallUs
from camkeep.model import CameraId, Segment

DAY_US = 24 * 60 * made.MINUTE_US


def timed(job: Callable[[], Any], repeats: int) -> tuple[float, float, float]:
    """Median and longest, and the median of the CPU's time, seconds."""
    took, worked = [], []
    for _ in range(repeats):
        began, busy = time.perf_counter(), time.process_time()
        job()
        took.append(time.perf_counter() - began)
        worked.append(time.process_time() - busy)
    return statistics.median(took), max(took), statistics.median(worked)


class Bench:
    """Measures one archive."""

    def __init__(self, folder: Path, segments: int, files: bool) -> None:
        self._folder = folder
        self._segments = segments
        self._files = files

    def run(self) -> None:
        make_root(self._folder)
        began = time.perf_counter()
        with Index.open(self._folder / INDEX) as index:
            made.fill(self._folder, index, self._segments, files=self._files)
        size = (self._folder / INDEX).stat().st_size
        what = "rows and files" if self._files else "rows"
        print(
            f"\n{self._segments} segments ({what}) made in {time.perf_counter() - began:.0f} s, "
            f"index {size / 1e6:.0f} MB\n\n| what | median | longest | of it CPU |"
            "\n|---|---|---|---|"
        )
        self._tell("index opened, first question answered", self._open_index, 5)
        with Catalog.open(self._folder / INDEX) as catalog:
            camera = made.cameras()[7].id
            self._tell("a day's timeline of a camera", lambda: day(catalog, camera), 15)
            self._tell("totals of all cameras", catalog.totals, 15)
            self._tell("retention, no limit exceeded", lambda: plan(catalog, 0), 15)
            self._tell("retention, 1,000 segments too many", lambda: plan(catalog, 1000), 5)
        self._tell("archive opened", self._open, 3)
        self._tell("archive opened, one camera recovered", lambda: self._open(1), 3)
        self._tell("archive opened, all cameras recovered", lambda: self._open(32), 3)
        if self._files:
            with Catalog.open(self._folder / INDEX) as catalog:
                self._tell("index and files compared", lambda: check(self._folder, catalog), 3)
            self._tell(
                "index made anew from the files",
                lambda: rebuild(self._folder, self._folder / INDEX),
                1,
            )

    def _tell(self, what: str, job: Callable[[], Any], repeats: int) -> None:
        print(f"| {what} |", " | ".join(f"{s * 1e3:.1f} ms" for s in timed(job, repeats)), "|")

    def _open_index(self) -> None:
        thread = IndexThread(self._folder, self._folder / INDEX)
        thread.submit(lambda index: index.unfinished()).result()
        thread.close()

    def _open(self, cameras: int = 0) -> None:
        archive = Archive.open(open_root(self._folder), SystemClock())
        try:
            for camera in made.cameras()[:cameras]:
                recover_camera(archive.root, camera, archive.ask)
        finally:
            archive.close()


def day(catalog: Catalog, camera: CameraId) -> int:
    """What a timeline shows of a day, in 2,000 steps."""
    start, end = WallUs(made.START + DAY_US // 2), WallUs(made.START + DAY_US * 3 // 2)
    segments = catalog.segments(camera, start, end)
    drawn = spans(((s.start, s.end) for s in segments), start, end, DAY_US // 2000)
    return len(drawn) + len(catalog.gaps(camera, start, end, end))


def plan(catalog: Catalog, too_many: int) -> list[Segment]:
    totals = catalog.totals()
    kept = sum(total.bytes for total in totals.values())
    each = kept // sum(total.segments for total in totals.values())
    return plan_deletions(
        {camera: catalog.oldest(camera) for camera in totals},
        Policy(Limits(max_bytes=kept - too_many * each)),
        Usage({camera: CameraUsage(total.bytes) for camera, total in totals.items()}, 1 << 40),
        Holds.of_clips([]),
        max(total.end for total in totals.values() if total.end is not None),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--segments", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--files", type=int, default=100_000)
    arguments = parser.parse_args()
    for segments in arguments.segments:
        with tempfile.TemporaryDirectory(prefix="camkeep-bench-") as folder:
            Bench(Path(folder) / "archive", segments, segments <= arguments.files).run()


if __name__ == "__main__":
    main()
