"""Events by the API, over real connections: pages, and the stream that is resumed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from camkeep.engine.events import LISTENER_EVENTS, Kind
from camkeep.model import CameraId
from camkeep.server.access import Role
from camkeep.server.api import events as module
from support.server import Site, serving

A, B = CameraId("aaaaaaaaaaaa"), CameraId("bbbbbbbbbbbb")
STREAM = "/api/v1/events/stream"


@dataclass(slots=True)
class Told:
    """One server-sent event, as the HTML standard has it parsed."""

    name: str
    data: Any
    id: str


class Reader:
    """A client that parses what comes."""

    def __init__(self, response: httpx.Response) -> None:
        self.lines = response.aiter_lines()
        self.last_id = ""
        self.comments = 0

    async def next(self) -> Told | None:
        """The next event; None at the end."""
        name, data = "message", []
        async with asyncio.timeout(20):
            async for line in self.lines:
                field, _, value = line.partition(": ")
                if line.startswith(":"):
                    self.comments += 1
                elif field == "id":
                    self.last_id = value
                elif field == "event":
                    name = value
                elif field == "data":
                    data.append(value)
                elif not line and data:
                    return Told(name, json.loads("\n".join(data)), self.last_id)
        return None


@asynccontextmanager
async def reading(
    client: httpx.AsyncClient, last_id: str = "", **asked: Any
) -> AsyncIterator[Reader]:
    headers = {"last-event-id": last_id} if last_id else {}
    async with client.stream("GET", STREAM, params=asked, headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        yield Reader(response)


def tell(site: Site, *cameras: CameraId | None, kind: Kind = Kind.STATE) -> None:
    for camera in cameras:
        site.desk.service.bus.tell(kind, f"of {camera}", camera, state="live")


async def test_what_happens_comes_at_once(tmp_path: Path) -> None:
    async with serving(tmp_path / "a") as site, reading(site.client) as reader:
        hello = await reader.next()
        assert hello is not None
        assert hello.name == "hello"
        tell(site, A, None)
        first, second = await reader.next(), await reader.next()
        assert first is not None
        assert second is not None
        assert first.name == "state"
        assert first.data == {
            "id": first.data["id"],
            "time_us": first.data["time_us"],
            "kind": "state",
            "camera": A,
            "told": f"of {A}",
            "detail": {"state": "live"},
        }
        assert first.id == f"{first.data['id']}-{site.desk.journal.epoch}"
        assert second.data["camera"] is None


async def test_who_comes_back_gets_what_happened_meanwhile_each_once(tmp_path: Path) -> None:
    """Readers that hang up at any moment, while events come in bursts and are being written."""
    async with serving(tmp_path / "a") as site:
        before = site.desk.service.bus.last_id

        async def bursts() -> None:
            for number in range(60):
                tell(site, *[A] * (number % 9))
                await asyncio.sleep(0.01)
                if number % 20 == 0:
                    await site.desk.journal.flush()
            site.desk.service.bus.tell(Kind.STATE, "the last", A)

        async def read_some() -> list[int]:
            seen: list[int] = []
            last, stop = str(before), False
            while not stop:
                async with reading(site.client, last) as reader:
                    for _ in range(7):
                        told = await reader.next()
                        assert told is not None
                        last = told.id
                        if told.name == "state":
                            seen.append(told.data["id"])
                        if stop := told.data.get("told") == "the last":
                            break
            return seen

        telling = asyncio.create_task(bursts())
        async with asyncio.timeout(60):
            every = await asyncio.gather(*(read_some() for _ in range(3)))
            await telling
        for seen in every:
            assert seen == list(range(before + 1, site.desk.service.bus.last_id + 1))


async def test_over_a_restart_nothing_is_lost_also_after_a_crash(tmp_path: Path) -> None:
    async with serving(tmp_path / "a") as site:
        tell(site, A, A)
        await site.desk.journal.flush()
        first = site.desk.service.bus.last_id - 2
        told_of = site.desk.journal.place(first + 7)  # five more, that a crash has lost
        old = site.desk.journal.place(first + 1)
    async with serving(tmp_path / "a") as site:
        tell(site, A)
        for place in (told_of, old):
            async with reading(site.client, place) as reader:
                assert (await reader.next()).name == "hello"  # type: ignore[union-attr]
                ids = []
                while not ids or ids[-1] < site.desk.service.bus.last_id:
                    told = await reader.next()
                    assert told is not None
                    ids.append(told.data["id"])
            start = first + 3 if place == told_of else first + 2
            assert ids == list(range(start, site.desk.service.bus.last_id + 1))


async def test_a_place_that_does_not_read_is_told(tmp_path: Path) -> None:
    async with serving(tmp_path / "a") as site, reading(site.client, "nonsense") as reader:
        assert (await reader.next()).name == "hello"  # type: ignore[union-attr]
        assert (await reader.next()).name == "missed"  # type: ignore[union-attr]


async def test_only_what_was_granted_is_told(tmp_path: Path) -> None:
    async with serving(tmp_path / "a") as site:
        await site.user("root")
        await site.user("anna", Role.OPERATOR, [A])
        async with await site.login("anna") as anna, await site.login("root") as root:
            async with reading(anna) as hers, reading(root) as roots:
                await hers.next()
                await roots.next()
                tell(site, B, None, A, B, A)
                assert [(await hers.next()).data["camera"] for _ in range(2)] == [A, A]  # type: ignore[union-attr]
                seen = [(await roots.next()).data["camera"] for _ in range(5)]  # type: ignore[union-attr]
                assert seen == [B, None, A, B, A]
            async with reading(anna, since=0) as hers:  # what is kept, too
                hello = await hers.next()
                assert [(await hers.next()).data["camera"] for _ in range(2)] == [A, A]  # type: ignore[union-attr]
                assert hello is not None
            page = (await anna.get("/api/v1/events")).json()
            assert [each["camera"] for each in page["events"]] == [A, A]
            for camera in (B, "nonsense", "../x"):
                for path in ("/api/v1/events", STREAM):
                    assert (await anna.get(path, params={"camera": camera})).status_code == 404
            refused = await site.client.get(STREAM)
            assert refused.status_code == 401


async def test_it_ends_when_the_rights_change(tmp_path: Path) -> None:
    async with serving(tmp_path / "a") as site:
        await site.user("root")
        anna_id = await site.user("anna", Role.VIEWER, [A])
        async with await site.login("anna") as anna, reading(anna) as reader:
            await reader.next()
            user = site.accounts.users.by_id(anna_id)
            assert user is not None
            await site.accounts.users.change(replace(user, cameras=frozenset({B})))
            tell(site, A)
            while (told := await reader.next()) is not None:
                assert told.data["camera"] != B
        assert len(site.desk.closers) == 0


async def test_it_ends_when_the_service_does(tmp_path: Path) -> None:
    async with serving(tmp_path / "a") as site, reading(site.client) as reader:
        await reader.next()
        ending = asyncio.create_task(site.server.stop())
        assert await reader.next() is None
        await ending


async def test_who_leaves_leaves_nothing_behind(tmp_path: Path) -> None:
    async with serving(tmp_path / "a") as site:
        listeners = site.desk.service.bus._listeners
        before = len(listeners)
        for _ in range(20):
            async with reading(site.client) as reader:
                await reader.next()
                assert len(listeners) > before
        async with asyncio.timeout(10):
            while len(listeners) > before:
                await asyncio.sleep(0.01)


async def test_silence_is_broken_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEEP_ALIVE_S", 0.05)
    async with serving(tmp_path / "a") as site, reading(site.client) as reader:
        await reader.next()
        waiting = asyncio.create_task(reader.next())
        async with asyncio.timeout(10):
            while reader.comments < 3:
                await asyncio.sleep(0.01)
        tell(site, A)
        assert (await waiting).data["camera"] == A  # type: ignore[union-attr]


async def test_a_slow_reader_catches_up_from_the_journal(tmp_path: Path) -> None:
    """It does not read while more happens than the listener and the socket hold."""
    async with serving(tmp_path / "a") as site, reading(site.client) as reader:
        hello = await reader.next()
        assert hello is not None
        first = site.desk.service.bus.last_id + 1
        for _ in range(30):
            for _ in range(LISTENER_EVENTS // 10):
                site.desk.service.bus.tell(Kind.STATE, "x" * 1500, A)
            await asyncio.sleep(0.03)  # as fast as the journal takes it
        newest = site.desk.service.bus.last_id
        assert site.desk.journal.dropped == 0
        ids = []
        while not ids or ids[-1] < newest:
            told = await reader.next()
            assert told is not None
            assert told.name == "state"
            ids.append(told.data["id"])
        assert ids == list(range(first, newest + 1))


async def test_what_nobody_could_take_is_told_as_missed(tmp_path: Path) -> None:
    async with serving(tmp_path / "a") as site, reading(site.client) as reader:
        await reader.next()
        tell(site, *[A] * (3 * LISTENER_EVENTS))  # at one moment: more than any listener holds
        newest = site.desk.service.bus.last_id
        names, last = set(), 0
        while "missed" not in names:
            told = await reader.next()
            assert told is not None
            names.add(told.name)
            last = told.data.get("id", last)
        assert last == newest
        assert told.data == {"count": 2 * LISTENER_EVENTS}
        tell(site, B)
        assert (await reader.next()).data["camera"] == B  # type: ignore[union-attr]


async def test_pages(tmp_path: Path) -> None:
    async with serving(tmp_path / "a") as site:
        get = site.client.get
        tell(site, A, B, None, A, kind=Kind.RECORDING)
        tell(site, A)
        first = site.desk.service.bus.last_id - 4
        page = (await get("/api/v1/events", params={"limit": 2})).json()
        assert [each["id"] for each in page["events"]] == [first + 4, first + 3]
        assert page["next"] == first + 3
        page = (await get("/api/v1/events", params={"limit": 9, "before": page["next"]})).json()
        assert [each["id"] for each in page["events"]][:3] == [first + 2, first + 1, first]
        page = (await get("/api/v1/events", params={"since": first, "limit": 9})).json()
        assert [each["id"] for each in page["events"]] == list(range(first + 1, first + 5))
        assert page["next"] is None
        asked = {"kind": ["recording", "storage"], "since": first - 1}
        page = (await get("/api/v1/events", params=asked)).json()
        assert [each["id"] for each in page["events"]] == list(range(first, first + 4))
        moment = page["events"][-1]["time_us"] + 3_600_000_000
        page = (await get("/api/v1/events", params={"from": moment})).json()
        assert page["events"] == []
        page = (await get("/api/v1/events", params={"to": moment, "kind": "recording"})).json()
        assert len(page["events"]) == 4


@pytest.mark.parametrize(
    "asked",
    [
        {"since": -1},
        {"since": 2**63},
        {"since": "x"},
        {"since": 1, "before": 2},
        {"limit": 0},
        {"limit": 5000},
        {"kind": "x"},
        {"camera": "x" * 100},
        {"from": "yesterday"},
    ],
)
async def test_what_cannot_be_asked(tmp_path: Path, asked: dict[str, Any]) -> None:
    async with serving(tmp_path / "a") as site:
        answer = await site.client.get("/api/v1/events", params=asked)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
