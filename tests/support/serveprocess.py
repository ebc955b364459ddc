"""``camkeep serve`` as a process of its own, on a free port, with cameras in its settings.

setup(folder, {"garage": camera.url})
async with serving(folder) as served:
    await served.until_recording("garage")
    answer = await served.get("/api/v1/clips")
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from camkeep.archive.root import make_root
from camkeep.clock import SystemClock
from camkeep.server.camerabook import CameraBook
from camkeep.server.urlpolicy import UrlPolicy
from support.accounts import opened

CONFIG = """\
[server]
listen = "127.0.0.1:0"
allow_loopback_cameras = true
log_format = "json"
"""
STARTS_WITHIN_S = 30.0
HUNG_UP_ON = "without completing response"
"""What uvicorn says of a viewer who did not read when the service ended: meant so."""


def setup(folder: Path, cameras: Mapping[str, str], **values: object) -> None:
    """Make an archive in `folder` where there is none, and set cameras up, all with `values`."""
    make_root(folder)
    database = opened(folder)
    try:
        book = CameraBook(database, SystemClock(), UrlPolicy(loopback=True))
        for name, url in cameras.items():
            book.now.add({"name": name, "address": url, **values})
    finally:
        database.close()


class Served:
    """A service that runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.url = ""
        """Without a slash at its end."""
        self.log: list[str] = []
        """Lines of its standard error."""
        self.client = httpx.AsyncClient(timeout=20, trust_env=False)
        self._process = process
        self._logging = asyncio.create_task(self._read_log())
        self._saying: asyncio.Task[bytes] | None = None

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def _read_log(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            self.log.append(line.decode())

    async def begun(self) -> None:
        """Wait until it says where it is."""
        assert self._process.stdout is not None
        async with asyncio.timeout(STARTS_WITHIN_S):
            while not self.url:
                line = (await self._process.stdout.readline()).decode()
                assert line, f"it did not start: {''.join(self.log)}"
                if line.startswith("camkeep is at "):
                    self.url = line.split()[-1].rstrip("/")
        self._saying = asyncio.create_task(self._process.stdout.read())

    async def get(self, path: str) -> Any:
        """What the API answers, as JSON."""
        answer = await self.client.get(self.url + path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: object) -> Any:
        """The same of a POST."""
        answer = await self.client.post(self.url + path, json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    async def cameras(self) -> dict[str, Any]:
        """All cameras as the API tells of them, by name."""
        return {each["name"]: each for each in (await self.get("/api/v1/cameras"))["cameras"]}

    async def until(self, name: str, *states: str, timeout_s: float = 30.0) -> float:
        """Wait until a camera is in one of these states; when that was, monotonic."""
        async with asyncio.timeout(timeout_s):
            while True:
                camera = (await self.cameras()).get(name)
                if camera is not None and camera["state"] in states:
                    return time.monotonic()
                await asyncio.sleep(0.05)

    async def until_recording(self, *names: str, timeout_s: float = 30.0) -> float:
        """Wait until all of these are being recorded; when that was, monotonic."""
        async with asyncio.timeout(timeout_s):
            while True:
                cameras = await self.cameras()
                if all(name in cameras and cameras[name]["recording"] for name in names):
                    return time.monotonic()
                await asyncio.sleep(0.05)

    def send(self, number: signal.Signals) -> float:
        """Send it a signal; when that was, monotonic."""
        at = time.monotonic()
        self._process.send_signal(number)
        return at

    async def ended(self, timeout_s: float = 20.0) -> int:
        """Wait for its end; its exit code."""
        try:
            await asyncio.wait_for(self._process.wait(), timeout_s)
        except TimeoutError:
            os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()
            raise
        finally:
            await self.client.aclose()
            await self._logging
            if self._saying is not None:
                await self._saying
        assert self._process.returncode is not None
        return self._process.returncode

    async def stop(self) -> float:
        """SIGTERM; how long it took to end. It must end well."""
        at = self.send(signal.SIGTERM)
        code = await self.ended()
        took_s = time.monotonic() - at
        assert code == 0, (code, self.log)
        return took_s

    def complaints(self) -> list[str]:
        """What it logged as wrong with itself."""
        found = []
        for line in self.log:
            try:
                said = json.loads(line)
            except ValueError:
                found.append(line)
                continue
            if said["level"] in ("error", "critical") and HUNG_UP_ON not in said["message"]:
                found.append(line)
        return found


async def start_serving(folder: Path, *options: object, config: str = CONFIG) -> Served:
    """Run ``camkeep serve`` on the archive `folder`, and wait until it is there."""
    file = folder.with_name(f"{folder.name}.toml")
    file.write_text(config)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "camkeep", "serve", "--data", str(folder)),
        *("--config", str(file), *map(str, options)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    served = Served(process)
    try:
        await served.begun()
    except BaseException:
        if served.alive:
            os.killpg(process.pid, signal.SIGKILL)
        await served.ended()
        raise
    return served


@asynccontextmanager
async def simulating(*options: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A camera in a process of its own, and its address: to be stopped and killed."""
    camera = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "camkeep", "simulate", "mjpeg"),
        *("--port", "0", "--size", "320x240", "--fps", "20", *options),
        stdout=asyncio.subprocess.PIPE,
    )
    assert camera.stdout is not None
    try:
        while b"stream" not in (line := await camera.stdout.readline()):
            assert line, "it did not start"
        yield camera, line.split()[-1].decode()
    finally:
        camera.kill()
        await camera.communicate()


@asynccontextmanager
async def serving(folder: Path, *options: object, config: str = CONFIG) -> AsyncIterator[Served]:
    """The same, stopped at the end of the block if it still runs."""
    served = await start_serving(folder, *options, config=config)
    try:
        yield served
    except BaseException:
        if served.alive:
            os.killpg(served.pid, signal.SIGKILL)
            await served.ended()
        print("".join(served.log))
        raise
    if served.alive:
        await served.stop()
