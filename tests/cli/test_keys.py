"""Single keys of a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from support.terminal import Terminal

SCRIPT = """
import asyncio, os, signal, sys
from camkeep.cli.keys import Keys
signal.signal(signal.SIGHUP, signal.SIG_IGN)
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
{before}

async def main():
    over = asyncio.Event()
    with Keys({{"r": lambda: print("pressed", flush=True), "q": over.set}}):
        print("ready", flush=True)
        {body}
    print("over", flush=True)

asyncio.run(main())
"""


def script(tmp_path: Path, body: str = "await over.wait()", before: str = "") -> Path:
    path = tmp_path / "keys.py"
    path.write_text(SCRIPT.format(body=body, before=before))
    return path


def is_set_for_keys(terminal: Terminal) -> bool:
    return not terminal.modes[3] & (termios.ICANON | termios.ECHO)


def test_keys_do_what_they_stand_for(tmp_path: Path) -> None:
    with Terminal(script(tmp_path)) as terminal:
        before = terminal.modes
        terminal.says("ready")
        assert is_set_for_keys(terminal)
        assert terminal.modes[3] & termios.ISIG  # Ctrl-C is none of ours
        terminal.press("xr\u00e4\x1br")
        terminal.says("pressed pressed")
        terminal.press("q")
        assert terminal.done() == 0
        assert terminal.words == "ready pressed pressed over"
        assert terminal.modes == before


def test_the_terminal_is_as_before_after_an_error(tmp_path: Path) -> None:
    with Terminal(script(tmp_path, "raise RuntimeError")) as terminal:
        before = terminal.modes
        assert terminal.done() == 1
        assert terminal.modes == before


def test_a_process_in_the_background_leaves_the_terminal_alone(tmp_path: Path) -> None:
    shell = tmp_path / "shell.py"
    shell.write_text(
        "import subprocess, sys\n"
        "command = [sys.executable, *sys.argv[1:]]\n"
        "sys.exit(subprocess.call(command, process_group=0))\n"
    )
    with Terminal(shell, script(tmp_path, "await asyncio.sleep(0.3)")) as terminal:
        terminal.says("ready")
        assert not is_set_for_keys(terminal)
        assert terminal.done() == 0


@pytest.mark.parametrize("stream", ["pipe", "null", "closed"])
def test_no_terminal_no_keys(tmp_path: Path, stream: str) -> None:
    path = script(
        tmp_path, "await asyncio.sleep(0)", "" if stream != "closed" else "sys.stdin = None"
    )
    done = subprocess.run(
        [sys.executable, path],
        stdin=subprocess.DEVNULL if stream == "null" else subprocess.PIPE,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "ready\nover\n", "")


def test_a_terminal_that_has_gone_stops_nothing(tmp_path: Path) -> None:
    """And it is not asked again and again."""
    told = tmp_path / "told"
    body = (
        "await asyncio.sleep(0.2); used = os.times().user; await asyncio.sleep(0.5); "
        f"open({str(told)!r}, 'w').write(str(os.times().user - used))"
    )
    before = "sys.stdout = open(os.devnull, 'w')"
    with Terminal(script(tmp_path, body, before)) as terminal:
        while not is_set_for_keys(terminal):
            os.sched_yield()
        terminal.hang_up()
        assert terminal.process.wait(30) == 0
    assert float(told.read_text()) < 0.2
