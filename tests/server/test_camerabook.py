"""Cameras in the settings database: kept, sealed, and changed by several processes at once."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from camkeep.clock import SystemClock
from camkeep.errors import UsageError
from camkeep.model import CameraId
from camkeep.server.camerabook import CameraBook
from camkeep.server.camerarows import UnknownCamera
from camkeep.server.database import Database, renew_key
from camkeep.server.urlpolicy import UrlPolicy

SECRET = "s3cret-sw0rdfish"
URL = f"rtsp://admin:{SECRET}@192.168.1.9/main?token={SECRET}"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database.open(tmp_path / "camkeep.db", tmp_path / "camkeep.key")
    yield database
    database.close()


@pytest.fixture
def book(database: Database) -> CameraBook:
    return CameraBook(database, SystemClock())


def values(name: str = "garage", **more: object) -> dict[str, object]:
    return {"name": name, "address": URL, **more}


async def test_a_camera_is_kept(book: CameraBook, tmp_path: Path) -> None:
    added = await book.add(values(mode="asked"))
    assert await book.list() == [added]
    before, after = await book.change(added.id, {"name": "yard", "address": "rtsp://192.168.1.9/b"})
    assert (before, after.name) == (added, "yard")
    assert SECRET in after.url
    assert await book.get(added.id) == after
    again = Database.open(tmp_path / "camkeep.db", tmp_path / "camkeep.key")
    assert CameraBook(again, SystemClock()).now.list() == [after]
    again.close()
    assert await book.remove(added.id) == after
    assert await book.list() == []
    for attempt in (book.get(added.id), book.change(added.id, {}), book.remove(added.id)):
        with pytest.raises(UnknownCamera):
            await attempt


async def test_no_secret_and_no_address_is_in_the_file(book: CameraBook, tmp_path: Path) -> None:
    camera = await book.add(values(sub_address="rtsp://192.168.1.9/sub"))
    data = (tmp_path / "camkeep.db").read_bytes()
    for word in (SECRET, "192.168.1.9"):
        assert word.encode() not in data
    await book.remove(camera.id)
    assert b"garage" not in (tmp_path / "camkeep.db").read_bytes()


async def test_sealed_values_cannot_be_swapped(book: CameraBook, tmp_path: Path) -> None:
    one, other = await book.add(values()), await book.add(values("yard"))
    raw = sqlite3.connect(tmp_path / "camkeep.db")
    with raw:
        raw.execute(
            "UPDATE cameras SET secret = (SELECT secret FROM cameras WHERE id = ?) WHERE id = ?",
            (one.id, other.id),
        )
    raw.close()
    with pytest.raises(UsageError, match="cannot be read"):
        await book.get(other.id)


async def test_names_are_unique_in_any_case(book: CameraBook) -> None:
    first = await book.add(values("Tür"))
    with pytest.raises(UsageError, match="another camera is called TÜR"):
        await book.add(values("TÜR"))
    second = await book.add(values("b"))
    with pytest.raises(UsageError, match="another camera"):
        await book.change(second.id, {"name": "tür"})
    await book.change(first.id, {"name": "tür"})
    with pytest.raises(UsageError, match="there already"):
        await book.add(values("c"), first.id)
    assert (await book.add(values("d"), CameraId("xyz"))).id == "xyz"


async def test_order(book: CameraBook) -> None:
    a, b, c = [(await book.add(values(name))).id for name in "abc"]
    await book.reorder([c, a])
    assert [camera.id for camera in await book.list()] == [c, a, b]
    for wrong in ([a, a], ["nobody"]):
        with pytest.raises(UsageError, match="order"):
            await book.reorder(wrong)
    await book.remove(c)
    d = (await book.add(values("d"))).id
    assert [camera.id for camera in await book.list()] == [a, b, d]


async def test_addresses_are_judged(database: Database, book: CameraBook) -> None:
    with pytest.raises(UsageError, match="allow_loopback_cameras"):
        await book.add(values(address="http://127.0.0.1/"))
    camera = await book.add(values())
    for wrong in ({"address": "http://[::1]/"}, {"sub_address": "http://localhost/"}):
        with pytest.raises(UsageError, match="this machine"):
            await book.change(camera.id, wrong)
    with pytest.raises(UsageError, match="no path"):
        await book.change(camera.id, {"address": "easyn://192.168.1.9/path"})
    free = CameraBook(database, SystemClock(), UrlPolicy(loopback=True))
    await free.change(camera.id, {"address": "http://127.0.0.1/"})


async def test_an_address_that_was_lost_with_its_key(tmp_path: Path) -> None:
    path, key = tmp_path / "camkeep.db", tmp_path / "camkeep.key"
    database = Database.open(path, key)
    camera = await CameraBook(database, SystemClock()).add(values())
    database.close()
    key.unlink()
    renew_key(path, key)
    database = Database.open(path, key)
    book = CameraBook(database, SystemClock())
    assert (await book.get(camera.id)).public()["address"] == ""
    await book.change(camera.id, {"name": "yard"})
    with pytest.raises(UsageError, match="lost with the key"):
        await book.change(camera.id, {"timeout_s": 5})
    await book.change(camera.id, {"address": "rtsp://192.168.1.9/main"})
    assert (await book.get(camera.id)).url == "rtsp://192.168.1.9/main"
    database.close()


async def test_two_processes_change_different_things_of_one_camera(
    database: Database, book: CameraBook, tmp_path: Path
) -> None:
    camera = await book.add(values())
    other = Database.open(tmp_path / "camkeep.db", tmp_path / "camkeep.key")
    theirs = CameraBook(other, SystemClock())
    seen = database.version

    def rename() -> None:
        for n in range(20):
            theirs.now.change(camera.id, {"name": f"yard {n}"})

    with ThreadPoolExecutor(1) as pool:
        renaming = asyncio.get_running_loop().run_in_executor(pool, rename)
        for n in range(20):
            await book.change(camera.id, {"pre_roll_s": n})
        await renaming
    after = await book.get(camera.id)
    assert (after.name, after.pre_roll_s, after.url) == ("yard 19", 19, camera.url)
    assert await database.changed(seen)
    other.close()


async def test_one_that_does_not_read_costs_the_others_nothing(
    book: CameraBook, database: Database
) -> None:
    first = await book.add({"name": "garage", "address": "testcard:"})
    await book.add({"name": "yard", "address": "testcard:"})
    await database.run(
        lambda db: db.execute("UPDATE cameras SET settings = ? WHERE id = ?", ('"x"', first.id))
    )
    listed = await book.list()
    assert [(each.name, bool(each.url)) for each in listed] == [("garage", False), ("yard", True)]
