"""GStreamer's RTSP server as a child process: a peer that nobody here wrote.

Each client gets a pipeline of its own, so that a clip plays from its beginning.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from support.clips import clip

_DEMUX = {"mp4": "qtdemux", "mov": "qtdemux", "mkv": "matroskademux"}
_PAY = {
    "h264": "h264parse ! rtph264pay config-interval=-1",
    "h265": "h265parse ! rtph265pay config-interval=-1",
    "jpeg": "jpegparse ! rtpjpegpay",
    "aac": "aacparse ! rtpmp4gpay",
    "opus": "opusparse ! rtpopuspay",
}


class GstServer(NamedTuple):
    """A server that listens."""

    port: int
    pid: int

    def url(self, path: str = "/live", scheme: str = "rtsp") -> str:
        """The address of a mount."""
        return f"{scheme}://127.0.0.1:{self.port}{path}"


def play(name: str, *codecs: str) -> str:
    """The launch line that plays a clip of `support.clips`, its picture and then its sound."""
    path = clip(name)
    parts = [f"filesrc location={path} ! {_DEMUX[path.suffix[1:]]} name=d"]
    for number, codec in enumerate(codecs):
        pad = "audio_0" if codec in ("aac", "opus") else "video_0"
        parts.append(f"d.{pad} ! queue ! {_PAY[codec]} name=pay{number} pt={96 + number}")
    return f"( {'  '.join(parts)} )"


@contextmanager
def gst_server(
    mounts: Mapping[str, str],
    *,
    login: tuple[str, str, str] | None = None,
    certificate: Path | None = None,
    session_timeout_s: int | None = None,
) -> Iterator[GstServer]:
    """Serve launch lines by path. `login` is ("basic" or "digest", user, password);
    `certificate` is a PEM file with certificate and key, and makes it rtsps. Sessions end
    `session_timeout_s` after the last sign of life (60 s)."""
    wanted = {
        "mounts": dict(mounts),
        "login": login,
        "certificate": str(certificate) if certificate else None,
        "session_timeout_s": session_timeout_s,
    }
    script = Path(__file__).with_name("gst_server.py")
    with subprocess.Popen(
        ["/usr/bin/python3", str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write(json.dumps(wanted).encode() + b"\n")
            child.stdin.flush()
            words = child.stdout.readline().split()
            assert words, "GStreamer's RTSP server did not start"
            yield GstServer(int(words[1]), child.pid)
        finally:
            child.stdin.close()
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()
