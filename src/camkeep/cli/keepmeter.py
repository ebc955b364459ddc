"""What `keep` shows on standard error: a line for each piece of news, and on a terminal one line
about all cameras that changes."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection

from camkeep.cli.common import CODECS, columns, counted, in_bytes, in_time, rows
from camkeep.cli.meter import fitting, timed
from camkeep.engine.sessions import Live, Refused, Waiting
from camkeep.engine.supervisor import Supervisor
from camkeep.model import VideoParams

SHOW_S = 0.5
PLAIN_S = 60.0
"""Seconds between lines about all cameras where there is no terminal."""


class KeepMeter:
    """Tells what `changed`, and `show`s how things stand. A terminal that has gone is no reason
    to stop recording: then it shows nothing any more."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet or sys.stderr is None
        self._terminal = not self._quiet and sys.stderr.isatty()
        self._told: dict[str, str] = {}
        self._began = time.monotonic()
        self._plain_at = self._began

    def changed(self, kept: Supervisor) -> None:
        """Something about a camera has changed: tell it, once."""
        word = _word(kept)
        if word and self._told.get(kept.camera.id) != word:
            self._told[kept.camera.id] = word
            self.tell(f"{kept.camera.name}: {word}")

    def tell(self, text: str) -> None:
        """A line with the time."""
        if not self._quiet:
            clear = "\r\x1b[K" if self._terminal else ""
            _write(clear + timed(text, terminal=self._terminal))

    def show(self, cameras: Collection[Supervisor]) -> None:
        """How things stand."""
        now = time.monotonic()
        if self._quiet or (not self._terminal and now - self._plain_at < PLAIN_S):
            return
        self._plain_at = now
        parts = self._parts(cameras)
        if self._terminal:
            _write("\r\x1b[K" + fitting(parts, columns(sys.stderr) - 1))
        else:
            _write("  ".join(parts) + "\n")

    def end(self) -> None:
        """Leave the terminal clean for the summary."""
        if self._terminal:
            _write("\r\x1b[K")

    def _parts(self, cameras: Collection[Supervisor]) -> list[str]:
        live = sum(kept.recording for kept in cameras)
        all_of_one = len(cameras) == live == 1
        parts = ["recording" if all_of_one else f"{live} of {len(cameras)} recording"]
        parts.append(in_time(time.monotonic() - self._began))
        parts.append(in_bytes(sum(kept.keeper.bytes for kept in cameras)))
        clips = sum(kept.clip is not None for kept in cameras)
        if clips:
            parts.append("REC")
        parts += [kept.camera.name for kept in cameras if not kept.recording]
        drops = sum(kept.keeper.drops for kept in cameras)
        if drops:
            parts.append(f"{drops} dropped")
        return parts


def _write(text: str) -> None:
    """Write to standard error, if it still leads anywhere."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        pass


def summary(cameras: Collection[Supervisor]) -> str:
    """What came of it, for a person: a line for each camera."""
    facts = []
    width = max((len(kept.camera.name) for kept in cameras), default=0)
    for kept in cameras:
        keeper = kept.keeper
        told = f"{counted(keeper.frames, 'frame')}  {in_bytes(keeper.bytes)}"
        if keeper.drops:
            told += f"  {keeper.drops} dropped: the disk was too slow, full or failing"
        facts.append((kept.camera.name, told))
    return "\n".join(rows(facts, width + 2))


def _word(kept: Supervisor) -> str:
    """How a camera is, in words; empty while that is not known yet."""
    if kept.trouble is not None:
        return str(kept.trouble)
    match kept.state:
        case Live() if kept.keeper.recording:
            return "recording" + _picture(kept.main.notes.video)
        case Live():
            return "ready" + _picture(kept.main.notes.video)
        case Waiting(error, _) | Refused(error, _):
            return error.message
        case _:
            return ""


def _picture(video: VideoParams | None) -> str:
    return f", {CODECS[video.codec]} {video.width}x{video.height}" if video is not None else ""
