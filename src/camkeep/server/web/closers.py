"""Answers that last: live pictures, WebSockets, events. Whoever gives one registers how to end
it. It is ended when the service ends, and when the person may not have it any more: another
password, role or grants, a logout, a revoked token. Runs on the event loop.

    with desk.closers.open(who, reader.close):
        async for ...
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from camkeep.server.access import Principal


class Watch(Protocol):
    """Tells when somebody is not any more who they were."""

    @property
    def over(self) -> bool: ...
    async def wait(self) -> None: ...
    def close(self) -> None: ...


class Closers:
    """How to end each answer that lasts."""

    def __init__(self, watch: Callable[[Principal], Watch] | None = None) -> None:
        """`watch` tells of changes to a person's rights: `Accounts.watch`."""
        self.ended = False
        """Whether the service ends: what is opened from now on is closed at once."""
        self._watch = watch
        self._open: dict[object, Callable[[], object]] = {}

    def __len__(self) -> int:
        return len(self._open)

    @contextmanager
    def open(self, who: Principal | None, close: Callable[[], object]) -> Iterator[None]:
        """While the block runs, `close` may be called, once at most, to have the answer end soon.
        It may not wait; what it raises is ignored."""
        mark = object()
        self._open[mark] = close
        watch = self._watch(who) if self._watch is not None and who is not None else None
        looking = asyncio.create_task(self._look(mark, watch)) if watch is not None else None
        try:
            if self.ended or (watch is not None and watch.over):
                self._end(mark)
            yield
        finally:
            self._open.pop(mark, None)
            if watch is not None and looking is not None:
                looking.cancel()
                watch.close()

    def end_all(self) -> None:
        """The service ends."""
        self.ended = True
        for mark in list(self._open):
            self._end(mark)

    async def _look(self, mark: object, watch: Watch) -> None:
        await watch.wait()
        self._end(mark)

    def _end(self, mark: object) -> None:
        close = self._open.pop(mark, None)
        if close is not None:
            with suppress(Exception):
                close()
