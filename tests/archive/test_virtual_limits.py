"""Virtual movies where limits are: descriptors, and places beyond 32 bits."""

from __future__ import annotations

import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from camkeep.archive.virtual import open_clip
from camkeep.clock import WallUs
from camkeep.media.mp4 import read_movie
from support.movies import stream
from support.segments import NOON, Camera

FOREVER = WallUs(NOON + 10**12)


@pytest.fixture
def camera(tmp_path: Path) -> Camera:
    return Camera(tmp_path)


def test_files_are_let_go_of(camera: Camera) -> None:
    for _ in range(3):
        camera.record()

    def open_files() -> int:
        return len(list(Path("/dev/fd").iterdir()))

    before = open_files()
    segments = camera.segments
    with open_clip(camera.root, segments, segments[1].start, FOREVER):
        assert open_files() == before + 2  # of the first nothing is needed
    assert open_files() == before
    (camera.root / segments[1].path).write_bytes(b"nothing")
    open_clip(camera.root, segments, NOON, FOREVER).close()
    assert open_files() == before


MANY = """
import resource, sys
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, {tests!r})
from camkeep.archive.virtual import open_clip
from camkeep.errors import UsageError
from support.segments import *
root, hard = Path(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
camera = Camera(root)
segment = camera.record().segment
many = [replace(segment, sequence=n, start=WallUs(NOON + n * LENGTH_US)) for n in range(300)]
try:
    with open_clip(root, many, NOON, WallUs(NOON + 300 * LENGTH_US)) as clip:
        print(len(clip[0].spans), clip[0].read(clip[0].size - 1, 1) != b"")
except UsageError as error:
    print(error)
"""


@pytest.mark.parametrize("hard", [1000, 200])
def test_a_clip_of_more_files_than_the_soft_limit(tmp_path: Path, hard: int) -> None:
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= 1000
    stream("h264")  # it is encoded here, not there
    script = MANY.format(tests=str(Path(__file__).parents[1]))
    command = [sys.executable, "-c", script, str(tmp_path), str(hard)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    if hard == 1000:
        assert done.stdout == "300 True\n"
    else:
        assert "too long" in done.stdout
        assert "(200)" in done.stdout


def test_a_clip_beyond_4_gib(tmp_path: Path) -> None:
    """Places in the clip have 64 bits there; the files are sparse."""
    camera = Camera(tmp_path)
    path = tmp_path / camera.record(sealed=False).segment.path
    data = path.read_bytes()
    hole = (3 << 30) + 12
    tail = data.rindex(b"moov") - 4
    with path.open("r+b") as file:  # a hole behind the samples, in the box that they are in
        file.truncate(tail)
        file.truncate(tail + hole)
        file.seek(tail + hole)
        file.write(data[tail:])
        at = data.index(b"mdat") + 4
        size = int.from_bytes(data[at : at + 8])
        file.seek(at)
        file.write((size + hole).to_bytes(8))
    segment = camera.segments[0]
    both = [segment, replace(segment, sequence=2, start=segment.end)]
    with open_clip(tmp_path, both, NOON, FOREVER) as clip:
        (movie,) = clip
        assert movie.size > 6 << 30

        class Far:
            size = movie.size
            read_at = staticmethod(movie.read)

        video = read_movie(Far()).video
        assert video is not None
        wanted = [frame.data for frame in camera.made[0].frames] * 2
        assert [movie.read(s.offset, s.size) for s in video.samples] == wanted
