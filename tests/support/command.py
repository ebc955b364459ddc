"""The installed command, as a person runs it: in a bare virtual environment."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import venv
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Done(NamedTuple):
    """What a command came to."""

    code: int
    out: str
    err: str


@cache
def camkeep() -> Path:
    """The command of a fresh installation without any dependency; made once for all tests."""
    folder = Path(mkdtemp(prefix="camkeep-bare-"))
    venv.create(folder, with_pip=True)
    pip = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", str(ROOT)], check=True, capture_output=True)
    return folder / "bin" / "camkeep"


class Command:
    """A command that runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @property
    def pid(self) -> int:
        return self.process.pid

    async def told(self, words: str) -> str:
        """Wait until a line of its standard error holds `words`; that line."""
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            if words in line.decode():
                return line.decode()
        raise AssertionError(f"it never said {words!r}")

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def done(self, timeout_s: float = 60) -> Done:
        out, err = await asyncio.wait_for(self.process.communicate(), timeout_s)
        assert self.process.returncode is not None
        return Done(self.process.returncode, out.decode(), err.decode())


async def start(*arguments: object, cwd: Path, **environment: str) -> Command:
    """Run ``camkeep ARGUMENTS`` in `cwd` and do not wait for it."""
    process = await asyncio.create_subprocess_exec(
        *(str(camkeep()), *map(str, arguments)),
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    return Command(process)


async def run(*arguments: object, cwd: Path, **environment: str) -> Done:
    """Run ``camkeep ARGUMENTS`` in `cwd` to its end."""
    return await (await start(*arguments, cwd=cwd, **environment)).done()
