"""Answers that last: live pictures, WebSockets, events. Whoever gives one registers how to end
it, so that the service can end them all, or those of one person. Runs on the event loop.

    with desk.closers.open(who, reader.close):
        async for ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from camkeep.server.access import Principal


class Closers:
    """How to end each answer that lasts."""

    def __init__(self) -> None:
        self.ended = False
        """Whether the service ends: what is opened from now on is closed at once."""
        self._open: dict[object, tuple[Principal | None, Callable[[], object]]] = {}

    def __len__(self) -> int:
        return len(self._open)

    @contextmanager
    def open(self, who: Principal | None, close: Callable[[], object]) -> Iterator[None]:
        """While the block runs, `close` may be called, once at most, to have the answer end soon.
        It may not wait; what it raises is ignored."""
        mark = object()
        self._open[mark] = (who, close)
        if self.ended:
            self._end([mark])
        try:
            yield
        finally:
            self._open.pop(mark, None)

    def end(self, which: Callable[[Principal | None], bool]) -> int:
        """End those of the people for whom `which` says so; how many."""
        marks = [mark for mark, (who, _) in self._open.items() if which(who)]
        self._end(marks)
        return len(marks)

    def end_all(self) -> None:
        """The service ends."""
        self.ended = True
        self._end(list(self._open))

    def _end(self, marks: list[object]) -> None:
        for mark in marks:
            _, close = self._open.pop(mark)
            with suppress(Exception):
                close()
