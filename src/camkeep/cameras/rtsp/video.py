"""Which of the flows a camera offers is the picture, and what reads it. Pure."""

from __future__ import annotations

from contextlib import suppress

from camkeep.cameras.rtsp.depacketize_jpeg import JpegPackets
from camkeep.cameras.rtsp.depacketize_nal import H264Packets, H265Packets
from camkeep.cameras.rtsp.sdp import Description, Media, parameter_sets
from camkeep.cameras.rtsp.video_track import VideoPackets
from camkeep.errors import MediaError, NotSupported
from camkeep.media import h264, h265

_KNOWN = ("H264", "H265", "JPEG")


def pick_video(description: Description) -> Media:
    """The first picture flow that camkeep keeps.

    Raises NotSupported, which names what there is instead.
    """
    videos = [media for media in description.media if media.kind == "video"]
    usable = [m for m in videos if m.encoding in _KNOWN and not m.secure and m.clock_rate > 0]
    if not usable:
        if any(media.secure for media in videos):
            raise NotSupported("the camera sends its video encrypted (SRTP): turn that off in it")
        names = ", ".join(media.encoding or f"type {media.payload_type}" for media in videos)
        if not videos:
            raise NotSupported("the camera offers no video at that address: is the path right?")
        raise NotSupported(
            f"the camera sends {names}, which camkeep does not keep: "
            "choose H.264, H.265 or JPEG in its settings"
        )
    media = usable[0]
    interleaved = media.fmtp.get("packetization-mode") == "2"
    if interleaved or media.fmtp.get("sprop-max-don-diff", "0") != "0":
        raise NotSupported("the camera sends its video in interleaved order: turn that off in it")
    return media


def video_packets(media: Media) -> VideoPackets:
    """What takes the payloads of `media`, one of those that `pick_video` returns."""
    if media.encoding == "JPEG":
        return JpegPackets(media.clock_rate)
    sets = parameter_sets(media)
    if media.encoding == "H264":
        return H264Packets(h264.H264Stream(media.clock_rate, sets))
    return H265Packets(h265.H265Stream(media.clock_rate, sets))


def promised_fps(media: Media) -> float | None:
    """The rate that the description announces, or else its parameter sets."""
    if media.frame_rate is not None or media.encoding == "JPEG":
        return media.frame_rate
    parse = h264.parse_sps if media.encoding == "H264" else h265.parse_sps
    for nal in parameter_sets(media):
        is_sps = nal[0] & 0x1F == 7 if media.encoding == "H264" else nal[0] >> 1 & 0x3F == 33
        if is_sps:
            with suppress(MediaError):
                return parse(nal).fps
    return None
