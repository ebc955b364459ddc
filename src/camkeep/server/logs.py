"""The log of the service: every logger of the process, as text or JSON lines on stderr.

There is one way out, and it redacts: whatever logger a record came from (ours, uvicorn's,
asyncio's), message, arguments and traceback go through the redactor before anything else sees
them. The newest records are also kept in memory, for the page. Lines are written by a thread of
their own: whoever reads stderr may be slow, and the event loop does not wait for it.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from types import TracebackType
from typing import Self, TextIO

from camkeep.server.redact import LONGEST, Redactor, redactor

RING_RECORDS = 2000
QUEUE_LINES = 2000
"""What waits to be written at most."""
MESSAGE_CHARS = 2000
TRACE_CHARS = 4000
NAME_CHARS = 100
DRAIN_S = 1.0
"""How long the end of the process waits for a slow reader of stderr."""


class LogForm(StrEnum):
    """What a line looks like."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record, without secrets."""

    id: int
    """Rises by one with each, from 1 in each process."""
    wall_us: int
    level: str
    """debug, info, warning, error, critical."""
    logger: str
    told: str
    trace: str = ""
    """Of an exception."""


class Ring:
    """The newest records. Any thread."""

    def __init__(self, size: int = RING_RECORDS) -> None:
        self.last_id = 0
        self._records: deque[LogRecord] = deque(maxlen=size)
        self._lock = threading.Lock()

    def add(self, wall_us: int, level: str, logger: str, told: str, trace: str) -> LogRecord:
        """Keep a record."""
        with self._lock:
            self.last_id += 1
            record = LogRecord(self.last_id, wall_us, level, logger, told, trace)
            self._records.append(record)
        return record

    def after(self, id: int, limit: int, least: str = "debug") -> list[LogRecord]:
        """The oldest `limit` records that came after `id` and are at least so grave."""
        rank = LEVELS.index(least)
        with self._lock:
            records = list(self._records)
        found = (r for r in records if r.id > id and LEVELS.index(r.level) >= rank)
        return list(islice(found, limit))

    def newest(self, limit: int, least: str = "debug") -> list[LogRecord]:
        """The newest `limit` records that are at least so grave, in their order."""
        return self.after(0, RING_RECORDS, least)[-limit:] if limit > 0 else []


LEVELS = ("debug", "info", "warning", "error", "critical")
_PRIORITY = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
"""Those of syslog, which journald reads at the beginning of a line: sd-daemon(3)."""


class Redacting(logging.Filter):
    """Makes a record fit to be seen: no secret in it, nothing too long, one line."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__()
        self._redact = redact
        self._formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; always true."""
        if getattr(record, "camkeep_redacted", False):
            return True
        record.msg = self._clean(_message(record), MESSAGE_CHARS).replace("\n", "\\n")
        record.args = None
        record.name = self._clean(record.name, NAME_CHARS).replace("\n", "\\n")
        trace = self._trace(record)
        record.exc_text = self._clean(trace, TRACE_CHARS) if trace else None
        record.exc_info = record.stack_info = None
        record.camkeep_redacted = True
        return True

    def _clean(self, text: str, longest: int) -> str:
        cut = len(text) > 8 * longest
        text = self._redact(text[: 8 * longest])
        if cut:  # perhaps within a secret, of which a part would be left
            text = text[: -4 * LONGEST]
        if len(text) > longest:
            text = f"{text[: longest // 2]} ... {text[-longest // 2 :]}"
        return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text)

    def _trace(self, record: logging.LogRecord) -> str:
        parts = [record.exc_text or ""]
        try:
            if record.exc_info and record.exc_info[0] is not None:
                parts = [self._formatter.formatException(record.exc_info)]
        except Exception as error:  # noqa: BLE001 - an exception whose words cannot be had
            parts = [f"{type(error).__name__} while an exception was described"]
        if record.stack_info:
            parts.append(record.stack_info)
        return "\n".join(filter(None, parts))


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:  # noqa: BLE001 - of any %s of anybody
        return f"a message that cannot be written ({type(error).__name__}): {str(record.msg)!r}"


