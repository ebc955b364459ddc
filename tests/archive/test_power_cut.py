"""The power goes while an archive is recorded: row F2 of what must be survived, in short.

`tests/torture/test_power_cut_long.py` does the same for longer.
"""

from __future__ import annotations

from pathlib import Path

from support.afterpower import cut_power


def test_a_power_cut_costs_no_more_than_was_not_flushed(tmp_path: Path) -> None:
    outcome = cut_power(tmp_path, seed=1, cuts=40)
    assert outcome.cuts == 40
    assert outcome.complaints == []
    assert 1 < max(outcome.lost_s) <= 5.01
