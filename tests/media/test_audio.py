"""Sound: configurations that ffmpeg writes, the standard's own forms, and anything."""

from __future__ import annotations

import io
import struct

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.errors import MediaError
from camkeep.media.audio import aac_params, g711_params, opus_params
from camkeep.model import Codec
from support.bitwriter import BitWriter
from support.encoded import ffmpeg


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_agrees_with_ffmpeg(rate: int, channels: int) -> None:
    sound = f"sine=r={rate}:d=0.2"
    coded = ffmpeg(
        *("-f", "lavfi", "-i", sound, "-ac", str(channels), "-c:a", "aac"),
        *("-f", "matroska", "pipe:1"),
    )
    with av.open(io.BytesIO(coded)) as container:
        config = bytes(container.streams.audio[0].codec_context.extradata or b"")
    params = aac_params(config)
    assert (params.sample_rate, params.timescale, params.channels) == (rate, rate, channels)
    assert (params.codec_string, params.frame_ticks) == ("mp4a.40.2", 1024)
    assert params.config == config


@pytest.mark.parametrize(
    ("config", "codec", "heard", "core", "channels", "ticks"),
    [
        ("1190", "mp4a.40.2", 48000, 48000, 2, 1024),
        ("1194", "mp4a.40.2", 48000, 48000, 2, 960),
        ("2b920800", "mp4a.40.5", 44100, 22050, 2, 1024),  # SBR, hierarchical signalling
        ("131056e598", "mp4a.40.2", 48000, 24000, 2, 1024),  # SBR, announced behind the rest
        ("131056e500", "mp4a.40.2", 24000, 24000, 2, 1024),  # ... and said not to be there
        ("eb8a0800", "mp4a.40.29", 44100, 22050, 2, 1024),  # parametric stereo
        ("f8e85000", "mp4a.40.39", 44100, 44100, 2, 480),  # enhanced low delay
        ("b98c00", "mp4a.40.23", 48000, 48000, 1, 480),  # low delay
        ("1238", "mp4a.40.2", 44100, 44100, 8, 1024),
        ("17802bf20800", "mp4a.40.2", 22500, 22500, 1, 1024),  # a rate spelt out
    ],
)
def test_forms_of_the_configuration(
    config: str, codec: str, heard: int, core: int, channels: int, ticks: int
) -> None:
    params = aac_params(bytes.fromhex(config))
    assert (params.sample_rate, params.timescale) == (heard, core)
    assert (params.codec_string, params.channels, params.frame_ticks) == (codec, channels, ticks)


def test_channels_of_a_program_config_element() -> None:
    bits = BitWriter().u(5, 2).u(4, 3).u(4, 0).u(3, 0)
    bits.u(4, 0).u(2, 1).u(4, 3).u(4, 2).u(4, 1).u(4, 1).u(2, 1).u(3, 1).u(4, 1)
    bits.u(1, 1).u(4, 0).u(2, 0)
    for pair in (0, 1, 1, 0):  # two in front, one beside, one behind
        bits.u(1, pair).u(4, 0)
    bits.u(4, 0).u(4, 0).u(5, 0)
    bits.u(-bits.length % 8, 0).u(8, 2).u(16, 0x6869)
    assert aac_params(bits.data()).channels == 7


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("", "cut short"),
        ("11", "cut short"),
        ("1688", "sampling rate"),
        ("1780000008", "sampling rate"),
        ("11c8", "channel layout 9"),
        ("4190", "type 8, which is not AAC"),
        ("b190", "type 22, which is not AAC"),
        ("1180" + "00" * 8, "no channel"),
        ("00" * 2000, "too long"),
    ],
)
def test_malformed_configurations(config: str, words: str) -> None:
    with pytest.raises(MediaError, match=words):
        aac_params(bytes.fromhex(config))


@given(st.binary(max_size=40) | st.binary(max_size=20).map(lambda tail: b"\x11\x80" + tail))
def test_any_bytes_raise_nothing_else(config: bytes) -> None:
    try:
        params = aac_params(config)
    except MediaError:
        return
    assert 0 < params.timescale <= 96_000
    assert 0 < params.sample_rate <= 96_000
    assert params.channels > 0


def test_opus() -> None:
    params = opus_params(2)
    assert (params.codec, params.timescale, params.codec_string) == (Codec.OPUS, 48_000, "opus")
    assert params.config == struct.pack(">BBHIhB", 0, 2, 0, 48_000, 0, 0)
    with pytest.raises(MediaError, match="1 or 2 channels, not 3"):
        opus_params(3)


def test_g711() -> None:
    alaw, ulaw = g711_params(Codec.PCMA, 8000, 1), g711_params(Codec.PCMU, 16000, 2)
    assert (alaw.codec_string, alaw.timescale, alaw.config) == ("alaw", 8000, b"")
    assert (ulaw.codec_string, ulaw.timescale, ulaw.channels) == ("ulaw", 16000, 2)
    with pytest.raises(MediaError, match="not a kind of"):
        g711_params(Codec.AAC, 8000, 1)
    with pytest.raises(MediaError, match="not possible"):
        g711_params(Codec.PCMA, 0, 1)
