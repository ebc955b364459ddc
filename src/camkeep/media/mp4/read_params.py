"""Sample entries to params. What this module does not know, camkeep cannot play."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from camkeep.errors import MediaError
from camkeep.media.audio import aac_params, g711_params, opus_params
from camkeep.media.h264 import H264Stream
from camkeep.media.h265 import H265Stream
from camkeep.media.jpeg import jpeg_params
from camkeep.media.mp4.entries import OBJECT_AAC, OBJECT_JPEG
from camkeep.media.mp4.read_boxes import child, fields, path
from camkeep.media.nal import check_size
from camkeep.model import AudioParams, Codec, VideoParams

VISUAL_HEAD = 78
"""Bytes of a VisualSampleEntry between its header and the boxes in it."""
_AUDIO_HEAD = {0: 28, 1: 44, 2: 64}  # by version; 1 and 2 are QuickTime's
_DECODER_CONFIG, _DECODER_SPECIFIC = 4, 5


def read_video_entry(kind: bytes, entry: memoryview, timescale: int) -> VideoParams:
    """The params of a VisualSampleEntry. Raises MediaError, also for unknown codecs."""
    width, height = fields(">HH", entry, 24)
    check_size(width, height)
    inside = entry[VISUAL_HEAD:]
    if kind in (b"avc1", b"avc3"):
        params = _avc(bytes(path(inside, b"avcC")), timescale)
    elif kind in (b"hvc1", b"hev1"):
        params = _hevc(bytes(path(inside, b"hvcC")), timescale)
    elif kind == b"mp4v" and _esds(path(inside, b"esds"))[0] == OBJECT_JPEG:
        params = replace(jpeg_params(width, height), timescale=timescale)
    else:
        raise _unknown(kind)
    aspect = Fraction(1)
    if (pasp := child(inside, b"pasp")) is not None:
        across, down = fields(">II", pasp)
        if across and down:
            aspect = Fraction(across, down)
    return replace(params, width=width, height=height, pixel_aspect=aspect)


def read_audio_entry(kind: bytes, entry: memoryview) -> AudioParams:
    """The params of an AudioSampleEntry. Raises MediaError, also for unknown codecs."""
    version, channels, rate = fields(">8xH6xH6xI", entry)
    inside = entry[_AUDIO_HEAD.get(version, VISUAL_HEAD) :]
    if kind == b"mp4a":
        object_type, config = _esds(path(inside, b"esds"))
        if object_type == OBJECT_AAC:
            return aac_params(config)
    elif kind == b"Opus":
        config = bytes(path(inside, b"dOps"))
        if len(config) >= 2:
            return replace(opus_params(config[1]), config=config)
    elif kind in (b"alaw", b"ulaw"):
        codec = Codec.PCMA if kind == b"alaw" else Codec.PCMU
        return g711_params(codec, rate >> 16, channels)
    raise _unknown(kind)


def _unknown(kind: bytes) -> MediaError:
    name = kind.decode("latin-1")
    return MediaError(f"the movie's codec ({name!r}) is not one that camkeep knows")


def _avc(config: bytes, timescale: int) -> VideoParams:
    """From AVCDecoderConfigurationRecord (ISO 14496-15 §5.3.3.1)."""
    stream = H264Stream(timescale, avc_sets(config))
    if stream.params is None:
        raise MediaError("the movie's H.264 parameter sets are malformed")
    return replace(stream.params, config=config)


def avc_sets(config: bytes) -> Iterator[bytes]:
    """The parameter sets in it. Raises MediaError."""
    data = memoryview(config)
    lengths, count = fields(">BB", data, 4)
    if lengths & 3 != 3:
        raise MediaError("the movie's NAL units have lengths of less than 4 bytes")
    position = 6
    for more in (True, False):
        for _ in range(count & 0x1F if more else count):
            (size,) = fields(">H", data, position)
            yield config[position + 2 : position + 2 + size]
            position += 2 + size
        if more:
            (count,) = fields(">B", data, position)
            position += 1


def _hevc(config: bytes, timescale: int) -> VideoParams:
    """From HEVCDecoderConfigurationRecord (ISO 14496-15 §8.3.3.1)."""
    stream = H265Stream(timescale, hevc_sets(config))
    if stream.params is None:
        raise MediaError("the movie's H.265 parameter sets are malformed")
    return replace(stream.params, config=config)


def hevc_sets(config: bytes) -> Iterator[bytes]:
    """The parameter sets in it. Raises MediaError."""
    data = memoryview(config)
    lengths, arrays = fields(">BB", data, 21)
    if lengths & 3 != 3:
        raise MediaError("the movie's NAL units have lengths of less than 4 bytes")
    position = 23
    for _ in range(arrays):
        (count,) = fields(">xH", data, position)
        position += 3
        for _ in range(count):
            (size,) = fields(">H", data, position)
            yield config[position + 2 : position + 2 + size]
            position += 2 + size


def _esds(payload: memoryview) -> tuple[int, bytes]:
    """objectTypeIndication and DecoderSpecificInfo of an `esds` box (ISO 14496-1 §7.2.6)."""
    _, es = _descriptor(payload[4:])
    (flags,) = fields(">2xB", es)
    position = 3 + (2 if flags & 0x80 else 0) + (2 if flags & 0x20 else 0)
    if flags & 0x40:  # a URL
        position += 1 + int(fields(">B", es, position)[0])
    tag, decoder = _descriptor(es[position:])
    if tag != _DECODER_CONFIG:
        raise MediaError("the movie has no decoder configuration")
    (object_type,) = fields(">B", decoder)
    if len(decoder) <= 13:
        return object_type, b""
    tag, specific = _descriptor(decoder[13:])
    return object_type, bytes(specific) if tag == _DECODER_SPECIFIC else b""


def _descriptor(data: memoryview) -> tuple[int, memoryview]:
    """Tag and content of the descriptor that `data` begins with."""
    (tag,) = fields(">B", data)
    size = 0
    for position in range(1, 5):
        (byte,) = fields(">B", data, position)
        size = size << 7 | byte & 0x7F
        if not byte & 0x80:
            break
    return tag, data[position + 1 : position + 1 + size]
