"""Answers that last, sent piece by piece as fast as the client takes them.

A client that does not read is waited for: nothing piles up for it. When the client goes, when the
service ends, or when the person may no longer be here (`Closers`), the answer ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from camkeep.server.access import Principal
from camkeep.server.web.closers import Closers


class LastingResponse(StreamingResponse):
    """A body that comes piece by piece."""

    def __init__(
        self,
        body: AsyncIterator[bytes],
        status: int,
        headers: Mapping[str, str],
        *,
        closers: Closers,
        who: Principal | None,
        done: Callable[[], object] = lambda: None,
    ) -> None:
        """`done` is called when it ends, in whatever way; it does not wait."""
        super().__init__(body, status, headers)
        self._body = body
        self._closers = closers
        self._who = who
        self._done = done

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sending = asyncio.ensure_future(super().__call__(scope, receive, send))
        try:
            with self._closers.open(self._who, sending.cancel):
                await asyncio.wait([sending])
            if not sending.cancelled():
                sending.result()
        finally:
            await _ended(sending)
            close: Any = getattr(self._body, "aclose", None)
            if close is not None:
                await close()
            self._done()


async def _ended(task: asyncio.Future[None]) -> None:
    """See to it that it has ended before what it reads from is let go."""
    task.cancel()
    await asyncio.wait([task])
