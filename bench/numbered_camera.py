#!/usr/bin/python3
"""A camera whose frames carry their number: GStreamer's RTSP server, H.264 at 25 frames a second.

    /usr/bin/python3 bench/numbered_camera.py WIDTH HEIGHT

Prints its port; rtsp://127.0.0.1:PORT/ is the camera. The number stands in the top eighth of the
picture as 16 fields, black or white, the lowest bit on the left. For each line on standard input
it prints one: a list of the numbers of the last frames and when each was taken, in ms since 1970,
which is when it was handed to the encoder. Needs Debian's gir1.2-gst-rtsp-server-1.0, and so the
system's Python.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import deque

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstApp, GstRtspServer  # noqa: E402

RATE = 25
BITS = 16
KEPT = 2000
LAUNCH = (
    "( appsrc name=source is-live=true do-timestamp=true format=time "
    "caps=video/x-raw,format=I420,width={width},height={height},framerate=25/1 "
    "! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=50 bitrate=1000 "
    "! h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1 mtu=1400 )"
)


class Camera:
    """Pushes numbered frames to whoever watches; one at a time does here."""

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        self.taken: deque[tuple[int, float]] = deque(maxlen=KEPT)
        self._source: GstApp.AppSrc | None = None
        self._number = 0

    def watched(self, _: object, media: GstRtspServer.RTSPMedia) -> None:
        self._source = media.get_element().get_by_name("source")

    def run(self) -> None:
        due = time.monotonic()
        while True:
            due += 1 / RATE
            time.sleep(max(0.0, due - time.monotonic()))
            if self._source is not None:
                self._number = (self._number + 1) % (1 << BITS)
                frame = self._frame(self._number)
                taken = time.time() * 1000
                if self._source.push_buffer(Gst.Buffer.new_wrapped(frame)) == Gst.FlowReturn.OK:
                    self.taken.append((self._number, taken))

    def _frame(self, number: int) -> bytes:
        """Fields above, and below a bar that moves, so that there is something to encode."""
        field = self._width // BITS
        row = b"".join(bytes([235 if number >> n & 1 else 16]) * field for n in range(BITS))
        place = number * 4 % (self._width - 32)
        bar = bytes([90]) * place + bytes([180]) * 32 + bytes([90]) * (self._width - 32 - place)
        above = self._height // 8
        colour = bytes([128]) * (self._width * self._height // 2)
        return row * above + bar * (self._height - above) + colour


def main() -> None:
    Gst.init(None)
    width, height = int(sys.argv[1]), int(sys.argv[2])
    camera = Camera(width, height)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(LAUNCH.format(width=width, height=height))
    factory.set_shared(True)
    factory.connect("media-configure", camera.watched)
    server.get_mount_points().add_factory("/", factory)
    server.attach(None)
    threading.Thread(target=GLib.MainLoop().run, daemon=True).start()
    threading.Thread(target=camera.run, daemon=True).start()
    print(server.get_bound_port(), flush=True)
    for _ in sys.stdin:
        print(json.dumps(list(camera.taken)), flush=True)


main()
