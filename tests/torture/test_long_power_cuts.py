"""The power goes, 500 times at random moments: row F2 of what must be survived."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest

from support.afterpower import cut_power

SEEDS = 5
CUTS = 100


@pytest.mark.timeout(600)
@pytest.mark.parametrize("flush_s", [5.0, 1.0, 20.0])
def test_power_cuts(tmp_path: Path, flush_s: float) -> None:
    lost_s: list[float] = []
    for seed in range(SEEDS if flush_s == 5 else 1):
        outcome = cut_power(tmp_path, seed, CUTS, flush_s)
        lost_s += outcome.lost_s
        assert outcome.complaints == []
    print(
        f"\n{len(lost_s)} power cuts, flushed every {flush_s:g} s: lost at most "
        f"{max(lost_s):.2f} s, median {statistics.median(lost_s):.2f} s"
    )
