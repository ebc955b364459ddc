"""Sample entries: what a decoder must know, as MP4 says it.

avc1 and hvc1 (ISO 14496-15 §5.4.2, §8.4.1), mp4v and mp4a with an elementary stream descriptor
(ISO 14496-14 §5.6), Opus (Encapsulation of Opus in ISO Base Media File Format §4.3), alaw and
ulaw (QuickTime File Format, sound sample descriptions).
"""

from __future__ import annotations

import struct

from camkeep.errors import MediaError
from camkeep.media.mp4.boxes import box, descriptor, full_box
from camkeep.model import AudioParams, Codec, VideoParams

OBJECT_AAC = 0x40
OBJECT_JPEG = 0x6C
"""objectTypeIndication (ISO 14496-1 §7.2.6.6.2)."""
_STREAM_VISUAL, _STREAM_AUDIO = 4, 5
_ES_DESCRIPTOR, _DECODER_CONFIG, _DECODER_SPECIFIC, _SL_CONFIG = 3, 4, 5, 6

_AUDIO_KINDS = {
    Codec.AAC: b"mp4a",
    Codec.OPUS: b"Opus",
    Codec.PCMA: b"alaw",
    Codec.PCMU: b"ulaw",
}


def file_type(video: VideoParams | None, audio: AudioParams | None) -> bytes:
    """The `ftyp` box: iso6 for signed composition offsets in fragments, and what is inside."""
    brands = [b"isom", b"iso6", b"mp42"]
    if video is not None and video.codec is Codec.H264:
        brands.append(b"avc1")
    if audio is not None and audio.codec in (Codec.PCMA, Codec.PCMU):
        brands.append(b"qt  ")  # G.711 is at home there
    return box(b"ftyp", b"isom", bytes(4), *brands)


def video_entry(params: VideoParams) -> bytes:
    """The VisualSampleEntry (ISO 14496-12 §12.1.3). MediaError where MP4 cannot hold it."""
    if not (0 < params.width <= 0xFFFF and 0 < params.height <= 0xFFFF):
        raise MediaError(f"a picture of {params.width}x{params.height} does not fit in MP4")
    match params.codec:
        case Codec.H264:
            kind, config = b"avc1", box(b"avcC", params.config)
        case Codec.H265:
            kind, config = b"hvc1", box(b"hvcC", params.config)
        case Codec.JPEG:
            kind, config = b"mp4v", _esds(OBJECT_JPEG, _STREAM_VISUAL, b"")
        case _:
            raise MediaError(f"{params.codec} is not video")
    fields = struct.pack(
        ">6xH16xHHIIIH32xHh",
        1,  # data_reference_index
        params.width,
        params.height,
        0x480000,  # 72 dpi, both ways
        0x480000,
        0,
        1,  # frames in a sample
        24,  # depth
        -1,
    )
    return box(kind, fields, config, _pasp(params))


def audio_entry(params: AudioParams) -> bytes:
    """The AudioSampleEntry (§12.2.3). MediaError where MP4 cannot hold it."""
    kind = _AUDIO_KINDS.get(params.codec)
    if kind is None:
        raise MediaError(f"{params.codec} is not sound")
    if not (0 < params.channels <= 255 and 0 < params.sample_rate < 1 << 24):
        raise MediaError(
            f"sound of {params.channels} channels at {params.sample_rate} Hz does not fit in MP4"
        )
    config = b""
    if params.codec is Codec.AAC:
        config = _esds(OBJECT_AAC, _STREAM_AUDIO, params.config)
    elif params.codec is Codec.OPUS:
        config = box(b"dOps", params.config)
    # a rate beyond 16 bits does not fit in the entry; the track's timescale tells it
    rate = params.sample_rate if params.sample_rate <= 0xFFFF else 0
    fields = struct.pack(">6xH8xHH4xI", 1, params.channels, 16, rate << 16)
    return box(kind, fields, config)


def _pasp(params: VideoParams) -> bytes:
    aspect = params.pixel_aspect
    if aspect == 1:
        return b""
    return box(b"pasp", struct.pack(">II", aspect.numerator, aspect.denominator))


def _esds(object_type: int, stream_type: int, specific: bytes) -> bytes:
    """An elementary stream descriptor (ISO 14496-1 §7.2.6.5). Bit rates are 0: not known."""
    config = struct.pack(">BB3xII", object_type, stream_type << 2 | 1, 0, 0)
    if specific:
        config += descriptor(_DECODER_SPECIFIC, specific)
    return full_box(
        b"esds",
        0,
        0,
        descriptor(
            _ES_DESCRIPTOR,
            bytes(3),  # ES_ID 0, as MP4 files have it, and no flags
            descriptor(_DECODER_CONFIG, config),
            descriptor(_SL_CONFIG, b"\x02"),  # predefined for MP4 files
        ),
    )
