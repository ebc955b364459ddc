"""RTSP messages and what stands in their headers: whatever is read can be sent again."""

from __future__ import annotations

from collections.abc import Iterable

from camkeep.cameras.rtsp.messages import (
    MAX_BODY,
    MAX_HEAD,
    Response,
    format_request,
    parse_message,
    parse_session,
    parse_transport,
)
from camkeep.cameras.rtsp.sdp import base_url, origin, resolve_control
from camkeep.errors import MediaError

_URL = "rtsp://192.0.2.9:8554/main?a=b"


def one_input(data: bytes) -> None:
    try:
        message, stop = parse_message(data, 0)
    except MediaError:
        message, stop = None, 0
    if message is None:
        assert not stop or len(data) < stop <= MAX_HEAD + MAX_BODY + 4
    else:
        assert 0 < stop <= min(len(data), MAX_HEAD + MAX_BODY + 4)
        assert message.cseq is None or message.cseq >= 0
        assert all(name == name.lower() for name, _ in message.headers)
        if isinstance(message, Response):
            assert data[:stop].endswith(message.body)
            assert 0 <= message.status <= 999
            for name in ("content-base", "session", "transport"):
                for value in message.all(name):
                    _header(value)
    _header(data.decode("utf-8", "replace"))


def _header(value: str) -> None:
    granted = parse_transport(value)
    for pair, most in ((granted.interleaved, 255), (granted.server_ports, 65535)):
        assert pair is None or all(0 <= number <= most for number in pair)
    identifier, timeout_s = parse_session(value)
    assert timeout_s is None or 0 < timeout_s < 1_000_000
    base = base_url(_URL, value)
    for url in (base, resolve_control(_URL, value), resolve_control(base, value)):
        assert origin(url) == "rtsp://192.0.2.9:8554", url
        try:
            request = format_request("SETUP", url, [("Session", identifier)])
        except MediaError:
            continue
        assert request.count(b"\r\n") == 3
        assert request.count(b"\n") == 3


def seeds() -> Iterable[bytes]:
    yield b"RTSP/1.0 200 OK\r\nCSeq: 3\r\nContent-Length: 2\r\nSession: 1f;timeout=60\r\n\r\nab"
    yield b"RTSP/1.0 401 Unauthorized\nCSeq: 2\nA: b\n c\n\n"
    yield b"OPTIONS rtsp://x RTSP/1.0\r\nCSeq: 1\r\n\r\n"
    yield b"RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=12345678,RTP/AVP"
    yield b"RTP/AVP;unicast;client_port=5000-5001;server_port=6970"
    yield b"rtsp://10.0.0.1/other/trackID=1"
    yield b"RTSP/1.0 200 OK\r\nContent-Base: rtsp://h/a/\r\nTransport: RTP/AVP/TCP\r\n\r\n"
    yield b"trackID=1"
    yield b"?track=1"
