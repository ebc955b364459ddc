"""An index that is damaged anywhere comes back whole, and never tells what is not so."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from camkeep.archive import index
from camkeep.archive.beside import FOREVER
from camkeep.archive.catalog import Catalog
from camkeep.archive.index import Index
from camkeep.archive.indexthread import IndexThread
from camkeep.clock import WallUs
from camkeep.errors import StorageError
from support.tiny import HOUR, MINUTE, NOON, Recording, small_archive

ROUNDS = 100


@pytest.fixture(scope="module", autouse=True)
def _without_room() -> Iterator[None]:
    """Empty pages are no use here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "ROOM_BYTES", 4096)
        yield


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Recording]]:
    """An archive whose trees have more than one level."""
    root = tmp_path_factory.mktemp("archive")
    return root, small_archive(root, cameras=2, segments=150)


def answers(catalog: Catalog, recordings: list[Recording]) -> list[object]:
    """To every question."""
    found: list[object] = [
        catalog.cameras(),
        catalog.clips(),
        catalog.totals(),
        catalog.unfinished(),
    ]
    for recording in recordings:
        camera = recording.camera.id
        found += [catalog.removals(camera), catalog.tail(camera), catalog.chain_end(camera)]
        found += [catalog.next_sequence(camera), catalog.lasting_gap(camera)]
        found.append(list(catalog.every_segment(camera)))
        for minute in range(-5, 160, 5):
            start = WallUs(NOON + minute * MINUTE)
            found.append(catalog.segments(camera, start, WallUs(start + MINUTE)))
        for hour in range(-2, 300, 7):
            start = WallUs(NOON + hour * HOUR)
            found.append(catalog.gaps(camera, start, WallUs(start + HOUR), FOREVER))
    return found


Spoil = Callable[[bytearray, random.Random], None]


def flip_a_bit(data: bytearray, rng: random.Random) -> None:
    """In a byte that says something: most pages are empty."""
    while not data[at := rng.randrange(len(data))]:
        pass
    data[at] ^= 1 << rng.randrange(8)


def flip_bytes(data: bytearray, rng: random.Random) -> None:
    for _ in range(20):
        while not data[at := rng.randrange(len(data))]:
            pass
        data[at] = rng.randrange(256)


def zero_a_page(data: bytearray, rng: random.Random) -> None:
    used = [at for at in range(0, len(data), 4096) if any(data[at : at + 4096])]
    at = rng.choice(used)
    data[at : at + 4096] = bytes(4096)


def swap_pages(data: bytearray, rng: random.Random) -> None:
    used = [at for at in range(0, len(data), 4096) if any(data[at : at + 4096])]
    one, other = rng.sample(used, 2)
    first = data[one : one + 4096]
    data[one : one + 4096] = data[other : other + 4096]
    data[other : other + 4096] = first


def cut(data: bytearray, rng: random.Random) -> None:
    del data[rng.choice([0, 1, 99, 100, 4096, rng.randrange(len(data))]) :]


SPOILERS = [flip_a_bit, flip_bytes, zero_a_page, swap_pages, cut]


@pytest.mark.parametrize("spoil", SPOILERS, ids=lambda spoil: spoil.__name__)
def test_damage_before_the_start_is_made_good(
    archive: tuple[Path, list[Recording]], spoil: Spoil
) -> None:
    root, recordings = archive
    path = root / "index.db"
    _fresh(root)
    with Catalog.open(path) as catalog:
        right = answers(catalog, recordings)
    whole = path.read_bytes()
    rng = random.Random(spoil.__name__)
    rebuilt = 0
    for turn in range(ROUNDS if spoil is flip_a_bit else ROUNDS // 4):
        data = bytearray(whole)
        spoil(data, rng)
        path.write_bytes(data)
        told: list[str] = []
        thread = IndexThread(root, path, told.append)
        assert thread.submit(lambda index: answers(index, recordings)).result() == right, turn
        assert not thread.stale
        thread.close()
        rebuilt += len(told)
        assert not list(root.glob("index.db-*"))
    assert rebuilt


def test_a_reader_is_never_told_what_is_not_so(archive: tuple[Path, list[Recording]]) -> None:
    """Who reads without a recorder may be refused, or miss something, but no row is false."""
    root, recordings = archive
    path = root / "index.db"
    _fresh(root)
    true = {segment for recording in recordings for segment in recording.segments}
    whole = path.read_bytes()
    rng = random.Random(5)
    refused = 0
    for _ in range(ROUNDS):
        data = bytearray(whole)
        flip_a_bit(data, rng)
        path.write_bytes(data)
        try:
            with Catalog.open(path) as catalog:
                for camera in catalog.cameras():
                    assert true.issuperset(catalog.every_segment(camera.id))
        except StorageError:
            refused += 1
    assert refused
    path.write_bytes(whole)


@pytest.mark.parametrize("lost", ["index.db", "index.db-wal", "index.db-shm"])
def test_a_part_that_is_lost_or_garbage_is_made_good(
    archive: tuple[Path, list[Recording]], lost: str
) -> None:
    """As a crash leaves the index: with a log that is not in the database yet."""
    root, recordings = archive
    path = root / "index.db"
    _fresh(root)
    with Index.open(path) as open_index:
        for recording in recordings:
            recording.tell(open_index)
        right = answers(open_index, recordings)
        left = {part: part.read_bytes() for part in root.glob("index.db*")}
    assert len(left) == 3
    for garbage in (None, b"", b"garbage" * 1000, None):
        for part, data in left.items():
            part.write_bytes(data)
        part = root / lost
        part.unlink() if garbage is None else part.write_bytes(garbage)
        thread = IndexThread(root, path)
        assert thread.submit(lambda index: answers(index, recordings)).result() == right
        thread.close()


@pytest.mark.parametrize("how", ["cut", "garbage", "deleted", "log"])
def test_damage_while_recording_costs_no_segment(tmp_path: Path, how: str) -> None:
    recordings = small_archive(tmp_path, segments=30)
    path = tmp_path / "index.db"
    thread = IndexThread(tmp_path, path)
    thread.submit(lambda index: index.cameras()).result()
    match how:
        case "cut":
            with path.open("r+b") as file:
                file.truncate(5000)
        case "garbage":
            with path.open("r+b") as file:
                file.write(b"garbage" * 100_000)
        case "deleted":
            path.unlink()
        case "log":
            path.with_name("index.db-wal").write_bytes(b"garbage" * 100_000)
    recording = recordings[0]
    for minute in range(100, 140):
        made = recording.record(WallUs(NOON + minute * MINUTE))
        thread.submit(lambda index, made=made: index.segment_closed(made)).result()
    thread.close()
    again = IndexThread(tmp_path, path)
    for each in recordings:
        camera = each.camera.id
        found = again.submit(lambda index, camera=camera: list(index.every_segment(camera)))
        missing = set(each.segments) - set(found.result())
        assert not missing or how == "log", missing
    again.rebuild().result()
    for each in recordings:
        camera = each.camera.id
        found = again.submit(lambda index, camera=camera: list(index.every_segment(camera)))
        assert found.result() == each.segments
    again.close()


def _fresh(root: Path) -> None:
    """The index as it should be."""
    for part in root.glob("index.db*"):
        shutil.rmtree(part) if part.is_dir() else part.unlink()
    thread = IndexThread(root, root / "index.db")
    thread.submit(lambda index: index.cameras()).result()
    thread.close()
