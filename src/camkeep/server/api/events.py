"""What happened: as pages of the journal, and as a stream of server-sent events.

Somebody who may see only some cameras gets the events of these, and none that concern all: those
may name other cameras. They are for administrators.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, Field
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from camkeep.engine.events import Event, Kind
from camkeep.errors import StorageError
from camkeep.model import CameraId
from camkeep.server.access import Principal, Role
from camkeep.server.api.instants import FromOrFirst, To
from camkeep.server.desk import Desk, DeskOf
from camkeep.server.eventrows import shown
from camkeep.server.journal import MOST, Choice
from camkeep.server.problems import Problem
from camkeep.server.web.guard import Looker, seen

router = APIRouter(tags=["events"])

KEEP_ALIVE_S = 15.0
"""A line that says nothing is sent after so long: proxies end what is silent."""
RETRY_MS = 3000
"""How long browsers wait before they come back."""
CATCH_UP = 5000
"""Events that somebody who comes back, or was too slow, is sent of the past at most."""
FEW = 10
Id = Annotated[int | None, Query(ge=0, lt=2**62)]


class EventTold(BaseModel):
    """Something that happened."""

    id: int = Field(description="Rises by one with each")
    time_us: int
    kind: Kind
    camera: str | None = Field(description="Id of the camera; null where it concerns all")
    told: str = Field(description="One sentence for a person, without the camera's name")
    detail: dict[str, str | int | float | bool | None] = Field(description="For programs")


class EventPage(BaseModel):
    """Some events."""

    events: list[EventTold]
    next: int | None = Field(
        description="Where to go on: the next `since` or `before`; null at the end"
    )


async def choice_of(
    desk: Desk, who: Principal, camera: str | None, kinds: list[Kind] | None
) -> Choice:
    """What somebody wants, as far as they may see it. Raises Problem 404."""
    wanted = frozenset(kinds) if kinds else None
    if camera is None:
        return Choice(who.cameras, who.role is Role.ADMIN, wanted)
    known = await asyncio.to_thread(seen, desk, who, camera)
    return Choice(frozenset({CameraId(known.id)}), False, wanted)


@router.get("/events")
async def events(
    who: Looker,
    desk: DeskOf,
    since: Annotated[Id, Query(description="Those after this id, oldest first")] = None,
    before: Annotated[Id, Query(description="Those before this id, newest first")] = None,
    start: FromOrFirst = None,
    end: To = None,
    camera: Annotated[str | None, Query(max_length=64)] = None,
    kind: Annotated[list[Kind] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> EventPage:
    """Events, newest first unless `since` is said."""
    if since is not None and before is not None:
        raise Problem(422, "Not understood", "say `since` or `before`, not both")
    choice = (await choice_of(desk, who, camera, kind)).between(start, end)
    if since is not None:
        found = await desk.journal.since(since, choice, limit)
    else:
        found = await desk.journal.before(before, choice, limit)
    told = await asyncio.to_thread(_told_of, found)
    return EventPage(events=told, next=found[-1].id if len(found) == limit else None)


def _told_of(events: list[Event]) -> list[EventTold]:
    return [EventTold.model_validate(each) for each in shown(events)]


class EventStream(StreamingResponse):
    """An answer that lasts, and lets go of what it holds however it ends."""

    media_type = "text/event-stream"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            close: Any = getattr(self.body_iterator, "aclose", None)
            if close is not None:
                await close()


@router.get(
    "/events/stream",
    response_class=EventStream,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Until you leave."}},
)
async def stream(
    who: Looker,
    desk: DeskOf,
    camera: Annotated[str | None, Query(max_length=64)] = None,
    kind: Annotated[list[Kind] | None, Query()] = None,
    since: Annotated[Id, Query(description="As Last-Event-ID, for the first time")] = None,
    last_event_id: Annotated[str | None, Header(max_length=40)] = None,
) -> EventStream:
    """Events as they happen (server-sent events). Who comes back with Last-Event-ID, as browsers
    do by themselves, gets what happened meanwhile. `hello` comes first; `missed` tells that there
    were more events than could be sent."""
    choice = await choice_of(desk, who, camera, kind)
    place = last_event_id if last_event_id else None if since is None else str(since)
    return EventStream(
        _told(desk, who, choice, place),
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def _told(
    desk: Desk, who: Principal, choice: Choice, place: str | None
) -> AsyncIterator[bytes]:
    """The stream, until somebody ends it."""
    sender = _Sender(desk, choice)
    over = asyncio.Event()
    try:
        with desk.closers.open(who, over.set):
            yield f"retry: {RETRY_MS}\n\n".encode()
            async for block in sender.begin(place):
                yield block
            while not over.is_set():
                async for block in sender.next(over):
                    yield block
    finally:
        sender.close()


class _Sender:
    """One reader of the events: first those of the past, then those that come, each once.

    It listens before it looks at the past, and knows the id up to which all was sent. One who was
    so slow that the listener forgot some gets them from the journal, as one who comes back."""

    def __init__(self, desk: Desk, choice: Choice) -> None:
        self._journal = desk.journal
        self._choice = choice
        self._listener = desk.journal.bus.listen()
        self._sent = desk.journal.bus.last_id
        self._dropped = desk.journal.dropped

    def close(self) -> None:
        self._listener.close()

    async def begin(self, place: str | None) -> AsyncIterator[bytes]:
        """Say hello, and what happened since the reader was here last."""
        after = None if place is None else self._journal.after(place)
        newest = self._sent
        yield _block(
            "hello", {"id": newest}, self._journal.place(newest if after is None else after)
        )
        if after is not None:
            self._sent = after
            async for block in self._past(newest):
                yield block
        elif place is not None:
            yield _block("missed", {"count": None})

    async def next(self, over: asyncio.Event) -> AsyncIterator[bytes]:
        """What comes next; or a sign of life after a while."""
        events = await self._wait(over)
        if self._listener.missed:
            self._listener.missed = 0
            async for block in self._past(self._journal.bus.last_id):
                yield block
        new = [event for event in events if event.id > self._sent]
        if new:
            self._sent = new[-1].id
            fitting = [event for event in new if self._choice.fits(event)]
            if fitting:
                yield await self._blocks(fitting)
        if not events and not over.is_set():
            yield b": keep-alive\n\n"

    async def _wait(self, over: asyncio.Event) -> list[Event]:
        taking = asyncio.ensure_future(self._listener.take())
        ending = asyncio.ensure_future(over.wait())
        try:
            await asyncio.wait(
                (taking, ending), timeout=KEEP_ALIVE_S, return_when=asyncio.FIRST_COMPLETED
            )
            return taking.result() if taking.done() else []
        finally:
            for each in (taking, ending):
                each.cancel()
                with suppress(asyncio.CancelledError):
                    await each

    async def _past(self, newest: int) -> AsyncIterator[bytes]:
        """What happened after what was sent last, up to `newest`."""
        count, unread = 0, False
        while self._sent < newest and count < CATCH_UP:
            try:
                page = await self._journal.since(self._sent, self._choice, MOST)
            except StorageError:
                unread = True
                break
            page = [event for event in page if event.id <= newest]
            if page:
                self._sent = page[-1].id
                yield await self._blocks(page)
            count += len(page)
            if len(page) < MOST:
                break
        lost = self._journal.dropped - self._dropped
        self._dropped = self._journal.dropped
        if unread or count >= CATCH_UP or lost:
            yield _block("missed", {"count": lost or None}, self._journal.place(newest))
        self._sent = newest

    async def _blocks(self, events: list[Event]) -> bytes:
        """Many take a while: then on a thread, so that they hold up no frame."""
        if len(events) <= FEW:
            return b"".join(map(self._event, events))
        return await asyncio.to_thread(lambda: b"".join(map(self._event, events)))

    def _event(self, event: Event) -> bytes:
        (fields,) = shown([event])
        return _block(event.kind.value, fields, self._journal.place(event.id))


def _block(name: str, fields: dict[str, Any], id: str | None = None) -> bytes:
    """One event as the HTML standard has it (§9.2.6). JSON holds no line break."""
    head = f"id: {id}\n" if id is not None else ""
    return f"{head}event: {name}\ndata: {json.dumps(fields)}\n\n".encode()
