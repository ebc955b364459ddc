"""A clip verified by itself: what was exported is intact, and whatever is changed shows."""

from __future__ import annotations

import hashlib
import json
import random
import struct
from pathlib import Path
from uuid import UUID

import pytest

from camkeep.archive.virtual import VirtualClip, open_clip
from camkeep.clock import WallUs
from camkeep.errors import MediaError
from camkeep.media.mp4 import read_movie
from camkeep.media.mp4.boxes import box
from camkeep.media.mp4.clip_box import CLIP_UUID
from camkeep.media.mp4.clip_verify import ClipEvidence, Verdict, verify_clip
from camkeep.media.mp4.seal import NOTHING_BEFORE
from camkeep.media.mp4.splice import Gaps
from support.segments import LENGTH_US, NOON, SECOND, Camera

INTACT, CHANGED, UNSEALED = Verdict.INTACT, Verdict.CHANGED, Verdict.UNSEALED


class Bytes:
    """A clip in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def read_at(self, offset: int, length: int, /) -> bytes:
        return self.data[offset : offset + length]


def verified(data: bytes) -> ClipEvidence:
    return verify_clip(Bytes(data))


def whole(clip: VirtualClip) -> bytes:
    (movie,) = clip
    return movie.read(0, movie.size)


def exported(camera: Camera, begin_us: int, end_us: int, **options: Gaps | bool) -> bytes:
    """A clip with evidence, times since the first segment's start."""
    start, end = WallUs(NOON + begin_us), WallUs(NOON + end_us)
    with open_clip(
        camera.root, camera.segments, start, end, evidence=True, gaps=options.get("gaps", Gaps.KEEP)
    ) as clip:
        return whole(clip)


@pytest.fixture
def camera(tmp_path: Path) -> Camera:
    return Camera(tmp_path)


