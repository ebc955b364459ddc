"""A synchronous face for asynchronous objects: one event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

T = TypeVar("T")
P = ParamSpec("P")

LONGEST_GOODBYE_S = 30.0
"""How long an interrupted call may take to clean up."""


class Portal:
    """Runs coroutines in its loop and waits for them. Use from any one thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="camkeep-loop", daemon=True
        )
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` to its end and return what it returns.

        KeyboardInterrupt while waiting cancels `work`, waits until it has cleaned up (a movie
        is closed), and goes on its way.
        """
        over = threading.Event()
        future = asyncio.run_coroutine_threadsafe(_told(work, over), self._loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            over.wait(LONGEST_GOODBYE_S)
            raise

    def close(self) -> None:
        """Cancel what still runs, and end the loop and its thread."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(_cancel_others(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class HasPortal(Protocol):
    """An object with a portal and the asynchronous object behind it."""

    _portal: Portal
    _inner: Any


def blocking(
    method: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Any, P], T]:
    """`method` of the inner asynchronous object as a plain method with the same arguments."""

    @functools.wraps(method)
    def call(self: HasPortal, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._portal.run(method(self._inner, *args, **kwargs))

    return call


async def _told(work: Coroutine[Any, Any, T], over: threading.Event) -> T:
    try:
        return await work
    finally:
        over.set()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others)
    await asyncio.get_running_loop().shutdown_asyncgens()
    await asyncio.get_running_loop().shutdown_default_executor()
