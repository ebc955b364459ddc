"""Viewers of live pictures, as a browser would be one, and what they get.

    python bench/watchers.py URL SECONDS CAMERA...

One WebSocket for each camera. Prints JSON: frames, bytes, frames that were skipped, and how long
after each frame was taken (as its message says) its last byte was here: in milliseconds, sorted.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from websockets.asyncio.client import connect

from camkeep.server.live.socket import HEADER, PICTURE


class Viewer:
    """One of them."""

    def __init__(self) -> None:
        self.frames = self.bytes = self.skipped = 0
        self.delays_ms: list[float] = []
        self.since_us = time.time() * 1e6  # what was remembered from before is no delay

    async def watch(self, url: str, until: float) -> None:
        """Watch until then, monotonic."""
        async with connect(url, compression=None, max_size=None) as socket:
            while (left := until - time.monotonic()) > 0:
                try:
                    message = await asyncio.wait_for(socket.recv(), left)
                except TimeoutError:
                    return
                self._take(message, time.time())

    def _take(self, message: str | bytes, now_s: float) -> None:
        if isinstance(message, str):
            told = json.loads(message)
            self.skipped += told.get("frames", 0) if told["type"] == "skipped" else 0
            return
        self.bytes += len(message)
        _, flags, _, _, wall_us, _ = HEADER.unpack_from(message)
        if flags & PICTURE and wall_us > self.since_us:
            self.frames += 1
            self.delays_ms.append(now_s * 1e3 - wall_us / 1e3)


async def main(url: str, seconds: float, cameras: list[str]) -> dict[str, Any]:
    viewers = [Viewer() for _ in cameras]
    until = time.monotonic() + seconds
    base = url.replace("http", "ws", 1)
    await asyncio.gather(
        *(
            viewer.watch(f"{base}/api/v1/cameras/{camera}/live", until)
            for viewer, camera in zip(viewers, cameras, strict=True)
        )
    )
    return {
        "frames": sum(viewer.frames for viewer in viewers),
        "bytes": sum(viewer.bytes for viewer in viewers),
        "skipped": sum(viewer.skipped for viewer in viewers),
        "delays_ms": sorted(delay for viewer in viewers for delay in viewer.delays_ms),
    }


print(json.dumps(asyncio.run(main(sys.argv[1], float(sys.argv[2]), sys.argv[3:]))))
