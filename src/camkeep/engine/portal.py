"""A synchronous face for asynchronous objects: one event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future, wait
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from camkeep.errors import UsageError

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
        is closed), and goes on its way. Raises UsageError after `close`.
        """
        if self.closed:
            work.close()
            raise UsageError("the camera is closed: use it inside its with block")
        result: Future[T] = Future()
        tasks: list[asyncio.Task[T]] = []

        def begin() -> None:
            task = self._loop.create_task(_awaited(work))
            task.add_done_callback(functools.partial(_pass_on, result))
            tasks.append(task)

        self._loop.call_soon_threadsafe(begin)
        try:
            return result.result()
        except KeyboardInterrupt:
            self._loop.call_soon_threadsafe(lambda: tasks[0].cancel())  # it has begun by then
            wait((result,), LONGEST_GOODBYE_S)
            raise

    @property
    def closed(self) -> bool:
        """Whether it runs nothing any more."""
        return self._loop.is_closed()

    def close(self) -> None:
        """Cancel what still runs, and end the loop and its thread."""
        if self.closed:
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


async def _awaited(work: Coroutine[Any, Any, T]) -> T:
    """What can be awaited as what can be a task: the steps of a generator are no coroutines."""
    return await work


def _pass_on(result: Future[T], task: asyncio.Task[T]) -> None:
    """Tell the thread that waits."""
    if task.cancelled():
        result.set_exception(CancelledError())
    elif (error := task.exception()) is not None:
        result.set_exception(error)
    else:
        result.set_result(task.result())


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others)
    await asyncio.get_running_loop().shutdown_asyncgens()
    await asyncio.get_running_loop().shutdown_default_executor()
