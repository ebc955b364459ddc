"""``camkeep serve`` as a process of its own, of which everything is looked at: both its outputs,
its arguments and environment, its files, and those of its children."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

SAYS_WITHIN_S = 60.0
STOPS_WITHIN_S = 20.0


class Serve:
    """A service that runs."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        """Use `served`."""
        self.folder = folder
        self.out: list[str] = []
        self.log: list[str] = []
        """Lines of standard output, and of standard error."""
        self._process = process
        self._more = asyncio.Event()
        self._reading = [
            asyncio.create_task(self._read(process.stdout, self.out)),
            asyncio.create_task(self._read(process.stderr, self.log)),
        ]

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def said(self) -> str:
        """All that it wrote anywhere."""
        return "".join(self.out) + "".join(self.log)

    async def says(self, pattern: str, lines: Sequence[str] | None = None) -> re.Match[str]:
        """The first line (of standard output, unless `lines` are others) that matches."""
        lines = self.out if lines is None else lines
        async with asyncio.timeout(SAYS_WITHIN_S):
            while True:
                for line in lines:
                    found = re.search(pattern, line)
                    if found:
                        return found
                assert not all(task.done() for task in self._reading), self.said
                self._more.clear()
                await self._more.wait()

    async def url(self) -> str:
        """Where it is, without a slash at the end."""
        return (await self.says(r"camkeep is at (\S+)/"))[1]

    async def client(self, **options: Any) -> httpx.AsyncClient:
        """A client that asks it. Close it."""
        return httpx.AsyncClient(base_url=await self.url(), trust_env=False, timeout=30, **options)

    def processes(self) -> str:
        """Arguments and environment of the process and all below it."""
        return "\n".join(_seen(pid) for pid in _family(self.pid))

    def files(self) -> dict[Path, bytes]:
        """All files in its folder."""
        return {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}

    async def stop(self) -> int:
        """SIGTERM; its exit code."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGTERM)
        try:
            code = await asyncio.wait_for(self._process.wait(), STOPS_WITHIN_S)
        except TimeoutError:
            os.killpg(self.pid, signal.SIGKILL)
            raise
        await asyncio.gather(*self._reading)
        return code

    async def _read(self, stream: asyncio.StreamReader | None, lines: list[str]) -> None:
        assert stream is not None
        async for line in stream:
            lines.append(line.decode())
            self._more.set()
        self._more.set()


def _family(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            for child in (task / "children").read_text().split():
                found += _family(int(child))
    return found


def _seen(pid: int) -> str:
    parts = []
    for name in ("cmdline", "environ"):
        with suppress(OSError):
            parts.append(Path(f"/proc/{pid}/{name}").read_bytes().decode("latin-1"))
    return "\n".join(parts)


@asynccontextmanager
async def served(
    folder: Path, *options: str, settings: str = "", listen: str | None = "127.0.0.1:0"
) -> AsyncIterator[Serve]:
    """Run it on what is in `folder`, with `settings` as its camkeep.toml, until the block ends."""
    config = folder.with_suffix(".toml")
    config.write_text(settings)
    where = [] if listen is None else ["--listen", listen]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "camkeep", "serve", "--data", str(folder)),
        *("--config", str(config), *where, *options),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 20,
        start_new_session=True,
    )
    serve = Serve(process, folder)
    try:
        yield serve
    except BaseException:
        print(serve.said)
        raise
    finally:
        code = await serve.stop()
    assert code == 0, serve.said


async def commanded(*arguments: object, sent: bytes = b"") -> str:
    """What a command writes, to whatever; it must succeed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "camkeep", *map(str, arguments)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate(sent)
    assert process.returncode == 0, out.decode()
    return out.decode()
