#!/usr/bin/python3
"""Many H.264 cameras in one process: GStreamer's RTSP server, fed from one encoded clip.

    /usr/bin/python3 bench/rtsp_server.py CLIP.h264 RATE

Prints its port; rtsp://127.0.0.1:PORT/0, /1 ... are cameras. Each viewer gets the clip from its
start, in a loop, at RATE access units a second and in a phase of its own, as separate cameras
would send it. For each line on standard input it prints how many access units it has sent.
Needs Debian's gir1.2-gst-rtsp-server-1.0, and so the system's Python.
"""

from __future__ import annotations

import heapq
import sys
import threading
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstApp, GstRtspServer  # noqa: E402

CAMERAS = 64
GONE = 300
"""Access units in a row that a viewer did not take, after which there is none."""
DELIMITER = b"\x00\x00\x00\x01\x09"
LAUNCH = (
    "( appsrc name=source is-live=true do-timestamp=true format=time "
    "caps=video/x-h264,stream-format=byte-stream,alignment=au "
    "! h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1 mtu=1400 )"
)


class Pump:
    """Pushes each viewer's next access unit when it is due."""

    def __init__(self, clip: str, rate: float) -> None:
        with open(clip, "rb") as file:  # noqa: PTH123
            parts = file.read().split(DELIMITER)[1:]
        # as most cameras do, without the delimiters, which are one payload byte each
        self._units = [Gst.Buffer.new_wrapped(part[1:]) for part in parts]
        self._interval = 1 / rate
        self._due: list[tuple[float, int, GstApp.AppSrc, int]] = []
        self._changed = threading.Condition()
        self._viewers = 0
        self.sent = 0

    def add(self, source: GstApp.AppSrc) -> None:
        """Another viewer."""
        with self._changed:
            self._viewers += 1
            heapq.heappush(self._due, (time.monotonic(), self._viewers, source, 0))
            self._changed.notify()

    def run(self) -> None:
        while True:
            with self._changed:
                while not self._due:
                    self._changed.wait()
                due, viewer, source, position = self._due[0]
                left = due - time.monotonic()
                if left > 0:
                    self._changed.wait(left)
                    continue
                heapq.heappop(self._due)
            unit = max(0, position) % len(self._units)
            if source.push_buffer(self._units[unit]) == Gst.FlowReturn.OK:
                self.sent += 1
                position = max(0, position) + 1
            else:  # not playing yet, or gone: begin anew at the key frame, or give up in the end
                position = min(0, position) - 1
            if position > -GONE:
                with self._changed:
                    heapq.heappush(self._due, (due + self._interval, viewer, source, position))


def main() -> None:
    Gst.init(None)
    pump = Pump(sys.argv[1], float(sys.argv[2]))
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    server.set_backlog(CAMERAS)
    mounts = server.get_mount_points()
    for number in range(CAMERAS):
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(LAUNCH)
        factory.connect(
            "media-configure",
            lambda _, media: pump.add(media.get_element().get_by_name("source")),
        )
        mounts.add_factory(f"/{number}", factory)
    server.attach(None)
    threading.Thread(target=GLib.MainLoop().run, daemon=True).start()
    threading.Thread(target=pump.run, daemon=True).start()
    print(server.get_bound_port(), flush=True)
    for _ in sys.stdin:
        print(pump.sent, flush=True)


main()
