"""A password typed into a URL does not stay in the process list."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from camkeep.cli.argv import redact


@pytest.mark.parametrize(
    ("argument", "shown"),
    [
        ("easyn://admin:secret@cam/", "easyn://admin:***@cam/"),
        ("rtsp://a:se@cret/x@cam/", "rtsp://a:***@cam/"),
        ("http://cam/s.cgi?user=a&pwd=secret&x=1", "http://cam/s.cgi?user=a&pwd=***&x=1"),
        ("rtsp://cam/user=a&password=secret&channel=1", "rtsp://cam/user=a&password=***&channel=1"),
        ("rtsp://admin@cam/", "rtsp://admin@cam/"),
        ("birds.mp4", "birds.mp4"),
        ("/dev/video0?key=1", "/dev/video0?key=1"),
    ],
)
def test_redacting(argument: str, shown: str) -> None:
    assert redact(argument) == shown


PROGRAM = """
import sys
from pathlib import Path
from camkeep.cli.argv import true_arguments
told = true_arguments()
seen = Path("/proc/self/cmdline").read_bytes().split(b"\\0")
environment = Path("/proc/self/environ").read_bytes()
print(told)
print(b"hunter2" in b" ".join(seen), b"hunter2" in environment)
"""


def test_the_command_runs_anew_without_the_secret(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    arguments = ["probe", "rtsp://me:hunter2@127.0.0.1/a b", "ü"]
    done = subprocess.run(
        [sys.executable, str(program), *arguments], capture_output=True, text=True, check=True
    )
    told, leaked = done.stdout.splitlines()
    assert told == repr(arguments)
    assert leaked == "False False"
