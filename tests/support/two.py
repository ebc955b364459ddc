"""A service with two cameras, one of which not everybody may see, and everything that can belong
to a camera: footage, clips, links, tokens, sessions, events, log records.

What belongs to the hidden one carries words that are nowhere else, so that a leak is found in
whatever comes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from fastapi import APIRouter
from starlette.routing import Mount

from camkeep.archive.index import Index
from camkeep.archive.layout import new_clip_id
from camkeep.cameras.address import Address
from camkeep.clock import WallUs
from camkeep.engine.events import Kind
from camkeep.engine.keeper import KeepOptions
from camkeep.engine.wanted import Wanted
from camkeep.model import CameraId, Clip, Segment
from camkeep.server.access import Role
from camkeep.server.logs import LogForm, Logging
from support.keeping import at, clock_at
from support.kept import clip
from support.server import Site, serving
from support.staged import Staged, stream

SHOWN, HIDDEN = CameraId("showncameraa"), CameraId("hiddencamera")
SECONDS = 4
"""Of footage that each has."""
WORDS = {
    "id": str(HIDDEN),
    "name": "Zyxwgarden",
    "host": "quincehost.example",
    "path": "bramblepath",
    "clip": "Qplumclip",
    "link": "Rvaselink",
    "event": "ujarevent",
    "log": "vyamlog",
}
"""Those that are planted."""


@dataclass(slots=True)
class Two:
    """That service, with the objects of the hidden camera by what they are called in paths."""

    site: Site
    hidden: dict[str, str]
    """Ids of what may not be seen: camera_id, clip_id ..."""
    shown: dict[str, str]
    """Ids of the same kinds that a viewer of the other camera may see."""
    both: str
    """The id of a clip that shows both."""
    words: dict[str, str] = field(default_factory=dict)
    """What nobody may find who does not see the hidden camera."""
    tokens: dict[str, str] = field(default_factory=dict)
    """Secrets of those who may see one camera, by what they are."""
    boss: str = ""
    """The secret of a token that may all."""

    def found_in(self, text: str) -> list[str]:
        """Which of the words are in there."""
        return [kind for kind, word in self.words.items() if word.lower() in text.lower()]


@asynccontextmanager
async def two_cameras(
    folder: Path, more: Sequence[tuple[str, APIRouter | Mount]] = ()
) -> AsyncIterator[Two]:
    """Serve it."""
    sources = [Staged(stream(25 * SECONDS)), Staged(stream(25 * SECONDS))]
    sources[1].address = Address("rtsp", WORDS["host"], 554, f"/{WORDS['path']}")
    files = KeepOptions(segment_s=1)
    wanted = [
        Wanted("Shed", sources[0], files, id=SHOWN),
        Wanted(WORDS["name"], sources[1], files, id=HIDDEN),
    ]
    with Logging(LogForm.TEXT, "warning") as logs:
        clock = clock_at()
        async with serving(folder, wanted=wanted, clock=clock, more=more) as site:
            site.desk.monitor.log = logs.ring
            for source in sources:
                await source.played.wait()
            await _until_kept(site)
            clock.advance(60)
            yield await _furnished(site)


async def _until_kept(site: Site) -> None:
    """Wait until all but what the last segments hold is in files, and the index knows."""
    for camera in (SHOWN, HIDDEN):
        segments: list[Segment] = []
        while len(segments) < SECONDS:
            await asyncio.sleep(0.02)
            segments = await asyncio.wrap_future(
                site.desk.archive.on_index(partial(_segments, camera))
            )


def _segments(camera: CameraId, index: Index) -> list[Segment]:
    return list(index.every_segment(camera))


async def _furnished(site: Site) -> Two:
    boss = await site.user("boss")
    vera = await site.user("vera", Role.VIEWER, [SHOWN])
    olaf = await site.user("olaf", Role.OPERATOR, [SHOWN])
    book = site.desk.cameras
    await book.add({"name": "Shed", "address": "rtsp://192.0.2.4/a"}, SHOWN)
    address = f"rtsp://192.0.2.5/{WORDS['path']}"
    await book.add({"name": WORDS["name"], "address": address}, HIDDEN)
    own = await _clip(site, "a cat", SHOWN)
    foreign = await _clip(site, WORDS["clip"], HIDDEN)
    both = await _clip(site, "two", HIDDEN, SHOWN)
    until = WallUs(site.desk.clock.wall() + 3_600_000_000)
    accounts = site.accounts
    _, link = await accounts.shares.make(foreign.id, WORDS["link"], until, boss)
    _, own_link = await accounts.shares.make(own.id, "Eva", until, olaf)
    bosses, token = await accounts.tokens.make(boss, "all", Role.ADMIN)
    limited, own_token = await accounts.tokens.make(boss, "one", Role.OPERATOR, frozenset({SHOWN}))
    session = await accounts.sessions.open(boss, "127.0.0.1", "a browser")
    own_session = await accounts.sessions.open(olaf, "127.0.0.1", "a browser")
    assert session is not None
    assert own_session is not None
    tell(site)
    kinds = ("camera_id", "clip_id", "share_id", "token_id", "session_id", "user_id")
    hidden = (HIDDEN, foreign.id, link.id, token.id, session[1].id, boss)
    shown = (SHOWN, own.id, own_link.id, own_token.id, own_session[1].id, vera)
    two = Two(
        site,
        dict(zip(kinds, hidden, strict=True)),
        dict(zip(kinds, shown, strict=True)),
        both.id,
        {**WORDS, "clip id": foreign.id, "link id": link.id},
        boss=bosses,
    )
    for name in ("vera", "olaf"):
        two.tokens[name] = await site.token(name)
    two.tokens["a token of boss, for one camera"] = limited
    return two


def tell(site: Site) -> None:
    """Something happens to the hidden camera, to all, and then to the one that is seen."""
    bus, name, host = site.desk.service.bus, WORDS["name"], WORDS["host"]
    bus.tell(Kind.STATE, f"{WORDS['event']} at {host}", HIDDEN, state="live")
    bus.tell(Kind.STORAGE, f"{name} fills the disk: {WORDS['event']}")
    bus.tell(Kind.STATE, "all is well here", SHOWN, state="live")
    logging.getLogger("camkeep.test").warning("%s: %s", name, WORDS["log"])


async def _clip(site: Site, name: str, *cameras: CameraId) -> Clip:
    made = clip(name, cameras, at(0), at(SECONDS - 1), new_clip_id())
    await site.desk.archive.save_clip(made)
    return made
