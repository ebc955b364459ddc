"""The power goes while an archive is recorded: row F2 of what must be survived, in short.

`tests/torture/test_long_power_cuts.py` does the same for longer.
"""

from __future__ import annotations

import random
from pathlib import Path

from camkeep.archive.root import make_root, open_root
from support.afterpower import cut_power
from support.crashfs import CrashFS, Image, Luck, put


def test_a_power_cut_costs_no_more_than_was_not_flushed(tmp_path: Path) -> None:
    outcome = cut_power(tmp_path, seed=1, cuts=40)
    assert outcome.cuts == 40
    assert outcome.complaints == []
    assert 1 < max(outcome.lost_s) <= 5.01


def test_an_archive_whose_making_was_cut_short_is_made_the_next_time(tmp_path: Path) -> None:
    chance = random.Random(1)
    images: list[Image] = []

    def before(_: str) -> None:
        images.extend(files.image(luck, chance) for luck in Luck)

    disk = tmp_path / "disk"
    disk.mkdir()
    files = CrashFS(disk, before)
    make_root(disk / "cams", files=files)
    assert len(images) > 40
    for number, image in enumerate(images):
        put(image, tmp_path / str(number))
        folder = tmp_path / str(number) / "cams"
        empty = folder.exists() and not any(folder.iterdir())
        root = make_root(folder, new=empty)  # an empty folder may be the place of a disk
        assert sorted(path.name for path in folder.iterdir() if path.suffix != ".part") == [
            "README.txt",
            "camkeep-archive.json",
            "clips",
            "recordings",
        ]
        assert open_root(folder).id == root.id
