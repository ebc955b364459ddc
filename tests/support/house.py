"""A house that has been recorded for a while: nine cameras, of which one refuses us, one is away
and one is off; footage with gaps, clips, links, people, events. For those who look at the page.

    async with house(folder, minutes=3) as lived:
        lived.url, lived.ids["Street"], lived.sessions["anna"]
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import av

from camkeep.archive.beside import camera_json, gap_line
from camkeep.archive.index import Index
from camkeep.archive.layout import CAMERA_FILE, GAPS_FILE, INDEX, RECORDINGS, day_name
from camkeep.archive.root import make_root
from camkeep.clock import SystemClock, WallUs
from camkeep.engine.events import Event, Kind
from camkeep.media.mp4 import TimedSample
from camkeep.model import CameraId, Cause, Codec, Gap, KeptCamera, VideoParams
from camkeep.server.access import Role
from camkeep.server.accounts.accounts import Accounts
from camkeep.server.accounts.passwords import Passwords
from camkeep.server.camerabook import CameraBook
from camkeep.server.database import Database
from camkeep.server.eventrows import row_of
from camkeep.server.urlpolicy import UrlPolicy
from support.accounts import PASSWORD, QUICK, opened
from support.clips import clip
from support.gst import gst_server, play
from support.movies import Stream
from support.segments import SECOND, Camera
from support.serveprocess import Served, serving

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Room(NamedTuple):
    """A camera of the house."""

    name: str
    id: CameraId
    film: str
    """What it shows, of `support.clips`; empty where nothing comes."""
    mode: str = "always"
    kept: bool = False
    """Whether there is footage of it."""


ROOMS = (
    Room("Front door", CameraId("frntdrfrntdr"), "door", kept=True),
    Room("Street", CameraId("streetstreet"), "street", kept=True),
    Room("Garden", CameraId("gardengarden"), "garden", kept=True),
    Room("Garage", CameraId("garagegarage"), "night", kept=True),
    Room("Hall", CameraId("hallhallhall"), "hall", "asked"),
    Room("Greenhouse", CameraId("greenhouseab"), "plants", "schedule"),
    Room("Workshop", CameraId("wrkshpwrkshp"), "refused"),
    Room("Stable", CameraId("stablestable"), "away"),
    Room("Attic", CameraId("atticatticat"), "street", "off"),
)
ID_OF = {room.name: room.id for room in ROOMS}

PEOPLE: tuple[tuple[str, Role, tuple[str, ...] | None], ...] = (
    ("anna", Role.ADMIN, None),
    ("ben", Role.OPERATOR, ("Front door", "Street", "Garden", "Garage")),
    ("ina", Role.VIEWER, ("Street",)),
    ("tom", Role.VIEWER, ("Street", "Front door")),
    ("nora", Role.VIEWER, ()),
)

HOLES: Mapping[str, tuple[tuple[int, int, Cause, str], ...]] = {
    "Front door": (
        (5 * HOUR, 12 * MINUTE, Cause.UNREACHABLE, "nobody answered"),
        (50 * SECOND, 20 * SECOND, Cause.STALLED, "it sent nothing for 8 s"),
    ),
    "Street": ((5 * HOUR, 12 * MINUTE, Cause.NOT_RUNNING, ""),),
    "Garden": (
        (9 * HOUR, 3 * HOUR, Cause.SWITCHED_OFF, ""),
        (100 * SECOND, 40 * SECOND, Cause.UNREACHABLE, "nobody answered"),
    ),
    "Garage": ((2 * HOUR, 4 * MINUTE, Cause.DISK_FULL, "the disk was full"),),
}
"""When before now, how long, and why a camera was not recorded."""


@dataclass(frozen=True)
class House:
    """It is lived in."""

    url: str
    served: Served
    now: WallUs
    """When its footage ends and the service begins."""
    sessions: Mapping[str, str]
    """The secret of a session of each of its people, by their names."""
    shared: str
    """The secret of a link to a clip."""
    ids: Mapping[str, CameraId]
    clips: tuple[str, ...]
    """Their ids, as they were made."""


@asynccontextmanager
async def house(
    folder: Path, *, minutes: int = 3, hours: int = 12, days: int = 0
) -> AsyncIterator[House]:
    """The newest `minutes` of footage are films; before that there is a picture a minute, and
    beyond the last `hours` one each half hour."""
    films = {room.film for room in ROOMS} - {"refused", "away"}
    mounts = {f"/{name}": _launch(name) for name in films}
    login = ("digest", "admin", "secret")
    with (
        gst_server(mounts) as open_one,
        gst_server({"/it": _launch("street")}, login=login) as shut,
    ):
        addresses = {room.name: open_one.url(f"/{room.film}") for room in ROOMS}
        addresses["Workshop"] = shut.url("/it").replace("//", "//admin:wrong@")
        addresses["Stable"] = "rtsp://127.0.0.1:9/stable"
        now = SystemClock().wall()
        make_root(folder, new=True)
        _fill(folder, addresses, now, minutes * MINUTE, hours * HOUR, days * DAY)
        sessions = await _settle(folder, addresses, now)
        async with serving(folder) as served:
            served.client.cookies.set("camkeep", sessions["anna"])
            await served.until_recording("Street", "Front door")
            for name, states in {"Workshop": "refused", "Stable": "waiting"}.items():
                await served.until(name, states)
            clips = [await _clip(served, now, *each) for each in CLIPS]
            body = {"clip": clips[0], "name": "the neighbours", "expires": now + 7 * DAY}
            shared = (await served.post("/api/v1/shares", body))["secret"]
            await served.post(f"/api/v1/cameras/{ID_OF['Garden']}/recording", {"record": True})
            yield House(served.url, served, now, sessions, shared, ID_OF, tuple(clips))


CLIPS = (
    ("A parcel for next door", ("Front door",), 150 * SECOND, 45 * SECOND, True),
    ("The gate stood open", ("Street", "Garage"), 170 * SECOND, 90 * SECOND, True),
    ("", ("Garden",), 30 * SECOND, 12 * SECOND, False),
    ("Somebody at the bicycles", ("Garage",), 4 * HOUR, 6 * MINUTE, True),
    ("Where it was interrupted", ("Front door", "Street"), 5 * HOUR + MINUTE, 30 * MINUTE, True),
    ("A night without anything", ("Street",), 8 * HOUR, 3 * HOUR, False),
)
"""Name, cameras, when before now, how long, whether it is held."""


async def _clip(
    served: Served,
    now: int,
    name: str,
    rooms: tuple[str, ...],
    before: int,
    length: int,
    held: bool,
) -> str:
    start = now - before
    body = {"cameras": [ID_OF[each] for each in rooms], "from": start, "to": start + length}
    made = await served.post("/api/v1/clips", {**body, "name": name, "held": held})
    return str(made["id"])


def _launch(name: str) -> str:
    return play(name, "h264", "aac") if name == "door" else play(name, "h264")


# what was recorded


@cache
def film(name: str) -> Stream:
    """The pictures of a clip."""
    with av.open(str(clip(name))) as container:
        source = container.streams.video[0]
        coder = source.codec_context
        config = bytes(coder.extradata or b"")
        params = VideoParams(
            Codec.H264,
            coder.width,
            coder.height,
            90_000,
            f"avc1.{config[1:4].hex().upper()}",
            config,
        )
        return Stream(
            params,
            [
                TimedSample(
                    params,
                    bytes(packet),
                    round((packet.pts or 0) * source.time_base * SECOND),
                    packet.is_keyframe,
                )
                for packet in container.demux(source)
                if packet.size
            ],
        )


def _fill(
    folder: Path, addresses: Mapping[str, str], now: WallUs, newest: int, day: int, older: int
) -> None:
    with Index.open(folder / INDEX) as index:
        for room in ROOMS:
            home = room.name.lower().replace(" ", "-")
            begin = WallUs(now - (day + older if room.kept else 0))
            camera = KeptCamera(room.id, room.name, home, addresses[room.name], begin)
            base = folder / RECORDINGS / home
            base.mkdir(parents=True)
            (base / CAMERA_FILE).write_bytes(camera_json(camera))
            index.save_camera(camera)
            if room.kept:
                recorded = Camera(folder, begin, folder=home, id=room.id)
                gaps = _record(recorded, room, now, newest, day)
                index.save_segments(recorded.segments)
                index.save_gaps(room.id, gaps)
                for gap in gaps:
                    there = base / day_name(gap.start)
                    there.mkdir(exist_ok=True)
                    with (there / GAPS_FILE).open("ab") as file:
                        file.write(gap_line(gap))


def _record(camera: Camera, room: Room, now: int, newest: int, day: int) -> list[Gap]:
    """All footage of a room; the gaps in it."""
    gaps = []
    holes = [hole for hole in HOLES[room.name] if hole[0] < day]
    for before, length, cause, detail in sorted(holes, reverse=True):
        _go_on(camera, room.film, now - before, now, newest, day)
        end = WallUs(now - before + length)
        gaps.append(Gap(camera.now, end, cause, detail))
        camera.wait(end - camera.now)
    _go_on(camera, room.film, now, now, newest, day)
    return gaps


def _go_on(camera: Camera, name: str, until: int, now: int, newest: int, day: int) -> None:
    """Record up to `until`, the less the longer ago."""
    for border, apart, longest in (
        (now - day, 30 * MINUTE, 6 * HOUR),
        (now - newest, MINUTE, HOUR),
        (now, 0, 60 * SECOND),
    ):
        while camera.now < min(until, border):
            length = min(longest, min(until, border) - camera.now)
            camera.record(_cut(name, apart, length), length_us=length, fragment=100)


def _cut(name: str, apart: int, length: int) -> Stream:
    """As much of a film as fits; with `apart` only a picture as often as that."""
    whole = film(name)
    if not apart:
        return Stream(whole.params, [each for each in whole.samples if each.time_us < length])
    keys = [each for each in whole.samples if each.key]
    count = -(-length // apart)
    return Stream(
        whole.params,
        [keys[n % len(keys)]._replace(time_us=n * apart) for n in range(count)],
    )


# people, and what happened


async def _settle(folder: Path, addresses: Mapping[str, str], now: WallUs) -> dict[str, str]:
    """Settings, accounts, events; the secret of a session of each account."""
    database = opened(folder)
    accounts = await Accounts.open(database, SystemClock(), Passwords(QUICK))
    try:
        book = CameraBook(database, SystemClock(), UrlPolicy(loopback=True)).now
        for room in ROOMS:
            values: dict[str, object] = {"name": room.name, "address": addresses[room.name]}
            if room.mode == "schedule":
                values["schedule"] = ["mon-fri 08:00-18:00"]
            book.add({**values, "mode": room.mode}, room.id)
        sessions = {}
        for name, role, rooms in PEOPLE:
            granted = None if rooms is None else frozenset(ID_OF[each] for each in rooms)
            user = await accounts.users.create(name, PASSWORD, role, granted)
            opened_now = await accounts.sessions.open(user.id, "192.168.1.20", AGENT)
            assert opened_now is not None
            sessions[name] = opened_now[0]
            if role is Role.ADMIN:
                await accounts.tokens.make(user.id, "Home Assistant", Role.VIEWER)
        _happen(database, now)
        return sessions
    finally:
        accounts.close()
        database.close()


AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

HAPPENED: tuple[tuple[int, Kind, str, str, dict[str, str | bool]], ...] = (
    (7 * HOUR, Kind.STATE, "is there", "Street", {"state": "live"}),
    (5 * HOUR, Kind.STATE, "nobody answered; trying again", "Front door", {"state": "waiting"}),
    (5 * HOUR - 12 * MINUTE, Kind.STATE, "is there again", "Front door", {"state": "live"}),
    (4 * HOUR, Kind.RECORDING, "a clip was recorded", "Garage", {}),
    (2 * HOUR, Kind.STORAGE, "the disk is full", "", {"well": False}),
    (2 * HOUR - 4 * MINUTE, Kind.STORAGE, "the disk is well again", "", {"well": True}),
    (HOUR, Kind.SETTINGS, "was changed", "Garden", {}),
    (100 * SECOND, Kind.STATE, "nobody answered; trying again", "Garden", {"state": "waiting"}),
    (60 * SECOND, Kind.STATE, "is there again", "Garden", {"state": "live"}),
)


def _happen(database: Database, now: WallUs) -> None:
    events = [
        Event(number, WallUs(now - before), kind, told, ID_OF.get(name), detail)
        for number, (before, kind, told, name, detail) in enumerate(HAPPENED, 1)
    ]
    database.run_now(
        lambda connection: connection.executemany(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", [row_of(each) for each in events]
        )
    )
