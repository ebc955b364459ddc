"""What can happen to an index."""

from __future__ import annotations

import random
from pathlib import Path

from camkeep.archive.layout import INDEX


def delete(index: Path) -> None:
    for path in index.parent.glob(f"{INDEX}*"):
        path.unlink()


def flip(index: Path) -> None:
    """Bits anywhere in what is in use."""
    chance = random.Random(7)
    for path in (index, index.with_name(f"{INDEX}-wal")):
        if not path.exists() or not path.stat().st_size:
            continue
        with path.open("r+b") as file:
            for _ in range(200):
                at = chance.randrange(min(path.stat().st_size, 100_000))
                file.seek(at)
                byte = file.read(1)[0]
                file.seek(at)
                file.write(bytes([byte ^ 1 << chance.randrange(8)]))


def cut(index: Path) -> None:
    with index.open("r+b") as file:
        file.truncate(index.stat().st_size // 3)


def nonsense(index: Path) -> None:
    delete(index)
    index.write_bytes(b"to be or not to be" * 1000)
