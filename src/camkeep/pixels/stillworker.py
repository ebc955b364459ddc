"""Pictures of compressed frames, made by a child process (`stills`): its other end.

Runs on the event loop. One request is under way at a time; a child that takes too long is killed.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from importlib.util import find_spec

from camkeep.errors import MediaError
from camkeep.model import VideoParams
from camkeep.pixels.stills import HEAD, MAX_MESSAGE, MAX_PIXELS

ANSWER_S = 5.0
"""Longest that a picture may take."""
START_S = 15.0
"""The same for the first one, for which libraries are loaded."""
_KEPT = ("PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG")
"""Of the environment. The rest is nobody's business who handles what cameras send."""


def can_decode() -> bool:
    """Whether camkeep[video] is installed."""
    return find_spec("av") is not None


class StillWorker:
    """A child for the frames of one stream. `close` it."""

    def __init__(self) -> None:
        self._child: asyncio.subprocess.Process | None = None
        self._params: VideoParams | None = None
        self._width = 0
        self._lock = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """Of the child that works; None while there is none."""
        return self._child.pid if self._child is not None else None

    async def picture(
        self, params: VideoParams, data: bytes, *, alone: bool, width: int = 0
    ) -> bytes | None:
        """The JPEG of a frame, at most `width` pixels wide, or as it is: decoded `alone`, as key
        frames can be, or after those before it, where it may be that of an earlier one. None where
        it cannot be decoded, or comes later. Raises MediaError where there is no child that
        answers; the next call starts another."""
        if params.width * params.height > MAX_PIXELS:
            raise MediaError(f"pictures of {params.width}x{params.height} are too large")
        if len(data) > MAX_MESSAGE:
            raise MediaError("the frame is too large")
        async with self._lock:
            wait_s = ANSWER_S if self._child is not None else START_S
            try:
                async with asyncio.timeout(wait_s):
                    return await self._ask(params, data, b"K" if alone else b"F", width)
            except (OSError, EOFError, TimeoutError):
                await self._kill()
                raise MediaError("the pictures could not be decoded") from None
            except BaseException:  # cancelled: what it answers is not ours any more
                await self._kill()
                raise

    async def close(self) -> None:
        """End the child."""
        await self._kill()

    async def _ask(self, params: VideoParams, data: bytes, kind: bytes, width: int) -> bytes | None:
        if self._child is None:
            self._child = await _start()
            self._params = None
            self._width = 0
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        if params != self._params:
            setup = params.codec.value.encode() + b"\0" + params.config
            self._child.stdin.write(HEAD.pack(b"C", len(setup)) + setup)
            self._params = params
        if width != self._width:
            self._child.stdin.write(HEAD.pack(b"W", 4) + width.to_bytes(4))
            self._width = width
        self._child.stdin.write(HEAD.pack(kind, len(data)) + data)
        await self._child.stdin.drain()
        answer, size = HEAD.unpack(await self._child.stdout.readexactly(HEAD.size))
        if size > MAX_MESSAGE:
            raise EOFError
        jpeg = await self._child.stdout.readexactly(size)
        return jpeg if answer == b"J" else None

    async def _kill(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        with suppress(ProcessLookupError):
            child.kill()
        if child.stdin is not None:
            child.stdin.close()
        await asyncio.shield(child.wait())


async def _start() -> asyncio.subprocess.Process:
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "camkeep.pixels.stills",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=1024 * 1024,
        env=environment,
    )
