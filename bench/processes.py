"""What processes cost: CPU time to the nanosecond, and memory as the share that is theirs.

Linux only. Nothing here starts or ends anything but the children it is given.
"""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

STOP_S = 20.0
STAGGER_S = 0.2
"""Between the starts of two processes: many at once would make the cameras' server stumble."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a group of processes used between two instants."""

    cpu_s: float
    """User and system time of all of them."""
    pss_mb: float
    """Memory at the end: the sum of their proportional set sizes, in 10^6 bytes."""
    wall_s: float


def cpu_s(pid: int) -> float:
    """User and system time of the process `pid` with all its threads, dead ones included.

    The process's own CPU clock, as clock_getcpuclockid(3) names it. It agrees with utime +
    stime of /proc/PID/stat, which count in steps of 10 ms.
    """
    return time.clock_gettime((~pid << 3) | 2)


def pss_mb(pid: int) -> float:
    """Proportional set size: private pages, and of each shared page the share."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise ValueError(f"the kernel tells no Pss of process {pid}")


def measure(pids: Sequence[int], seconds: float) -> Cost:
    """Watch `pids` for `seconds`."""
    began, before = time.monotonic(), [cpu_s(pid) for pid in pids]
    time.sleep(seconds)
    used = sum(cpu_s(pid) - was for pid, was in zip(pids, before, strict=True))
    wall = time.monotonic() - began
    return Cost(used, sum(pss_mb(pid) for pid in pids), wall)


@contextlib.contextmanager
def running(commands: Sequence[Sequence[str]]) -> Iterator[list[int]]:
    """Run `commands` side by side; at the end interrupt them and wait until they are gone.

    Yields their process ids. Raises RuntimeError where one ended before it was told to.
    """
    children: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
            children.append(child)
            time.sleep(STAGGER_S)
        yield [child.pid for child in children]
        for child, command in zip(children, commands, strict=True):
            if child.poll() is not None:
                raise RuntimeError(f"{command} ended by itself, with {child.returncode}")
    finally:
        for child in children:
            if child.poll() is None:
                child.send_signal(signal.SIGINT)
        for child in children:
            try:
                child.wait(STOP_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


class Server:
    """A camera server of this folder: prints its port, then a total for each line it reads."""

    def __init__(self, command: Sequence[str]) -> None:
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.port = int(self._line())

    def frames(self) -> int:
        """Frames sent so far, to all viewers together."""
        assert self._child.stdin is not None
        self._child.stdin.write("\n")
        self._child.stdin.flush()
        return int(self._line())

    @property
    def pid(self) -> int:
        return self._child.pid

    def _line(self) -> str:
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError("the camera server of the bench did not start or has ended")
        return line

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.terminate()
        self._child.wait()


def machine() -> str:
    """What this is measured on, in one line."""
    cpu = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    ffmpeg = subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True, check=True)
    return (
        f"{os.cpu_count()} x {cpu}, Linux {platform.release()}, "
        f"Python {platform.python_version()}, ffmpeg {ffmpeg.stdout.split()[2]}"
    )
