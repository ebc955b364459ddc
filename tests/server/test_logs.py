"""The log: one way out, without secrets, bounded, and never in anybody's way."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from camkeep.server.logs import RING_RECORDS, LogForm, Logging, Ring, as_text, journal_reads
from camkeep.server.redact import Redactor

PLANTED = "zx9-Planted-Secret"


@pytest.fixture(autouse=True)
def uvicorn_as_it_comes() -> Iterator[None]:
    """Other tests of this process may have told its loggers to be quiet."""
    loggers = [logging.getLogger(name) for name in ("uvicorn", "uvicorn.error", "uvicorn.access")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.NOTSET)
    yield
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


class Words:
    """An object that holds a secret and shows it."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def __str__(self) -> str:
        return f"<Words {self._secret}>"

    __repr__ = __str__


def _raise(secret: str) -> None:
    try:
        raise ValueError(f"inner {secret}")
    except ValueError as inner:
        error = RuntimeError(f"outer {secret}")
        error.add_note(f"note {secret}")
        raise error from inner


def _in_exception(secret: str) -> None:
    try:
        _raise(secret)
    except RuntimeError:
        logging.getLogger("x").exception("it failed with %s", secret)


WAYS: list[Callable[[str], object]] = [
    lambda s: logging.getLogger("camkeep.x").warning(f"it is {s}"),
    lambda s: logging.getLogger("other").error("it is %s", s),
    lambda s: logging.getLogger("other").error("it is %(a)s", {"a": s}),
    lambda s: logging.getLogger("other").error("it is %r and %s", Words(s), Words(s)),
    lambda s: logging.getLogger("other").error("wrong %d", s),
    lambda s: logging.getLogger("other").error(Words(s)),
    lambda s: logging.getLogger("uvicorn.access").info('"GET /x?a=%s" 200', s),
    lambda s: logging.getLogger("uvicorn.error").critical("it is %s", [s.encode()]),
    lambda s: logging.getLogger("asyncio").error("it is %s", s, stack_info=True),
    lambda s: logging.getLogger(f"name.{s}").error("x"),
    lambda s: logging.warning("x" * 15_990 + s),
    lambda s: logging.warning("y" * 1990 + s),
    lambda s: warnings.warn(f"it is {s}", UserWarning, stacklevel=1),
    _in_exception,
]


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.text(
        st.characters(exclude_characters="*", exclude_categories=["Cs"]), min_size=8, max_size=30
    ).filter(lambda s: s not in repr(WAYS)),
    st.sampled_from(range(len(WAYS))),
    st.sampled_from(LogForm),
)
def test_a_planted_secret_is_nowhere(secret: str, way: int, form: LogForm) -> None:
    secret = f"{secret}#7"
    stream, redact = io.StringIO(), Redactor()
    redact.learn(secret)
    with Logging(form, "debug", stream, redact) as log, warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        WAYS[way](secret)
    kept = log.ring.after(0, 10)
    assert len(kept) == 1
    shown = stream.getvalue() + repr(kept)
    for spelled in (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1]):
        assert spelled not in shown


def test_half_a_secret_is_not_left_where_a_long_text_is_cut() -> None:
    for fill in (990, 1995, 11_990, 15_990, 15_999):
        stream, redact = io.StringIO(), Redactor()
        redact.learn(PLANTED)
        with Logging(LogForm.TEXT, "info", stream, redact) as log:
            logging.warning("z" * fill + PLANTED + "z" * 20_000)
        told = log.ring.after(0, 1)[0].told
        assert set(told) <= set("z*. ")
        assert len(told) < 2100


def test_a_line_for_a_person() -> None:
    stream = io.StringIO()
    with Logging(LogForm.TEXT, "info", stream) as log:
        logging.getLogger("camkeep.server.x").info("garage is %s", "live")
        logging.getLogger("camkeep.server.x").debug("too little")
        try:
            _raise("x")
        except RuntimeError:
            logging.getLogger("asyncio").exception("failed")
    first, second, *trace = stream.getvalue().splitlines()
    assert first.endswith("Z info     server.x: garage is live")
    assert second.endswith("Z error    asyncio: failed")
    assert trace[-2:] == ["    RuntimeError: outer x", "    note x"]
    assert all(line.startswith("    ") for line in trace)
    assert [record.level for record in log.ring.after(0, 9)] == ["info", "error"]


