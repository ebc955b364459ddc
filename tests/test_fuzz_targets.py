"""The fuzzing targets on good bytes and on a few hundred mutations of them, without atheris.

What runs for hours is `make fuzz`; this keeps the targets in order and the invariants true.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz.reading import Reader, chunked, chunks, long, records
from fuzz.targets import load, names

MUTATIONS = 300
BYTES = (0, 1, 0x0A, 0x24, 0x2D, 0x7F, 0x80, 0xC4, 0xD8, 0xD9, 0xDA, 0xFF)
"""Those that mean something to some parser."""


@pytest.mark.parametrize("name", names())
def test_seeds(name: str) -> None:
    target = load(name)
    seeds = list(target.seeds())
    assert seeds
    for seed in [b"", b"\0", b"\xff", *seeds]:
        target.one_input(seed)


@pytest.mark.parametrize("name", names())
def test_mutations(name: str) -> None:
    target = load(name)
    seeds = list(target.seeds())
    rng = random.Random(name)
    for _ in range(MUTATIONS):
        data = mutated(rng.choice(seeds), rng.choice(seeds), rng)
        try:
            target.one_input(data)
        except Exception as error:
            error.add_note(f"input: {data.hex()}")
            raise


def mutated(seed: bytes, other: bytes, rng: random.Random) -> bytes:
    """`seed` with a few things done to it."""
    data = bytearray(seed)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(data) + 1)
        length = rng.randint(1, 40)
        match rng.randrange(6):
            case 0:
                data[at : at + 1] = bytes([rng.choice(BYTES)])
            case 1:
                data[at : at + 1] = rng.randbytes(1)
            case 2:
                del data[at : at + length]
            case 3:
                data[at:at] = data[at : at + length]
            case 4:
                data[at:at] = other[rng.randrange(len(other)) :][:length]
            case 5:
                data[at : at + 4] = rng.choice((0, 1, 0x7FFF_FFFF, 0xFFFF_FFFF)).to_bytes(4)
    return bytes(data)


def test_chunks() -> None:
    assert chunks(chunked(b"abcdef", 2, 9)) == [b"ab", b"", b"cdef"]
    assert chunks(chunked(b"abcdef")) == [b"abcdef"]
    (piece,) = chunks(long(b"front", b"unit", b"tail"))
    assert piece.startswith(b"frontunitunit")
    assert piece.endswith(b"unittail")
    assert len(piece) > 60_000


def test_records() -> None:
    assert list(Reader(records([b"a", b"", b"bcd"])).records()) == [b"a", b"", b"bcd"]
    assert Reader(b"").u16() == 0
