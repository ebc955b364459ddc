"""`kill -9` of a recorder of four cameras, 200 times: row F1 of what must be survived."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest

from support.killing import BACK_WITHIN_S, MOST_LOST_S, kill_again_and_again

KILLS = 200


@pytest.mark.timeout(1200)
async def test_kills(tmp_path: Path) -> None:
    killed = await kill_again_and_again(tmp_path / "cams", KILLS, seed=1, lives_s=4)
    print(
        f"\n{killed.kills} kills, {len(killed.lost_s)} times a camera that was recording: lost at "
        f"most {max(killed.lost_s):.2f} s, median {statistics.median(killed.lost_s):.2f} s; "
        f"back after {max(killed.back_s):.2f} s at most; {killed.unborn} times not yet recording"
    )
    assert killed.complaints == []
    assert max(killed.lost_s) <= MOST_LOST_S
    assert max(killed.back_s) <= BACK_WITHIN_S