def test_a_line_for_programs() -> None:
    stream = io.StringIO()
    with Logging(LogForm.JSON, "info", stream):
        _in_exception("x")
        logging.getLogger("camkeep").warning("größer")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first["level"] == "error"
    assert first["message"] == "it failed with x"
    assert first["trace"].endswith("outer x\nnote x")
    assert second == {
        "time": second["time"],
        "level": "warning",
        "logger": "camkeep",
        "message": "größer",
    }


def test_no_name_of_anything_forges_a_line() -> None:
    stream = io.StringIO()
    with Logging(LogForm.TEXT, "info", stream):
        logging.info("camera %s", "a\n2026-01-01 critical: gone\r\x1b[2J\u202e\u2028")
        try:
            raise ValueError("a\n2026-01-01 critical: gone\x1b[2J")
        except ValueError:
            logging.exception("x")
    written = stream.getvalue()
    assert not [line for line in written.splitlines() if line.startswith("2026-01-01 crit")]
    assert not set(written) & set("\r\x1b\u202e\u2028")


def test_the_ring_keeps_the_newest() -> None:
    ring = Ring()
    for number in range(RING_RECORDS + 5):
        ring.add(number, "info" if number % 2 else "error", "x", str(number), "")
    assert ring.last_id == RING_RECORDS + 5
    assert [record.told for record in ring.after(0, 2)] == ["5", "6"]
    assert [record.told for record in ring.after(0, 2, "warning")] == ["6", "8"]
    assert [record.told for record in ring.newest(2)] == ["2003", "2004"]
    assert ring.after(ring.last_id, 5) == []
    assert as_text(ring.newest(1)[0]).endswith("error    x: 2004")


def test_who_does_not_read_stderr_holds_up_nobody() -> None:
    """A pipe that nobody empties: logging goes on at once, and what was lost is counted."""
    reading, writing = os.pipe()
    stream = os.fdopen(writing, "w")
    with Logging(LogForm.TEXT, "info", stream) as log:
        for number in range(6000):
            logging.info("%d %s", number, "x" * 100)
        assert log.outlet.lost > 0
        assert log.ring.newest(1)[0].told.startswith("5999")
        drained = os.read(reading, 100)  # and it is not stuck for ever
        assert drained
        os.close(reading)
    with pytest.raises(BrokenPipeError):
        stream.close()


def test_journald_gets_priorities_and_no_times(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    program = (
        "import os, sys, logging\n"
        "found = os.fstat(2)\n"
        "os.environ['JOURNAL_STREAM'] = f'{found.st_dev}:{found.st_ino}'\n"
        "from camkeep.server.logs import Logging\n"
        "with Logging():\n"
        "    logging.warning('careful')\n"
        "    try: 1 / 0\n"
        "    except ZeroDivisionError: logging.exception('bad')\n"
    )
    with path.open("wb") as file:
        subprocess.run([sys.executable, "-c", program], check=True, stderr=file)
    first, second, *trace = path.read_text().splitlines()
    assert first == "<4>warning  root: careful"
    assert second == "<3>error    root: bad"
    assert trace[-1] == "<3>    ZeroDivisionError: division by zero"


def test_any_other_stderr_is_not_journald(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not journal_reads(sys.__stderr__ or io.StringIO())
    monkeypatch.setenv("JOURNAL_STREAM", "nonsense")
    with Path(os.devnull).open("w") as stream:
        assert not journal_reads(stream)
    assert not journal_reads(io.StringIO())


def test_afterwards_all_is_as_it_was() -> None:
    root = logging.getLogger()
    before = root.level, list(root.handlers)
    with Logging(LogForm.TEXT, "debug", io.StringIO()):
        assert logging.getLogger("uvicorn").propagate
    assert (root.level, list(root.handlers)) == before


async def test_an_exception_that_asyncio_tells_of_goes_the_same_way() -> None:
    stream, redact = io.StringIO(), Redactor()
    redact.learn(PLANTED)
    with Logging(LogForm.TEXT, "info", stream, redact):
        done = asyncio.Event()

        def fail() -> None:
            done.set()
            raise RuntimeError(PLANTED)

        asyncio.get_running_loop().call_soon(fail)
        await done.wait()
    assert "RuntimeError: ***" in stream.getvalue()
    assert PLANTED not in stream.getvalue()
