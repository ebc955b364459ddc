"""What a decoder must know of sound: AAC (ISO 14496-3), Opus (RFC 7845), G.711.

Only headers are read; nothing is decoded.
"""

from __future__ import annotations

import struct

from camkeep.errors import MediaError
from camkeep.media.bits import BitReader
from camkeep.model import AudioParams, Codec

_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_MAX_RATE = 96_000
_CHANNELS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8, 11: 7, 12: 8, 14: 8}
_MAX_CONFIG = 1024

# audio object types, ISO 14496-3 table 1.17
_MAIN, _LC, _SSR, _LTP = 1, 2, 3, 4
_SBR, _PS = 5, 29
_ER_LC, _ER_LTP, _ER_LD, _ER_ELD = 17, 19, 23, 39
_PLAIN = {_MAIN, _LC, _SSR, _LTP}
_GENERAL = _PLAIN | {_ER_LC, _ER_LTP, _ER_LD}
_SYNC_SBR = 0x2B7


def aac_params(config: bytes) -> AudioParams:
    """What an AudioSpecificConfig (ISO 14496-3 §1.6.2.1) says.

    `timescale` is the rate of the core coder, in which one access unit lasts `frame_ticks`
    (1024, or 960, 512, 480); `sample_rate` is what is heard, which spectral band replication
    doubles where it is announced. Raises MediaError where it is malformed or not a kind of AAC.
    """
    if len(config) > _MAX_CONFIG:
        raise MediaError("the AAC configuration is far too long")
    bits = BitReader(config)
    signalled = kind = _object_type(bits)
    core_rate = heard_rate = _rate(bits)
    layout = bits.u(4)
    if kind in (_SBR, _PS):
        heard_rate = _rate(bits)
        kind = _object_type(bits)
    short = bits.flag()  # frameLengthFlag, first of GASpecificConfig and of ELDSpecificConfig
    channels = _channel_count(bits, kind, layout)
    if signalled in _PLAIN:
        heard_rate = _appended_rate(bits) or heard_rate
    if signalled == _PS:
        channels = 2  # parametric stereo: one coded channel, two heard
    return AudioParams(
        codec=Codec.AAC,
        sample_rate=heard_rate,
        channels=channels,
        timescale=core_rate,
        codec_string=f"mp4a.40.{signalled}",
        config=bytes(config),
        frame_ticks=_frame_ticks(kind, short),
    )


def opus_params(channels: int) -> AudioParams:
    """Opus as RTP carries it (RFC 7587): 48 kHz ticks, one or two channels.

    `config` is the body of dOps (Encapsulation of Opus in ISO Base Media File Format §4.3.2).
    Its pre-skip is 0: a recording begins anywhere in the stream, not at the encoder's start.
    """
    if channels not in (1, 2):
        raise MediaError(f"Opus over RTP has 1 or 2 channels, not {channels}")
    config = struct.pack(">BBHIhB", 0, channels, 0, 48_000, 0, 0)
    return AudioParams(Codec.OPUS, 48_000, channels, 48_000, "opus", config)


def g711_params(codec: Codec, sample_rate: int, channels: int) -> AudioParams:
    """G.711: a byte for each tick and channel, A-law (PCMA) or µ-law (PCMU)."""
    names = {Codec.PCMA: "alaw", Codec.PCMU: "ulaw"}
    if codec not in names:
        raise MediaError(f"{codec} is not a kind of G.711")
    if not 0 < sample_rate <= _MAX_RATE or not 0 < channels <= 8:
        raise MediaError(f"G.711 with {sample_rate} Hz and {channels} channels is not possible")
    return AudioParams(codec, sample_rate, channels, sample_rate, names[codec])


def _object_type(bits: BitReader) -> int:
    kind = bits.u(5)
    return 32 + bits.u(6) if kind == 31 else kind


def _rate(bits: BitReader) -> int:
    index = bits.u(4)
    rate = bits.u(24) if index == 15 else _RATES[index] if index < len(_RATES) else 0
    if not 0 < rate <= _MAX_RATE:
        raise MediaError("the AAC configuration names a sampling rate that does not exist")
    return rate


def _channel_count(bits: BitReader, kind: int, layout: int) -> int:
    """The channels, and for general audio the rest of GASpecificConfig passed over (§4.4.1)."""
    if kind not in _GENERAL and kind != _ER_ELD:
        raise MediaError(f"the sound is MPEG-4 audio of type {kind}, which is not AAC")
    if kind in _GENERAL:
        if bits.flag():  # dependsOnCoreCoder
            bits.skip(14)
        bits.skip(1)  # extensionFlag
        if layout == 0:
            return _program_channels(bits)
    if layout not in _CHANNELS:
        raise MediaError(f"the AAC configuration names channel layout {layout}, which has no sound")
    return _CHANNELS[layout]


def _program_channels(bits: BitReader) -> int:
    """The channels of a program_config_element (§4.4.1.1); reads to its end."""
    bits.skip(10)  # element_instance_tag, object_type, sampling_frequency_index
    front, side, back, lfe, data, coupling = (bits.u(size) for size in (4, 4, 4, 2, 3, 4))
    for size in (4, 4, 3):  # mono, stereo, matrix mixdown
        if bits.flag():
            bits.skip(size)
    channels = lfe
    for _ in range(front + side + back):
        channels += 2 if bits.flag() else 1
        bits.skip(4)
    bits.skip(4 * lfe + 4 * data + 5 * coupling)
    bits.skip(-bits.position & 7)
    bits.skip(8 * bits.u(8))  # comment
    if not channels:
        raise MediaError("the AAC configuration has no channel")
    return channels


def _appended_rate(bits: BitReader) -> int:
    """The rate that spectral band replication gives, where it is announced behind the rest
    (§1.6.6.1, the way that old decoders do not see); 0 where it is not."""
    if bits.left < 16 or bits.u(11) != _SYNC_SBR or _object_type(bits) != _SBR:
        return 0
    return _rate(bits) if bits.flag() else 0


def _frame_ticks(kind: int, short: bool) -> int:
    if kind in (_ER_LD, _ER_ELD):
        return 480 if short else 512
    return 960 if short else 1024
