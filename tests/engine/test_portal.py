"""The synchronous face: errors come through, Ctrl-C loses nothing, and nothing stays behind."""

from __future__ import annotations

import asyncio
import gc
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import camkeep
from camkeep.engine.portal import Portal
from camkeep.errors import UsageError
from support.files import movie_of, pictures_of

CARD = "testcard:?size=160x128"


async def answer() -> int:
    return 42


async def fail() -> None:
    raise ValueError("no")


def test_results_and_errors_come_through() -> None:
    portal = Portal()
    assert portal.run(answer()) == 42
    with pytest.raises(ValueError, match="no"):
        portal.run(fail())
    portal.close()
    portal.close()


def test_what_still_runs_is_cancelled_at_the_end() -> None:
    before = threading.active_count()
    portal = Portal()
    cleaned = threading.Event()

    async def long() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.set()

    tasks = []

    async def leave_behind() -> None:
        tasks.append(asyncio.create_task(long()))
        await asyncio.sleep(0)

    portal.run(leave_behind())
    portal.close()
    assert cleaned.is_set()
    assert threading.active_count() == before


def test_a_closed_camera_says_so() -> None:
    with camkeep.open(CARD) as camera:
        pass
    with pytest.raises(UsageError, match="closed"):
        camera.snapshot()
    with pytest.raises(UsageError, match="closed"):
        next(camera.samples())


def test_a_loop_over_samples_that_outlives_the_camera() -> None:
    with camkeep.open(CARD) as camera:
        samples = camera.samples()
        assert next(samples).key
    del samples  # a warning here would fail the test
    gc.collect()


PROGRAM = f"""
import sys
import camkeep
with camkeep.open("{CARD}&fps=50") as camera:
    try:
        camera.record(
            sys.argv[1], on_progress=lambda now: now.frames and print(now.frames, flush=True)
        )
    except KeyboardInterrupt:
        print("interrupted")
"""


def test_ctrl_c_in_a_script_leaves_a_whole_movie(tmp_path: Path) -> None:
    path = tmp_path / "birds.mp4"
    script = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert script.stdout is not None
    seen = int(script.stdout.readline())
    script.send_signal(signal.SIGINT)
    out, _ = script.communicate(timeout=30)
    assert out.endswith("interrupted\n")
    assert script.returncode == 0
    assert movie_of(path).whole
    assert len(pictures_of(path)) >= seen > 0
