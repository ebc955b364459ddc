"""Sound out of RTP payloads: AAC (RFC 3640), Opus (RFC 7587), G.711 (RFC 3551 §4.5.14). Pure.

Each class has the `params` of its samples and `push`, which takes one payload and returns the
samples in it, each with its distance from the packet's time stamp in ticks of the RTP clock.
"""

from __future__ import annotations

import binascii
from dataclasses import replace
from typing import Protocol

from camkeep.cameras.rtsp.sdp import Media
from camkeep.errors import MediaError
from camkeep.media.audio import aac_params, g711_params, opus_params
from camkeep.model import AudioParams, Codec

MAX_SAMPLE = 1024 * 1024
"""Bytes of one sample; AAC has at most 6144 bits a channel and frame."""

MAX_FRAMES = 256
"""Frames in one packet."""

_G711 = {"PCMA": Codec.PCMA, "PCMU": Codec.PCMU}


class AudioPackets(Protocol):
    """What a track needs of a codec."""

    params: AudioParams

    def push(self, data: bytes, start: int, stop: int) -> list[tuple[int, bytes]]:
        """The samples of the payload data[start:stop], which is not empty.

        Raises MediaError where it is malformed.
        """
        ...

    def reset(self) -> None:
        """Forget the sample that was begun: what comes next does not follow."""
        ...


class WholePackets:
    """Codecs of which each packet is a sample: Opus and G.711."""

    def __init__(self, params: AudioParams) -> None:
        self.params = params

    def push(self, data: bytes, start: int, stop: int) -> list[tuple[int, bytes]]:
        return [(0, data[start:stop])]

    def reset(self) -> None:
        """Nothing is ever begun."""


class AacPackets:
    """mpeg4-generic in the modes AAC-hbr and AAC-lbr, without interleaving (RFC 3640 §3.3)."""

    def __init__(self, media: Media) -> None:
        """Raises MediaError where the description is malformed, or asks for more than this."""
        low = media.fmtp.get("mode", "").lower() == "aac-lbr"
        self._size_bits = _bits(media.fmtp, "sizelength", 6 if low else 13)
        self._index_bits = _bits(media.fmtp, "indexlength", 2 if low else 3)
        self._delta_bits = _bits(media.fmtp, "indexdeltalength", 2 if low else 3)
        more = ("ctsdeltalength", "dtsdeltalength", "streamstateindication",
                "randomaccessindication", "auxiliarydatasizelength")  # fmt: skip
        if any(media.fmtp.get(name, "0") != "0" for name in more) or not self._size_bits:
            raise MediaError("AAC with headers that camkeep does not read")
        try:
            config = binascii.unhexlify(media.fmtp.get("config", ""))
        except (binascii.Error, ValueError):
            raise MediaError("AAC with a configuration that is not hexadecimal") from None
        made = aac_params(config)
        ticks = (made.frame_ticks or 1024) * media.clock_rate // made.timescale
        self.params = replace(made, timescale=media.clock_rate, frame_ticks=ticks)
        self._part = bytearray()  # of a fragmented access unit
        self._part_size = 0

    def push(self, data: bytes, start: int, stop: int) -> list[tuple[int, bytes]]:
        sizes, pos = self._headers(data, start, stop)
        if len(sizes) == 1 and sizes[0] > stop - pos:
            return self._fragment(data[pos:stop], sizes[0])
        self.reset()
        found = []
        for number, size in enumerate(sizes):
            if pos + size > stop:
                raise MediaError("an AAC frame longer than its packet")
            if size:
                found.append((number * self.params.frame_ticks, data[pos : pos + size]))
            pos += size
        return found

    def _headers(self, data: bytes, start: int, stop: int) -> tuple[list[int], int]:
        """The sizes of the AU headers section (§3.2.1), and where it ends."""
        if start + 2 > stop:
            raise MediaError("an AAC packet shorter than its header")
        bits = data[start] << 8 | data[start + 1]
        end = start + 2 + (bits + 7) // 8
        if end > stop:
            raise MediaError("AAC headers longer than their packet")
        section = int.from_bytes(data[start + 2 : end]) >> (-bits % 8)
        sizes: list[int] = []
        index_bits = self._index_bits
        while bits >= self._size_bits + index_bits:
            bits -= self._size_bits + index_bits
            header = section >> bits & ((1 << (self._size_bits + index_bits)) - 1)
            if header & ((1 << index_bits) - 1):
                raise MediaError("interleaved AAC, which camkeep does not read")
            sizes.append(header >> index_bits)
            if len(sizes) > MAX_FRAMES:
                raise MediaError("too many AAC frames in a packet")
            index_bits = self._delta_bits
        return sizes, end

    def _fragment(self, part: bytes, size: int) -> list[tuple[int, bytes]]:
        """A piece of an access unit that fills several packets; each states the whole size."""
        if size > MAX_SAMPLE:
            raise MediaError("an AAC frame over 1 MB")
        if size != self._part_size:
            self._part, self._part_size = bytearray(), size
        self._part += part
        if len(self._part) < size:
            return []
        whole = bytes(self._part)
        self.reset()
        if len(whole) > size:
            raise MediaError("AAC fragments longer than their frame")
        return [(0, whole)]

    def reset(self) -> None:
        self._part, self._part_size = bytearray(), 0


def _bits(fmtp: dict[str, str], name: str, default: int) -> int:
    text = fmtp.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 3 and int(text) <= 32):
        raise MediaError(f"AAC with a {name} that is not a number of bits")
    return int(text)


def audio_packets(media: Media) -> AudioPackets | None:
    """What reads the sound of `media`; None for a codec that camkeep does not keep.

    Raises MediaError where its description is malformed.
    """
    if media.clock_rate <= 0:
        return None
    if media.encoding == "MPEG4-GENERIC":
        return AacPackets(media)
    if media.encoding == "OPUS":
        made = opus_params(2 if media.fmtp.get("sprop-stereo") == "1" else 1)
        return WholePackets(replace(made, timescale=media.clock_rate))
    if media.encoding in _G711:
        made = g711_params(_G711[media.encoding], media.clock_rate, media.channels)
        return WholePackets(replace(made, timescale=media.clock_rate))
    return None
