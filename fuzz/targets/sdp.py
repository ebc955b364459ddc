"""Session descriptions, and the readers that are made of them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from contextlib import suppress

from camkeep.cameras.rtsp.depacketize_audio import audio_packets
from camkeep.cameras.rtsp.sdp import MAX_MEDIA, Media, parameter_sets, parse_sdp
from camkeep.cameras.rtsp.video import pick_video, promised_fps, video_packets
from camkeep.errors import MediaError, NotSupported
from fuzz import checks, samples
from fuzz.reading import chunks, long


def one_input(data: bytes) -> None:
    body = b"".join(chunks(data))
    try:
        description = parse_sdp(body)
    except MediaError:
        return
    assert len(description.media) <= MAX_MEDIA
    for media in description.media:
        _media(media)
    with suppress(NotSupported):
        picked = pick_video(description)
        video_packets(picked)
        fps = promised_fps(picked)
        assert fps is None or fps > 0


def _media(media: Media) -> None:
    assert 0 <= media.payload_type <= 999
    assert media.clock_rate >= 0
    assert media.frame_rate is None or media.frame_rate > 0
    assert all(parameter_sets(media))
    with suppress(MediaError):
        packets = audio_packets(media)
        if packets is not None:
            checks.audio_params(packets.params)


def seeds() -> Iterable[bytes]:
    sets = ",".join(b64encode(nal).decode() for nal in samples.h264()[0][0][:2])
    vps, sps, pps = (b64encode(nal).decode() for nal in samples.h265()[0][0][:3])
    video = (
        f"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
        f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}\r\na=control:trackID=1\r\n"
    )
    sound = (
        "m=audio 0 RTP/AVP 97\na=rtpmap:97 mpeg4-generic/48000/2\na=framerate:25.0\n"
        "a=fmtp:97 mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1190\n"
    )
    other = (
        f"m=video 0 RTP/SAVP 98\na=rtpmap:98 H265/90000\na=fmtp:98 sprop-vps={vps}; "
        f"sprop-sps={sps}; sprop-pps={pps};sprop-max-don-diff=0\na=x-framerate:12.5\n"
    )
    more = "m=video 0 RTP/AVP 26\nm=audio 0 RTP/AVP 8\nm=audio 0 RTP/AVP 0\na=sendonly\n"
    opus = "m=audio 0 RTP/AVP 99\na=rtpmap:99 opus/48000/2\na=fmtp:99 sprop-stereo=1\n"
    for text in (video, video + sound, other, other.replace("SAVP", "AVP"), more + opus):
        yield b"\0v=0\r\ns=x\r\na=control:*\r\n" + text.encode()
    yield long(b"v=0\n", b"m=video 0 RTP/AVP 26\n")
    yield long(b"v=0\nm=video 0 RTP/AVP 96\n", b"a=fmtp:96 a=b;\n")
