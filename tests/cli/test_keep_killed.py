"""`kill -9` of a recorder, in short: row F1 of what must be survived."""

from __future__ import annotations

from pathlib import Path

from support.killing import BACK_WITHIN_S, MOST_LOST_S, kill_again_and_again


async def test_a_kill_costs_less_than_a_second(tmp_path: Path) -> None:
    killed = await kill_again_and_again(tmp_path / "cams", kills=6, seed=20261125, lives_s=3)
    print(f"lost at most {max(killed.lost_s):.2f} s, back after {max(killed.back_s):.2f} s")
    assert killed.complaints == []
    assert len(killed.lost_s) >= 6
    assert max(killed.lost_s) <= MOST_LOST_S
    assert max(killed.back_s) <= BACK_WITHIN_S
