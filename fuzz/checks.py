"""What must be true of whatever a parser yields."""

from __future__ import annotations

from collections.abc import Sequence

from camkeep.media.nal import MAX_SIDE, AccessUnit
from camkeep.model import AudioParams, Codec, Sample, VideoParams


def video_params(params: VideoParams) -> None:
    """What a file can state."""
    assert 0 < params.width <= MAX_SIDE, params.width
    assert 0 < params.height <= MAX_SIDE, params.height
    assert params.timescale > 0
    assert params.pixel_aspect > 0
    assert params.reorder is None or 0 <= params.reorder <= 16
    assert params.codec_string.isascii()
    assert params.codec_string.isprintable()
    assert bool(params.config) == (params.codec is not Codec.JPEG)


def audio_params(params: AudioParams) -> None:
    """What a file can state."""
    assert 0 < params.sample_rate <= 192_000, params.sample_rate
    assert 0 < params.channels <= 255, params.channels
    assert params.timescale > 0
    assert params.frame_ticks >= 0


def picture(data: bytes) -> None:
    """A whole JPEG."""
    assert data.startswith(b"\xff\xd8"), data[:4]
    assert data.endswith(b"\xff\xd9"), data[-4:]


def nal_units(data: bytes) -> list[bytes]:
    """What `data` splits into by the 4-byte lengths; it must do so exactly."""
    found = []
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4])
        nal = data[at + 4 : at + 4 + size]
        assert size > 0, "an empty NAL unit"
        assert len(nal) == size, "a NAL unit longer than its access unit"
        found.append(nal)
        at += 4 + size
    return found


def access_unit(unit: AccessUnit) -> None:
    """A picture that MP4 can hold."""
    video_params(unit.params)
    if unit.params.codec is Codec.JPEG:
        picture(unit.data)
        assert unit.key
        return
    h264 = unit.params.codec is Codec.H264
    kinds = [nal[0] & 31 if h264 else nal[0] >> 1 & 63 for nal in nal_units(unit.data)]
    sets = {7, 8, 9, 10, 11, 12} if h264 else {32, 33, 34, 35, 36, 37, 38}
    assert not sets & set(kinds), "a parameter set or delimiter in a sample"
    assert any(kind < 6 if h264 else kind < 32 for kind in kinds), "a sample without a slice"


def time_rises(made: Sequence[Sample]) -> None:
    """Within a run, wall times rise with media times; runs only go up.

    Of samples behind the newest (B-frames, and stamps that make no sense) nothing is asked: a
    run that is still finding its anchor has moved on from where it would have placed them.
    """
    newest: dict[int, Sample] = {}
    for sample in made:
        assert not newest or sample.run >= max(newest)
        last = newest.get(sample.run)
        if last is None or sample.ticks > last.ticks:
            assert last is None or sample.wall >= last.wall, "time runs backwards"
            newest[sample.run] = sample


def sample(made: Sample) -> None:
    """A sample that a source may hand on."""
    assert made.data
    assert made.run >= 0
    if isinstance(made.params, VideoParams):
        access_unit(AccessUnit(made.params, made.data, made.key, False))
    else:
        audio_params(made.params)
        assert made.key
