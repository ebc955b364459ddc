"""Several recordings that share the writer thread of their disk."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from camkeep.archive.writer import Volume
from camkeep.clock import SystemClock
from camkeep.engine.plan import Plan
from camkeep.engine.record import Recording
from camkeep.errors import NotWritable
from support.recording import frames
from support.staged import Staged, stream


async def test_recordings_share_a_thread_and_nothing_else(tmp_path: Path) -> None:
    volume = Volume()
    plans = [Plan(tmp_path / f"{number}.mp4", frames=40 + number) for number in range(5)]
    before = threading.active_count()
    recordings = [Recording(Staged(stream(50)), plan, SystemClock(), volume) for plan in plans]
    summaries = await asyncio.gather(*(recording.run() for recording in recordings))
    writers = [t for t in threading.enumerate() if t.name.startswith("camkeep-writer")]
    assert len(writers) == 1
    assert threading.active_count() >= before
    assert [summary.error for summary in summaries] == [None] * 5
    assert [len(frames(plan.path)) for plan in plans] == [40, 41, 42, 43, 44]
    volume.close()


async def test_the_trouble_of_one_is_not_that_of_the_others(tmp_path: Path) -> None:
    volume = Volume()
    good, bad = Plan(tmp_path / "a.mp4", frames=40), Plan(tmp_path / "gone" / "b.mp4", frames=40)
    bad.path.parent.mkdir()
    recordings = [Recording(Staged(stream(50)), p, SystemClock(), volume) for p in (good, bad)]
    running = [asyncio.create_task(recording.run()) for recording in recordings]
    await asyncio.sleep(0)  # both have looked whether they can write
    bad.path.parent.rmdir()
    fine, failed = await asyncio.gather(*running)
    assert fine.error is None
    assert len(frames(good.path)) == 40
    assert isinstance(failed.error, NotWritable)
    volume.close()
