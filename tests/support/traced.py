"""A movie that is recorded in a process of its own, whose system calls strace watches or spoils."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.movies import stream

RECORD = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from camkeep.errors import StorageError
from support.encoded import ffmpeg
from support.movies import stream, IDENTITY
from camkeep.archive.evidence import examine_file
from camkeep.archive.files import SystemFiles
from camkeep.archive.movie import MovieFile
from camkeep.archive.recover_movie import Recovered, recover_movie
params, samples = stream("h264")
file = MovieFile.create(Path({path!r}), params, None, IDENTITY, sealed={sealed!r})
for start in range(0, 50, 10):
    file.append(samples[start : start + 10])
    try:
        file.sync()
    except StorageError as error:
        print(type(error).__name__, error)
try:
    file.close(None, bytes(32) if {sealed!r} else None)
except StorageError as error:
    print("close", type(error).__name__, error)
"""


def traced(path: Path, *arguments: str, sealed: bool = False) -> subprocess.CompletedProcess[str]:
    """Record to `path` in a process whose system calls strace watches or spoils."""
    stream("h264")  # it is encoded here, not there
    script = RECORD.format(tests=str(Path(__file__).parents[1]), path=str(path), sealed=sealed)
    command = ["strace", "-f", *arguments, sys.executable, "-c", script]
    return subprocess.run(command, capture_output=True, text=True, check=False)
