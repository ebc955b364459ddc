"""A camera's recording, as the archive has it: segments of a minute, at 30 frames a second."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import clips

from camkeep.archive.layout import day_name, segment_name, segment_path
from camkeep.archive.movie import MovieFile
from camkeep.clock import WallUs
from camkeep.media.audio import aac_params
from camkeep.media.h264 import H264Stream
from camkeep.media.mp4 import Identity, TimedSample
from camkeep.media.mp4.seal import NOTHING_BEFORE
from camkeep.media.nal import split_annexb
from camkeep.model import AudioParams, CameraId, Segment, SegmentState, VideoParams

START = WallUs(1_795_219_200_000_000)
MINUTE_US = 60_000_000
FRAMES = 30 * 60
"""Of a segment."""
FRAGMENT_US = 400_000
SOUND = aac_params(bytes.fromhex("1188"))
"""AAC of 48 kHz: 46.9 pieces a second."""
JITTER_US = 900


def access_units() -> tuple[VideoParams, list[tuple[bytes, bool]]]:
    """The pictures of the clip, and whether decoding can begin at each."""
    stream = H264Stream(clips.RATE)
    found: list[tuple[bytes, bool]] = []
    params: VideoParams | None = None
    for unit in clips.h264_clip().read_bytes().split(b"\0\0\0\1\x09")[1:]:
        made = stream.assemble(split_annexb(unit))
        assert made is not None
        params = made.params
        found.append((made.data, made.key))
    assert params is not None
    return params, found


def tiny_minute() -> tuple[list[TimedSample], VideoParams, AudioParams]:
    """A minute of pictures and sound whose bytes are few: for what reads only tables. The times
    jitter as those of a camera do, so that no two rows of a table are one."""
    params, _ = access_units()
    rng = random.Random(7)
    samples = [
        TimedSample(params, bytes(9), max(0, n * 100_000 // 3 + _jitter(rng, n)), n % 60 == 0)
        for n in range(FRAMES)
    ]
    pieces = MINUTE_US * 48_000 // 1_024_000_000
    samples += [TimedSample(SOUND, bytes(5), n * 64_000 // 3, True) for n in range(pieces)]
    return sorted(samples, key=lambda sample: sample.time_us), params, SOUND


def _jitter(rng: random.Random, number: int) -> int:
    return rng.randint(-JITTER_US, JITTER_US) if number else 0


def real_minute() -> tuple[list[TimedSample], VideoParams, None]:
    """A minute of the clip: 1080p30 at 4 Mbit/s."""
    params, units = access_units()
    begin = next(n for n, (_, key) in enumerate(units) if key)
    usable = units[begin : begin + (len(units) - begin) // 60 * 60]
    return (
        [TimedSample(params, *_picture(usable, n)) for n in range(FRAMES)],
        params,
        None,
    )


def _picture(units: Sequence[tuple[bytes, bool]], number: int) -> tuple[bytes, int, bool]:
    data, key = units[number % len(units)]
    return data, number * 100_000 // 3, key


def record(
    root: Path,
    minute: tuple[list[TimedSample], VideoParams, AudioParams | None],
    segments: int,
) -> list[Segment]:
    """So many segments of that minute, sealed, one behind the other."""
    samples, video, audio = minute
    made: list[Segment] = []
    chain = NOTHING_BEFORE
    for number in range(segments):
        start = WallUs(START + number * MINUTE_US)
        where = segment_path("bench", day_name(start), segment_name(start))
        (root / where).parent.mkdir(parents=True, exist_ok=True)
        identity = Identity("bench", 1, number + 1, start, "bench")
        file = MovieFile.create(root / where, video, audio, identity, sealed=True)
        batch: list[TimedSample] = []
        for sample in samples:
            if batch and sample.time_us - batch[0].time_us >= FRAGMENT_US:
                file.append(batch)
                batch = []
            batch.append(sample)
        file.append(batch)
        seal = file.close(MINUTE_US, chain)
        assert seal is not None
        chain = seal.chain
        made.append(_segment(where, seal.identity, file, video, audio, chain))
    return made


def _segment(
    where: str,
    identity: Identity,
    file: MovieFile,
    video: VideoParams,
    audio: AudioParams | None,
    chain: bytes,
) -> Segment:
    return Segment(
        CameraId(identity.camera_id),
        identity.sequence,
        identity.run,
        where,
        identity.start,
        file.duration_us,
        file.bytes_written,
        file.frames,
        video.codec_string,
        video.width,
        video.height,
        audio.codec_string if audio is not None else "",
        SegmentState.CLOSED,
        chain,
    )