def _escaped(character: str) -> str:
    return ascii(character)[1:-1] if ord(character) < 0x7F else f"\\u{ord(character):04x}"


class Outlet(logging.Handler):
    """The one way out: the ring, and lines that a thread writes. Redacts by itself."""

    def __init__(
        self, stream: TextIO, form: LogForm, ring: Ring, redact: Redactor, *, journal: bool
    ) -> None:
        """`journal`: journald reads the stream, so that lines begin with their priority and
        carry no time."""
        super().__init__()
        self.addFilter(Redacting(redact))
        self.lost = 0
        """Lines that nobody took in time."""
        self._ring = ring
        self._form = form
        self._journal = journal
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(QUEUE_LINES)
        self._told_lost = 0
        self._thread = threading.Thread(target=self._write, name="camkeep-log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it, and have it written."""
        level = _level(record.levelno)
        kept = self._ring.add(
            int(record.created * 1e6), level, record.name, str(record.msg), record.exc_text or ""
        )
        line = (
            as_json(kept) if self._form is LogForm.JSON else as_text(kept, times=not self._journal)
        )
        if self._journal:
            line = "\n".join(f"<{_PRIORITY[level]}>{part}" for part in line.split("\n"))
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self.lost += 1

    def close(self) -> None:
        """Write what waits, for a moment at most."""
        with suppress(queue.Full):
            self._lines.put(None, timeout=DRAIN_S)
        self._thread.join(DRAIN_S)
        super().close()

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            lost = self.lost
            if lost > self._told_lost:
                line += f"\ncamkeep: {lost - self._told_lost} lines of the log were lost"
                self._told_lost = lost
            with suppress(OSError, ValueError):  # nobody reads any more; the ring goes on
                self._stream.write(line + "\n")
                if self._lines.empty():
                    self._stream.flush()


def _level(number: int) -> str:
    return LEVELS[min(max(number // 10, 1), 5) - 1]


def as_text(record: LogRecord, *, times: bool = True) -> str:
    """A line for a person; a traceback follows it, moved in, so that no line of it can pass for
    one of ours."""
    who = record.logger.removeprefix("camkeep.")
    line = f"{record.level:<8} {who}: {record.told}"
    if times:
        line = f"{_moment(record.wall_us)} {line}"
    return line + "".join(f"\n    {part}" for part in record.trace.splitlines())


def as_json(record: LogRecord) -> str:
    """One line for programs."""
    fields = {
        "time": _moment(record.wall_us),
        "level": record.level,
        "logger": record.logger,
        "message": record.told,
    }
    return json.dumps({**fields, "trace": record.trace} if record.trace else fields)


def _moment(wall_us: int) -> str:
    moment = datetime.fromtimestamp(wall_us / 1e6, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def journal_reads(stream: TextIO) -> bool:
    """Whether the stream is connected to journald: systemd.exec(5), JOURNAL_STREAM."""
    device, _, inode = os.environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return device.isdigit() and (int(device), inode) == (found.st_dev, str(found.st_ino))


class Logging:
    """The logging of the process, from `with` to its end."""

    def __init__(
        self,
        form: LogForm = LogForm.TEXT,
        level: int | str = logging.INFO,
        stream: TextIO | None = None,
        redact: Redactor = redactor,
    ) -> None:
        """`level` is the least that is logged: "info", or a number of `logging`. `stream` is
        stderr where nothing else is said."""
        self.ring = Ring()
        self._form = form
        self._level = level
        self._stream = stream
        self._redact = redact

    def __enter__(self) -> Self:
        stream = self._stream or sys.stderr
        root = logging.getLogger()
        self._before = root.level, list(root.handlers)
        self.outlet = Outlet(
            stream, self._form, self.ring, self._redact, journal=journal_reads(stream)
        )
        root.handlers[:] = [self.outlet]
        root.setLevel(self._level.upper() if isinstance(self._level, str) else self._level)
        for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):  # their own ways out go
            logging.getLogger(name).handlers[:] = []
            logging.getLogger(name).propagate = True
        logging.captureWarnings(True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        root = logging.getLogger()
        logging.captureWarnings(False)
        level, root.handlers[:] = self._before
        root.setLevel(level)
        self.outlet.close()
