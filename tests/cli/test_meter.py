"""Progress as a person sees it."""

from __future__ import annotations

import io
import os
import pty
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.cli.meter import Meter, fitting
from camkeep.engine.plan import Progress

LIVE = Progress("live", "", 0.0, 12.5, 250, 8_100_000, 0, 1)
AWAY = Progress("waiting", "the camera ended the stream", 2.0, 12.5, 250, 8_100_000, 0, 1)
CONNECTING = Progress("connecting", "", 0.0, 12.5, 250, 8_100_000, 0, 1)


CLEAR = b"\r\x1b[K"


def lines(text: str) -> list[str]:
    """Without the time in front."""
    return [line.split("  ", 1)[1] for line in text.splitlines()]


def test_without_a_terminal_only_what_is_new_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr("sys.stderr", shown)
    meter = Meter()
    for progress in (LIVE, LIVE, AWAY, CONNECTING, AWAY, AWAY, LIVE, LIVE, AWAY):
        meter(progress)
    meter.end()
    why = "the camera ended the stream"
    assert lines(shown.getvalue()) == ["recording", why, "recording again", why]


def test_what_a_camera_says_cannot_steer_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr("sys.stderr", shown)
    Meter()(replace(AWAY, why="503 \x1b]0;mine\x07"))
    assert "503" in shown.getvalue()
    assert "\x1b" not in shown.getvalue()


def test_a_terminal_has_one_line_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        meter = Meter()
        meter(LIVE)
        meter(AWAY)
        meter.end()
        read = b""
        while read.count(CLEAR) < 4:  # a terminal hands on what is written bit by bit
            read += os.read(ours, 10_000)
    os.close(ours)
    shown = read.decode()
    first, news, away, end = shown.split(CLEAR.decode())[1:]
    assert first == "12.5 s  250 frames  8.1 MB"
    assert news.endswith("  the camera ended the stream\r\n")
    assert away == "12.5 s  250 frames  8.1 MB  no camera, trying again in 2 s"
    assert end == ""


def test_a_terminal_that_has_gone_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    readable, writable = os.pipe()
    os.close(readable)
    pipe = os.fdopen(writable, "w")
    monkeypatch.setattr("sys.stderr", pipe)
    meter = Meter()
    meter(LIVE)
    meter(AWAY)
    meter.end()
    with pytest.raises(BrokenPipeError):  # what is left in the buffer
        pipe.close()


@given(st.lists(st.text(), min_size=1), st.integers(1, 200))
def test_a_line_fits(parts: list[str], width: int) -> None:
    line = fitting(parts, width)
    assert len(line) <= width
    assert "\n" not in line
