"""Live pictures as answers to HTTP requests: bodies that last until somebody ends them.

Runs on the event loop. Nothing piles up for a client that does not read, and one that takes
nothing for half a minute is let go.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Any, TypeVar

from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from camkeep.engine.feed import Feed
from camkeep.engine.health import reason_of
from camkeep.engine.sessions import Off, Refused, Waiting
from camkeep.server.access import Principal
from camkeep.server.live.stage import Stage
from camkeep.server.live.viewers import Viewer
from camkeep.server.problems import Problem, problem_of

T = TypeVar("T")

FIRST_S = 10.0
"""How long the first picture may take, before the answer is that there is none."""
LAST_S = 1.0
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


class LiveResponse(StreamingResponse):
    """A viewer's answer. The viewer is closed with it."""

    def __init__(
        self,
        viewer: Viewer,
        body: AsyncIterator[bytes],
        media_type: str,
        stage: Stage,
        who: Principal,
        held: AsyncExitStack | None = None,
    ) -> None:
        """`held` is what the body uses, and is let go with it."""
        super().__init__(body, headers=HEADERS, media_type=media_type)
        self._body = body
        self._viewer = viewer
        self._closers = stage.closers
        self._who = who
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = complete = False

        async def noted(message: Message) -> None:
            nonlocal begun, complete
            self._viewer.sending()
            await send(message)
            self._viewer.sent(len(message.get("body", b"")))
            begun = True
            complete = message["type"] == "http.response.body" and not message.get("more_body")

        sending = asyncio.ensure_future(super().__call__(scope, receive, noted))
        self._viewer.on_slow = sending.cancel
        try:
            with self._closers.open(self._who, sending.cancel):
                await asyncio.wait([sending])
        finally:
            sending.cancel()
            await asyncio.wait([sending])
            close: Any = getattr(self._body, "aclose", None)
            if close is not None:
                await close()
            if self._held is not None:
                await self._held.aclose()
            self._viewer.close()
        if not sending.cancelled():
            sending.result()
        elif begun and not complete:  # an end in order, as far as it is taken
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_S):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def first_of(feed: Feed, first: Callable[[], Awaitable[T | None]]) -> T:
    """What `first` gives, of a stream that may not give anything. Raises Problem 502 or 504."""
    if isinstance(feed.state, Off):
        raise switched_off()
    try:
        async with asyncio.timeout(FIRST_S):
            found = await first()
    except TimeoutError:
        match feed.state:
            case Waiting(error, _) | Refused(error, _):
                raise problem_of(error) from None
            case _:
                told = reason_of(feed.state) or "the camera sent no picture in time"
                raise Problem(
                    504, "Gateway Timeout", told, kind="urn:camkeep:unreachable"
                ) from None
    if found is None:
        raise Problem(404, "Not found", "the camera is not watched any more")
    return found


def switched_off() -> Problem:
    """Nobody may have pictures of it now."""
    told = "the camera is switched off: switch it on to see it"
    return Problem(409, "Switched off", told, kind="urn:camkeep:switched-off")
