"""Progress of a recording on standard error: one line that changes on a terminal, plain lines
where there is none."""

from __future__ import annotations

import sys
import time
from collections import deque

from camkeep.cli.common import columns, counted, folded, in_bytes, in_rate, in_time, printable
from camkeep.engine.plan import Progress

PLAIN_S = 10.0
"""Seconds between progress lines where there is no terminal."""
RATE_S = 5.0
"""Over how long the present rate is measured."""


class Meter:
    """Shows each `Progress` it is given. A terminal that has gone is no reason to stop
    recording: then it shows nothing any more."""

    def __init__(self) -> None:
        self._gone = sys.stderr is None
        self._terminal = not self._gone and sys.stderr.isatty()
        self._rates: deque[tuple[float, int, int]] = deque()
        self._printed_at = time.monotonic()
        self._state = ""
        self._why = ""
        self._word = "recording"

    def __call__(self, progress: Progress) -> None:
        """Show `progress`."""
        now = time.monotonic()
        self._rates.append((now, progress.frames, progress.bytes))
        while now - self._rates[0][0] > RATE_S:
            self._rates.popleft()
        news = self._news(progress)
        if news:
            self._write(self._clear + timed(news, terminal=self._terminal))
        if self._terminal:
            self._write(self._clear + fitting(self._parts(progress), columns(sys.stderr) - 1))
        elif news:
            self._printed_at = now
        elif now - self._printed_at >= PLAIN_S:
            self._printed_at = now
            self._write("  ".join(self._parts(progress)) + "\n")

    def end(self) -> None:
        """Leave the terminal clean for the summary."""
        self._write(self._clear)

    def _news(self, progress: Progress) -> str:
        """What deserves a line of its own: why the camera is away, once for each reason, and
        without a terminal that it is there."""
        began = progress.state == "live" != self._state
        self._state = progress.state
        if progress.state == "live":
            self._why = ""
        if began and not self._terminal:
            word, self._word = self._word, "recording again"
            return word
        if progress.why and progress.why != self._why:
            self._why = progress.why
            return progress.why
        return ""

    def _parts(self, progress: Progress) -> list[str]:
        """The line in pieces, the most important first."""
        parts = []
        if progress.frames:
            parts = [in_time(progress.seconds), counted(progress.frames, "frame")]
            parts.append(in_bytes(progress.bytes))
        match progress.state:
            case "waiting":
                parts.append(f"no camera, trying again in {max(1, round(progress.retry_s))} s")
            case "connecting":
                parts.append("connecting")
            case _ if not progress.frames:
                parts.append("recording")
            case _:
                parts += self._present_rate()
        if progress.drops:
            parts.append(f"{progress.drops} dropped")
        if progress.files > 1:
            parts.append(f"file {progress.files}")
        return parts

    def _present_rate(self) -> list[str]:
        (then, frames, size), (now, frames_now, size_now) = self._rates[0], self._rates[-1]
        if now <= then:
            return []
        passed = now - then
        return [
            f"{(frames_now - frames) / passed:.1f} a second",
            in_rate((size_now - size) * 8 / passed),
        ]

    @property
    def _clear(self) -> str:
        return "\r\x1b[K" if self._terminal else ""

    def _write(self, text: str) -> None:
        if self._gone:
            return
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except (OSError, ValueError):
            self._gone = True


def timed(text: str, *, terminal: bool) -> str:
    """`text` with the time in front, folded on a terminal. What follows a line break stays a line:
    it may be there to be copied."""
    now = f"{time.strftime('%H:%M:%S')}  "
    indent = " " * len(now)
    first, *others = printable(text).split("\n")
    lines = folded(first, now, indent, sys.stderr) if terminal else [now + first]
    return "".join(f"{line}\n" for line in [*lines, *(indent + other for other in others)])


def fitting(parts: list[str], width: int) -> str:
    """As many of `parts` as fit into `width` columns; the first always does, cut."""
    line = ""
    for part in parts:
        part = printable(part).replace("\n", " ")
        if not line:
            line = part[: max(width, 1)]
            continue
        if len(line) + 2 + len(part) > width:
            break
        line += f"  {part}"
    return line
