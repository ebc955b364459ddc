"""How long answers (sockets, streams) learn that whoever gets them may not have them any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable

from camkeep.server.access import Principal

Now = Callable[[Principal], Hashable]
"""What somebody who asked may at this moment; None where they may nothing any more."""


class Watch:
    """Tells when the rights of somebody ended or changed. Close it."""

    def __init__(
        self, principal: Principal, state: Hashable, leave: Callable[[Watch], object]
    ) -> None:
        """`accounts.watch(principal)` makes one."""
        self.principal = principal
        self.state = state
        self._leave = leave
        self._event = asyncio.Event()

    @property
    def over(self) -> bool:
        """Whether the answer is to end."""
        return self._event.is_set()

    async def wait(self) -> None:
        """Until it is."""
        await self._event.wait()

    def close(self) -> None:
        """The answer has ended."""
        self._leave(self)

    def end(self) -> None:
        """For those who watch the accounts."""
        self._event.set()


class Watches:
    """All of them: one for each long answer."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self._open: set[Watch] = set()

    def watch(self, principal: Principal, state: Hashable) -> Watch:
        """From now on; `state` is what somebody who is `principal` may."""
        watch = Watch(principal, state, self._open.discard)
        self._open.add(watch)
        if state is None:
            watch.end()
        return watch

    def look(self) -> None:
        """End those whose rights are not what they were."""
        for watch in list(self._open):
            if self._now(watch.principal) != watch.state:
                watch.end()
                self._open.discard(watch)
