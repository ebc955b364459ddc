"""Two recorders side by side: the same cameras, turn and turn about, medians and ratios."""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from processes import Server, cpu_s, measure, running

BEGIN_S = 60.0
BEGUN_BYTES = 50_000

Commands = Callable[[Path, Sequence[str]], list[list[str]]]
"""The processes of one recorder that records some URLs to a folder."""


@dataclass(frozen=True, slots=True)
class Times:
    """How long a measurement takes, in seconds, and how often it is made."""

    warm_up_s: float
    measure_s: float
    repeats: int


@dataclass(frozen=True, slots=True)
class Run:
    """One recorder, measured once."""

    cpu_us: float
    """CPU time per frame, of all its processes."""
    pss_mb: float
    fps: float
    """Frames a second in the movies of the camera that fared worst."""
    server_load: float
    """Share of one core that the camera server took."""


@dataclass(frozen=True, slots=True)
class Row:
    """camkeep beside the other at a number of cameras: medians of the runs."""

    cameras: int
    ours: Run
    theirs: Run
    cpu_ratio: float
    pss_ratio: float


def compare(
    server: Server,
    urls: Sequence[str],
    theirs: Commands,
    ours: Commands,
    rate: float,
    times: Times,
    scratch: Path | None,
) -> Row:
    """Measure `ours` and `theirs` in turn on the cameras `urls`, which send `rate` frames a
    second each. Raises RuntimeError where frames are missing: the figures would be worthless."""
    runs: dict[Commands, list[Run]] = {theirs: [], ours: []}
    for turn in range(times.repeats):
        for recorder in (theirs, ours) if turn % 2 == 0 else (ours, theirs):
            with tempfile.TemporaryDirectory(prefix="camkeep-bench-", dir=scratch) as folder:
                run = _run_once(server, urls, recorder, rate, times, Path(folder))
            runs[recorder].append(run)
            print(
                f"  {recorder.__name__:8}{len(urls):3} cameras: "
                f"{run.cpu_us:7.1f} µs a frame, {run.pss_mb:6.1f} MB, {run.fps:.2f} fps; "
                f"server {run.server_load:.0%}",
                flush=True,
            )
    mine, other = _median(runs[ours]), _median(runs[theirs])
    return Row(len(urls), mine, other, mine.cpu_us / other.cpu_us, mine.pss_mb / other.pss_mb)


def _run_once(
    server: Server,
    urls: Sequence[str],
    recorder: Commands,
    rate: float,
    times: Times,
    folder: Path,
) -> Run:
    with running(recorder(folder, urls)) as pids:
        _until_begun(folder, len(urls))
        time.sleep(times.warm_up_s)
        frames, load = -server.frames(), -cpu_s(server.pid)
        cost = measure(pids, times.measure_s)
        frames, load = frames + server.frames(), load + cpu_s(server.pid)
    expected = rate * cost.wall_s * len(urls)
    if abs(frames - expected) > expected * 0.02 + len(urls):
        raise RuntimeError(f"the server sent {frames} frames where {expected:.0f} were due")
    fps = min(_fps(_movies(folder, number)) for number in range(len(urls)))
    if fps < rate * 0.98:
        raise RuntimeError(f"a movie has only {fps:.2f} frames a second of {rate:g}")
    return Run(cost.cpu_s * 1e6 / frames, cost.pss_mb, fps, load / cost.wall_s)


def _until_begun(folder: Path, cameras: int) -> None:
    """Wait until a movie of each camera grows: ffmpeg studies a stream before it writes."""
    deadline = time.monotonic() + BEGIN_S
    while not all(
        any(movie.stat().st_size > BEGUN_BYTES for movie in _movies(folder, number))
        for number in range(cameras)
    ):
        if time.monotonic() > deadline:
            raise RuntimeError(f"a recorder has not begun within {BEGIN_S:g} s")
        time.sleep(0.1)


def _movies(folder: Path, number: int) -> list[Path]:
    """Those of one camera: called by its number, or in a folder that is, in an archive."""
    own = f"{number:02d}"
    return [*folder.glob(f"{own}*.mp4"), *folder.glob(f"*/recordings/{own}/*/*.mp4")]


def _fps(movies: Iterable[Path]) -> float:
    """Frames a second over the movies of one camera, counted by ffprobe."""
    frames, seconds = 0, 0.0
    for movie in movies:
        command = ["ffprobe", "-v", "error", "-select_streams", "v", "-of", "json"]
        shown = subprocess.run(
            [*command, "-show_entries", "stream=nb_frames,duration", str(movie)],
            capture_output=True,
            check=True,
        )
        stream = json.loads(shown.stdout)["streams"][0]
        frames += int(stream["nb_frames"])
        seconds += float(stream["duration"])
    return frames / seconds


def _median(runs: Sequence[Run]) -> Run:
    return Run(
        statistics.median(run.cpu_us for run in runs),
        statistics.median(run.pss_mb for run in runs),
        min(run.fps for run in runs),
        statistics.median(run.server_load for run in runs),
    )


def table(other: str, rows: Sequence[Row]) -> str:
    """The rows in Markdown."""
    head = [
        f"| cameras | {other}: CPU a frame | camkeep | ratio | {other}: memory | camkeep | ratio |",
        "|---|---|---|---|---|---|---|",
    ]
    lines = (
        f"| {row.cameras} | {row.theirs.cpu_us:.0f} µs | **{row.ours.cpu_us:.0f} µs** "
        f"| **{row.cpu_ratio:.3f}** | {row.theirs.pss_mb:.0f} MB "
        f"| **{row.ours.pss_mb:.0f} MB** | **{row.pss_ratio:.3f}** |"
        for row in rows
    )
    return "\n".join([*head, *lines])
