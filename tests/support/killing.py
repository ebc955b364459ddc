"""`kill -9` of a recorder, again and again, and what each cost. Row F1 of what must be survived."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

from camkeep.cameras.simulate import Simulator, SimulatorOptions
from camkeep.cameras.testcard import read_number
from camkeep.clock import SystemClock
from support.aftermath import Aftermath
from support.keepprocess import Keep, Sent, keeping, numbers_on_disk, sent_by, start_keeping

NAMES = ("garage", "garden", "gate", "hall")
OPTIONS = ("--segment", "5s")
MOST_LOST_S = 1.0
BACK_WITHIN_S = 5.0


@dataclass
class Killed:
    """What many kills came to."""

    kills: int = 0
    lost_s: list[float] = field(default_factory=list)
    """Of each camera that was recording when it was killed: the newest video that is missing."""
    back_s: list[float] = field(default_factory=list)
    """From each start to the first picture that was kept."""
    unborn: int = 0
    """How often a camera was not yet recording when it was killed."""
    complaints: list[str] = field(default_factory=list)


async def kill_again_and_again(folder: Path, kills: int, seed: int, lives_s: float) -> Killed:
    """Kill a recorder of four cameras `kills` times, some time up to `lives_s` after each start;
    then let it start and stop, and look at everything."""
    moments = random.Random(seed)
    killed = Killed()
    ever: dict[str, set[int]] = {name: set() for name in NAMES}
    options = SimulatorOptions(width=320, height=240, fps=10)
    async with Simulator("easyn", options) as camera:
        cameras = dict.fromkeys(NAMES, camera.url)
        for _ in range(kills):
            starting = moments.random() < 0.3
            life_s = moments.uniform(0.1, 1.0 if starting else lives_s)
            since_s = time.time() - 1
            keep = await start_keeping(folder, cameras, *OPTIONS)
            await asyncio.sleep(life_s)
            assert keep.alive, keep.lines
            end_s = await keep.kill()
            sent = sent_by(camera)
            for name in NAMES:
                there = numbers_on_disk(folder, name, since_s)
                _count(killed, keep, end_s, sent, there)
                ever[name] |= there
            killed.kills += 1
        async with keeping(folder, cameras, *OPTIONS) as last:
            for name in NAMES:
                await last.says(f"{name}: recording", BACK_WITHIN_S)
    after = Aftermath(folder)
    killed.complaints += after.complaints() + after.unexplained(SystemClock().wall())
    for name, numbers in ever.items():
        known = after.camera(name)
        assert known is not None, name
        kept = after.numbers(known, read_number)
        if lost := numbers - set(kept):
            killed.complaints.append(f"{name}: was on the disk, and is not there: {sorted(lost)}")
        if kept != sorted(set(kept)):
            killed.complaints.append(f"{name}: not in order")
    return killed


def _count(killed: Killed, keep: Keep, end_s: float, sent: Sent, there: set[int]) -> None:
    """What one kill cost one camera."""
    life = sent.between(keep.began_s, end_s)
    kept = [number for number in life if number in there]
    if not kept:
        killed.unborn += 1
        if end_s - keep.began_s > BACK_WITHIN_S:
            killed.complaints.append(f"nothing was kept in {end_s - keep.began_s:.1f} s")
        return
    killed.back_s.append(sent.at[kept[0]] - keep.began_s)
    killed.lost_s.append(sent.at[life[-1]] - sent.at[kept[-1]])
    if kept != [number for number in life if kept[0] <= number <= kept[-1]]:
        killed.complaints.append(f"a hole in what was kept: {kept}")
