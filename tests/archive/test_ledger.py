"""The ledger of gaps: what stands in its file, and what the index is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.archive.beside import read_gaps
from camkeep.archive.files import SystemFiles
from camkeep.archive.ledger import MOST_WAITING, SHORT_US, Ledger, pieces
from camkeep.clock import WallUs
from camkeep.model import CameraId, Cause, Gap, KeptCamera

NOON = WallUs(1_795_262_400_000_000)  # 2026-11-21 12:00 UTC
SECOND = 1_000_000
CAMERA = KeptCamera(CameraId("abc234def567"), "Garage", "Garage", "testcard:", NOON)


class Now:
    """Threads that run each job at once; the disk may refuse."""

    def __init__(self) -> None:
        self.gaps: dict[int, Gap] = {}
        self.refuses = False

    def on_disk(self, job: Callable[[], Any]) -> None:
        if not self.refuses:
            job()

    def on_index(self, job: Callable[[Any], Any]) -> None:
        job(self)

    def save_gap(self, camera: CameraId, gap: Gap) -> None:
        assert camera == CAMERA.id
        self.gaps[gap.start] = gap


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "recordings" / "Garage"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def ledger(now: Now, folder: Path) -> Ledger:
    return Ledger(CAMERA, folder.parents[1], SystemFiles(), now, None)


def at(seconds: float) -> WallUs:
    return WallUs(NOON + round(seconds * SECOND))


def written(folder: Path, day: str = "2026-11-21") -> list[Gap]:
    gaps, bad = read_gaps((folder / day / "gaps.jsonl").read_bytes())
    assert bad == 0
    return gaps


def test_a_gap_begins_and_ends(ledger: Ledger, now: Now, folder: Path) -> None:
    ledger.open(at(0), Cause.UNREACHABLE, "nobody answers")
    (gap,) = written(folder)
    assert gap.lasting
    assert now.gaps[at(0)].lasting
    ledger.open(at(5), Cause.UNREACHABLE, "still nobody")  # the same cause: the same gap
    ledger.close(at(9))
    assert ledger.lasting is None
    (gap,) = written(folder)
    assert gap == Gap(at(0), at(9), Cause.UNREACHABLE, "nobody answers")
    assert list(now.gaps.values()) == [gap]
    ledger.close(at(20))  # nothing lasts: nothing happens
    assert written(folder) == [gap]


def test_another_cause_is_another_gap(ledger: Ledger, folder: Path) -> None:
    ledger.open(at(0), Cause.STALLED)
    ledger.open(at(8), Cause.REFUSED, "the camera refused the password")
    ledger.close(at(60))
    assert [(g.start, g.end, g.cause) for g in written(folder)] == [
        (at(0), at(8), Cause.STALLED),
        (at(8), at(60), Cause.REFUSED),
    ]


def test_a_gap_stands_in_the_folder_of_the_day_on_which_it_began(
    ledger: Ledger, folder: Path
) -> None:
    ledger.open(at(12 * 3600 - 1), Cause.NOT_RUNNING)
    ledger.close(at(3 * 86_400))
    assert len(written(folder)) == 1
    assert [path.name for path in folder.iterdir()] == ["2026-11-21"]


def test_a_torn_line_stays_alone(ledger: Ledger, folder: Path) -> None:
    ledger.open(at(0), Cause.STALLED)
    path = folder / "2026-11-21" / "gaps.jsonl"
    path.write_bytes(path.read_bytes() + b'{"start": "2026-11-21T12:0')
    ledger.close(at(3))
    gaps, bad = read_gaps(path.read_bytes())
    assert (gaps, bad) == ([Gap(at(0), at(3), Cause.STALLED)], 1)


def test_lines_wait_for_a_disk_that_takes_none(ledger: Ledger, now: Now, folder: Path) -> None:
    now.refuses = True
    for n in range(MOST_WAITING):
        ledger.note(at(10 * n), at(10 * n + 5), Cause.DISK_FULL, "", 0)
    now.refuses = False
    ledger.note(at(-5), at(-4), Cause.STALLED, "", 0)
    assert len(written(folder)) == MOST_WAITING  # the oldest one was left out
    assert len(now.gaps) == MOST_WAITING


@given(
    start=st.integers(0, 1 << 50),
    length=st.integers(-(1 << 44), 1 << 44),
    step=st.integers(-(1 << 44), 1 << 44),
)
def test_what_never_was_is_told_apart(start: int, length: int, step: int) -> None:
    """By the monotonic clock the gap lasted `length - step`."""
    found = pieces(WallUs(start), WallUs(start + length), Cause.STALLED, "x", step)
    assert found
    assert found[0].start == start
    assert all(gap.end >= gap.start for gap in found)
    if abs(step) < SECOND:
        step = 0
    stalled = sum(gap.end - gap.start for gap in found if gap.cause is Cause.STALLED)
    jumped = sum(gap.end - gap.start for gap in found if gap.cause is Cause.CLOCK)
    real = max(0, length - step)
    if step and real < SHORT_US:  # as long as a frame
        real = 0
    assert stalled == real
    if length >= step > 0:
        assert jumped == length - real
        assert found[-1].end == start + length