@pytest.mark.parametrize("gaps", Gaps)
@pytest.mark.parametrize(("begin", "end"), [(0, 9 * SECOND), (700_000, 6_100_000)])
def test_an_exported_clip_is_intact(camera: Camera, gaps: Gaps, begin: int, end: int) -> None:
    camera.record("h264", "aac", fragment=7)
    camera.record("h264-b")
    camera.wait(500_000)
    camera.record("h264-large", "aac")
    camera.record("h264-open", "aac")
    found = verified(exported(camera, begin, end, gaps=gaps))
    assert (found.intact, found.unbroken, found.holes) == (True, True, ())
    assert (found.previous, found.camera_id) == (NOTHING_BEFORE, camera.segments[0].camera)
    assert found.chain == camera.made[len(found.segments) - 1].segment.chain
    assert [each.sequence for each in found.segments] == [1, 2, 3, 4][: len(found.segments)]
    first, last = found.segments[0], found.segments[-1]
    assert abs(first.start - NOON - begin // 480_000 * 480_000) < 12  # a key frame every 480 ms
    assert 0 < NOON + min(end, 8_500_000) - last.end <= 40_012
    assert first.frames + found.segments[1].frames > 50


@pytest.mark.parametrize("name", ["h265-b", "jpeg"])
def test_other_codecs(camera: Camera, name: str) -> None:
    camera.record(name, "opus")
    camera.record("h265-large" if name == "h265-b" else name, "opus")
    found = verified(exported(camera, 900_000, 3_100_000))
    assert (found.intact, found.unbroken) == (True, True)


def test_a_changed_byte_of_any_sample_shows_and_says_where(camera: Camera) -> None:
    for _ in range(3):
        camera.record("h264", "aac")
    data = exported(camera, 700_000, 5_100_000)
    movie = read_movie(Bytes(data))
    rng = random.Random(5)
    starts = [each.frames for each in verified(data).segments]
    for track in movie.tracks:
        for number in rng.sample(range(len(track.samples)), 12):
            sample = track.samples[number]
            at = sample.offset + rng.randrange(sample.size)
            forged = bytearray(data)
            forged[at] ^= 1 << rng.randrange(8)
            found = verified(bytes(forged))
            verdicts = [each.verdict for each in found.segments]
            assert not found.intact
            assert verdicts.count(CHANGED) == 1
            if track is movie.video:
                assert verdicts.index(CHANGED) == segment_of(number, starts)


def segment_of(number: int, counts: list[int]) -> int:
    for segment, count in enumerate(counts):
        if number < count:
            return segment
        number -= count
    raise AssertionError(number)


def test_changed_tables_never_pass(camera: Camera) -> None:
    """A table that places samples elsewhere, or at another time, or marks other key frames."""
    for _ in range(2):
        camera.record("h264-b", "aac")
    data = exported(camera, 700_000, 3_700_000)
    rng = random.Random(6)
    for kind in (b"stts", b"ctts", b"stss", b"stsz", b"stco", b"stsc"):
        at = data.index(kind) + 12  # the first row, or what counts as one
        columns = 2 if kind == b"stsc" else 3  # the third says how to decode, not what
        for place in range(at, at + 4 * columns, 4):
            forged = bytearray(data)
            forged[place + 3] ^= 1 << rng.randrange(6)
            try:
                found = verified(bytes(forged))
            except MediaError:
                continue
            assert not found.intact, (kind, place)


def test_a_missing_segment_shows(camera: Camera) -> None:
    for _ in range(4):
        camera.record()
    (camera.root / camera.segments[2].path).unlink()
    found = verified(exported(camera, 0, 4 * LENGTH_US))
    assert found.intact
    assert not found.unbroken
    assert [each.linked for each in found.segments] == [True, True, False]
    (hole,) = found.holes
    assert (hole.sequence, hole.reason) == (3, "its file is gone")
    assert (hole.start, hole.end) == (camera.segments[2].start, camera.segments[2].end)


def test_a_segment_that_was_put_in_between_or_exchanged_shows(camera: Camera) -> None:
    for _ in range(3):
        camera.record()
    start, end = NOON, WallUs(NOON + 3 * LENGTH_US)
    first, second, third = camera.segments
    with open_clip(camera.root, [first, third], start, end, evidence=True) as clip:
        assert not verified(whole(clip)).unbroken
    with open_clip(camera.root, [first, third, second], start, end, evidence=True) as clip:
        assert not verified(whole(clip)).unbroken


def test_an_open_segment_is_told(camera: Camera) -> None:
    camera.record("h264", "aac")
    camera.record("h264-b", "aac", closed=False)
    found = verified(exported(camera, 0, 3_500_000))
    assert [each.verdict for each in found.segments] == [INTACT, UNSEALED]
    assert (found.intact, found.unbroken) == (False, False)
    assert found.chain == camera.segments[0].chain


def test_a_clip_without_evidence_says_so(camera: Camera) -> None:
    camera.record()
    with (
        open_clip(camera.root, camera.segments, NOON, WallUs(NOON + SECOND)) as clip,
        pytest.raises(MediaError, match="without evidence"),
    ):
        verified(whole(clip))
    with pytest.raises(MediaError, match="no clip"):
        verified((camera.root / camera.segments[0].path).read_bytes())


def test_somebody_else_can_verify_it(camera: Camera) -> None:
    """The steps of docs/clips.md, done without a line of ours but for the tables."""
    camera.record("h264", "aac")
    camera.record("h264-large", "aac")
    camera.record("h264-b", "aac")
    data = exported(camera, 700_000, 5_100_000)
    at = data.index(UUID("f2d6a8b1-94c3-4e0d-a7c5-63616d6b6565").bytes)
    end = at - 8 + int.from_bytes(data[at - 8 : at - 4])
    (length,) = struct.unpack_from(">I", data, at + 16)
    about = json.loads(data[at + 20 : at + 20 + length])
    leaves = data[at + 20 + length : end]
    samples = []
    for track in read_movie(Bytes(data)).tracks:
        no_edit = track.samples[0].dts
        for n, s in enumerate(track.samples):
            samples.append((s.offset, s.size, track.track_id, s.time - no_edit, s.key, n))
    samples.sort()
    chain = None
    for segment in about["segments"]:
        digest, frame = hashlib.sha256(), 0
        for number, count in enumerate(segment["runs"]):
            if number % 2 == 0:
                digest.update(leaves[: 32 * count])
                leaves = leaves[32 * count :]
                continue
            for offset, size, track_id, time, key, _ in samples[:count]:
                time -= segment["base"][str(track_id)]
                lead = segment["lead"] if key and track_id == 1 else 0
                if track_id == 1:
                    time -= segment["moved"][1] if frame == segment["moved"][0] else 0
                    frame += 1
                leaf = struct.pack(">IqB", track_id, time, key) + data[offset:][lead:size]
                digest.update(hashlib.sha256(leaf).digest())
            samples = samples[count:]
        seal = json.loads(segment["seal"])
        assert seal["samples"] == digest.hexdigest()
        assert chain is None or seal["previous"] == chain
        chain = hashlib.sha256(segment["seal"].encode()).hexdigest()
    assert (samples, leaves) == ([], b"")
    assert chain == camera.segments[2].chain.hex()


# forgeries that need more than a changed byte


def reboxed(data: bytes, change: dict[str, object], segment: int | None = None) -> bytes:
    """The clip with other fields in what it says of itself; it keeps its length."""
    at = data.index(CLIP_UUID) + 16
    (length,) = struct.unpack_from(">I", data, at)
    about = json.loads(data[at + 4 : at + 4 + length])
    (about if segment is None else about["segments"][segment]).update(change)
    text = json.dumps(about, separators=(",", ":")).encode()
    assert len(text) <= length, "choose a shorter forgery"
    return data[: at + 4] + text.ljust(length) + data[at + 4 + length :]


@pytest.mark.parametrize(
    "change",
    [{"moved": [0, 1]}, {"moved": [1, 0]}, {"lead": 4}, {"sequence": 2}, {"runs": [0, 9]}],
)
def test_what_a_clip_says_of_itself_must_fit(camera: Camera, change: dict[str, object]) -> None:
    camera.record("h264", "aac")
    data = exported(camera, 500_000, LENGTH_US)
    assert verified(reboxed(data, {}, 0)).intact
    assert not verified(reboxed(data, change, 0)).intact


def test_another_camera_or_seal_shows(camera: Camera) -> None:
    camera.record()
    data = exported(camera, 0, LENGTH_US)
    assert not verified(reboxed(data, {"camera": "zz"})).intact
    for change in ({"seal": "{}"}, {"seal": ""}):
        found = verified(reboxed(data, change, 0))
        assert [each.verdict for each in found.segments] == [CHANGED]
    with pytest.raises(MediaError, match="malformed"):
        verified(reboxed(data, {"seal": 7}, 0))


def test_only_parameter_sets_may_stand_before_a_key_frame(camera: Camera) -> None:
    camera.record("h264")
    camera.record("h264-large")
    data = exported(camera, 0, 2 * LENGTH_US)
    assert verified(data).intact
    key = read_movie(Bytes(data)).tracks[0].samples[0]
    assert data[key.offset + 4] & 0x1F == 7
    forged = bytearray(data)
    forged[key.offset + 4] = 0x65  # a picture of its own, before that of the camera
    assert [each.verdict for each in verified(bytes(forged)).segments] == [CHANGED, INTACT]


def test_what_is_beside_the_segments_shows(camera: Camera) -> None:
    camera.record("h264", "aac")
    data = exported(camera, 0, LENGTH_US)
    assert verified(data + box(b"moof", bytes(8))).problems
    at = data.index(b"moov") - 4
    size = int.from_bytes(data[at : at + 4])
    trak = data.index(b"trak", at) - 4
    more = data[trak : trak + int.from_bytes(data[trak : trak + 4])].replace(b"vide", b"text")
    grown = struct.pack(">I", size + len(more)) + data[at + 4 : at + size] + more
    found = verified(data[:at] + grown + data[at + size :])
    assert "neither pictures nor sound" in " ".join(found.problems)
