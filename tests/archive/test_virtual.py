"""Virtual movies on real files: read in any pieces, whatever becomes of the segments meanwhile."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from camkeep.archive.virtual import FilePiece, VirtualMovie, open_clip
from camkeep.clock import WallUs
from camkeep.errors import StorageError, UsageError
from camkeep.media.mp4 import read_movie
from camkeep.media.mp4.clip_box import read_clip_box
from camkeep.media.mp4.splice import Gaps
from support.segments import LENGTH_US, NOON, SECOND, Camera

FOREVER = WallUs(NOON + 10**12)


@pytest.fixture
def camera(tmp_path: Path) -> Camera:
    return Camera(tmp_path)


class InMemory:
    def __init__(self, movie: VirtualMovie) -> None:
        self.data = movie.read(0, movie.size)
        self.size = movie.size

    def read_at(self, offset: int, length: int, /) -> bytes:
        return self.data[offset : offset + length]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Camera:
    """A camera whose pictures change: a clip of it has bytes of every origin."""
    camera = Camera(tmp_path_factory.mktemp("archive"))
    camera.record("h264", "aac")
    camera.record("h264-large", "aac")
    camera.record("h264-b", "aac", closed=False)
    return camera


@given(st.floats(0, 1), st.floats(0, 1), st.booleans())
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_range_is_a_slice_of_the_whole(
    mixed: Camera, begin: float, length: float, short: bool
) -> None:
    start, end = WallUs(NOON + 700_000), WallUs(NOON + 5_000_000)
    with open_clip(mixed.root, mixed.segments, start, end) as clip:
        (movie,) = clip
        whole = movie.read(0, movie.size)
        assert len(whole) == movie.size
        offset = int(begin * movie.size)
        count = int(length * (300 if short else movie.size * 1.1))
        assert movie.read(offset, count) == whole[offset : offset + count]
        parts: list[bytes] = []
        for piece in movie.pieces(offset, count):
            if isinstance(piece, FilePiece):
                parts.append(os.pread(piece.fd, piece.length, piece.offset))
                assert piece.length > 0
            else:
                parts.append(piece)
        assert b"".join(parts) == whole[offset : offset + count]


def test_a_whole_segment_is_one_piece_and_only_edges_are_cut(camera: Camera) -> None:
    for _ in range(4):
        camera.record("h264", "aac")
    start, end = WallUs(NOON + 700_000), WallUs(NOON + 7_100_000)
    with open_clip(camera.root, camera.segments, start, end) as clip:
        pieces = list(clip[0].pieces(0, clip[0].size))
        by_file: dict[int, int] = {}
        for piece in pieces[1:]:
            assert isinstance(piece, FilePiece)
            by_file[piece.fd] = by_file.get(piece.fd, 0) + 1
        first, *middle, last = by_file.values()
        assert middle == [1, 1]
        assert first < 30
        assert last < 30


def test_what_is_outside_of_the_interval_is_not_given_away(camera: Camera) -> None:
    made = camera.record("h264", "aac")
    start, end = WallUs(NOON + 1_000_000), WallUs(NOON + 1_200_000)
    with open_clip(camera.root, camera.segments, start, end) as clip:
        data = InMemory(clip[0]).data
    for frame in made.frames:
        assert (frame.data in data) == (960_000 <= frame.time_us < 1_200_000)
    for sound in made.sound:
        assert (sound.data in data) == (1_000_000 - 21_333 < sound.time_us < 1_200_000)


def test_the_same_clip_has_the_same_bytes_and_tag(camera: Camera) -> None:
    for _ in range(2):
        camera.record("h264-b", "aac")
    start, end = WallUs(NOON + 700_000), WallUs(NOON + 3_000_000)
    found = []
    for until in (end, end, WallUs(end + 12)):
        with open_clip(camera.root, camera.segments, start, until) as clip:
            found.append((InMemory(clip[0]).data, clip[0].etag))
    assert found[0] == found[1]
    assert found[0][1] != found[2][1]
    assert found[0][0] != found[2][0]


def test_a_clip_says_when_it_was_recorded(camera: Camera) -> None:
    camera.record()
    camera.wait(5 * SECOND)
    camera.record()
    start = WallUs(NOON + 500_001)
    for gaps, second_at in ((Gaps.KEEP, 6_499_999), (Gaps.CUT, 1_499_999)):
        with open_clip(camera.root, camera.segments, start, FOREVER, gaps=gaps) as clip:
            (movie,) = clip
            before, after = movie.spans
            assert (movie.start, before.at_us, before.wall) == (start, 0, start)
            assert after.wall == camera.segments[1].start
            assert abs(after.at_us - second_at) <= 12
            assert movie.duration_us == pytest.approx(second_at + LENGTH_US, abs=24)
            about = read_clip_box(InMemory(movie))
            assert about is not None
            assert (about.start, about.camera_id) == (start, "abcdefghijkm")
            assert [each.start for each in about.segments] == [s.start for s in camera.segments]


def test_a_deletion_does_not_break_a_download_under_way(camera: Camera) -> None:
    for _ in range(3):
        camera.record()
    with open_clip(camera.root, camera.segments, NOON, FOREVER) as clip:
        whole = InMemory(clip[0]).data
        for segment in camera.segments:
            (camera.root / segment.path).unlink()
        assert InMemory(clip[0]).data == whole


def test_a_segment_that_grows_is_read_up_to_its_last_whole_fragment(camera: Camera) -> None:
    camera.record("h264", "aac")
    path = camera.root / camera.record("h264", "aac", closed=False).segment.path
    with open_clip(camera.root, camera.segments, NOON, FOREVER) as clip:
        (movie,) = clip
        before = InMemory(movie)
        with path.open("ab") as file:  # the next fragment, of which a part is on the disk
            file.write(b"\0\0\1\0moof" + bytes(99))
        assert InMemory(movie).data == before.data
    with open_clip(camera.root, camera.segments, NOON, FOREVER) as clip:
        assert InMemory(clip[0]).data == before.data
        assert clip.missing == ()
    video = read_movie(before).video
    assert video is not None
    assert len(video.samples) == 100


def test_segments_that_are_gone_or_damaged_are_gaps(camera: Camera) -> None:
    for _ in range(5):
        camera.record("h264", "aac")
    one, two, three, four, five = (camera.root / s.path for s in camera.segments)
    two.unlink()
    three.write_bytes(three.read_bytes()[:5000])
    data = four.read_bytes()
    at = data.rindex(b"stsz")
    four.write_bytes(data[: at + 8] + b"\xff" * 8 + data[at + 16 :])
    assert one.exists()
    assert five.exists()
    with open_clip(camera.root, camera.segments, NOON, FOREVER) as clip:
        assert [missing.segment.sequence for missing in clip.missing] == [2, 3, 4]
        assert clip.missing[0].reason == "its file is gone"
        (movie,) = clip
        assert [span.wall for span in movie.spans] == [NOON, camera.segments[4].start]
        about = read_clip_box(InMemory(movie))
        assert about is not None
        assert [hole.sequence for hole in about.holes] == [2, 3, 4]
    with open_clip(camera.root, camera.segments[1:4], NOON, FOREVER) as clip:
        assert len(clip) == 0
        assert len(clip.missing) == 3


def test_a_folder_in_place_of_a_segment(camera: Camera) -> None:
    segment = replace(camera.record().segment, path="recordings")
    with open_clip(camera.root, [segment], NOON, FOREVER) as clip:
        assert "cannot be read" in clip.missing[0].reason


def test_a_file_that_shrinks_meanwhile_is_an_error_not_a_short_read(camera: Camera) -> None:
    path = camera.root / camera.record().segment.path
    with open_clip(camera.root, camera.segments, NOON, FOREVER) as clip:
        os.truncate(path, 1000)
        with pytest.raises(StorageError, match="shorter"):
            clip[0].read(0, clip[0].size)


def test_what_cannot_be_in_one_movie_is_several(camera: Camera) -> None:
    camera.record("h264", "aac")
    camera.record("h265-b", "aac")  # another codec
    camera.record("h265-b", "opus")  # other sound
    camera.record("h265-b")  # no sound: it pauses
    camera.record("h265-b", "opus")
    camera.wait(7 * 3600 * SECOND)  # MP4 cannot hold it
    camera.record("h265-b", "opus")
    with open_clip(camera.root, camera.segments, NOON, FOREVER) as clip:
        assert [len(movie.spans) for movie in clip] == [1, 1, 3, 1]
        starts = [movie.start for movie in clip]
        assert starts == [camera.segments[n].start for n in (0, 1, 2, 5)]
        for movie in clip:
            read_movie(InMemory(movie))
    with open_clip(camera.root, camera.segments, NOON, FOREVER, gaps=Gaps.CUT) as clip:
        assert [len(movie.spans) for movie in clip] == [1, 1, 4]


def test_an_interval_without_footage_is_nothing(camera: Camera) -> None:
    camera.record()
    camera.wait(SECOND)
    camera.record()
    start = WallUs(NOON + LENGTH_US + 100)
    with open_clip(camera.root, camera.segments, start, WallUs(start + 1000)) as clip:
        assert (len(clip), clip.missing) == (0, ())
    with open_clip(camera.root, [], start, FOREVER) as clip:
        assert len(clip) == 0
    with pytest.raises(UsageError, match="ends before"):
        open_clip(camera.root, camera.segments, start, start)
