"""The whole service under load: cameras that are recorded, viewers, and an API that is asked.

    python bench/serve.py --cameras 32 --viewers 20 --seconds 30 --segments 1000000

Cameras send 1080p30 H.264 at 4 Mbit/s over RTSP, from one GStreamer server on the same machine;
viewers are WebSockets in another process, as the page opens them. Measured one after the other:
recording alone; with viewers; with viewers and an API that is asked all the time, over an archive
of so many segments. The difference is what each costs. In the end what was sent is counted
against what was kept.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import archive_made as made
import clips
import httpx
import rtsp
from processes import Cost, Server, machine, measure

from camkeep.archive.catalog import Catalog
from camkeep.archive.index import Index
from camkeep.archive.layout import INDEX
from camkeep.archive.root import make_root
from camkeep.clock import SystemClock, WallUs
from camkeep.model import CameraId, Cause
from camkeep.server.camerabook import CameraBook
from camkeep.server.database import DATABASE, KEY, Database
from camkeep.server.urlpolicy import UrlPolicy

HERE = Path(__file__).resolve().parent
START_S = 60.0
ASK_S = 0.05
"""Between two requests."""
DAY_US = 86_400_000_000


class Phase(NamedTuple):
    """What was measured in one of them."""

    name: str
    cost: Cost
    frames: int
    """That the cameras sent."""
    watched: dict[str, Any] | None
    asked_ms: dict[str, list[float]]
    pause_ms: float
    """The loop's longest."""


class Service:
    """`camkeep serve` on a folder."""

    def __init__(self, folder: Path, child: subprocess.Popen[str], url: str) -> None:
        self.folder = folder
        self.child = child
        self.url = url
        self.client = httpx.Client(base_url=url, timeout=30, trust_env=False)

    def figure(self, name: str) -> float:
        """One figure of /metrics, of all cameras together."""
        text = self.client.get("/metrics").text
        values = re.findall(rf"^{name}(?:{{[^}}]*}})? ([0-9.e+-]+)$", text, re.MULTILINE)
        return sum(map(float, values))


@contextmanager
def serving(folder: Path, config: Path) -> Iterator[Service]:
    """The service, until the end of the block."""
    command = [sys.executable, str(HERE / "served.py"), str(folder), str(config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            line = child.stdout.readline()
            yield Service(folder, child, line.split()[-1].rstrip("/"))
        finally:
            child.terminate()
            child.wait(20)


def set_up(folder: Path, urls: list[str], segments: int) -> list[CameraId]:
    """An archive with so many segments that end a while ago, and the cameras; their ids."""
    cameras = made.cameras()[: len(urls)]
    minutes = segments // made.CAMERAS + 60
    made.START = WallUs(time.time_ns() // 1000 - minutes * made.MINUTE_US)
    make_root(folder)
    with Index.open(folder / INDEX) as index:
        made.fill(folder, index, segments, files=False)
    database = Database.open(folder / DATABASE, folder / KEY)
    book = CameraBook(database, SystemClock(), UrlPolicy(loopback=True))
    for camera, url in zip(cameras, urls, strict=True):
        book.now.add({"name": camera.name, "address": url}, camera.id)
    database.close()
    return [camera.id for camera in cameras]


def requests(cameras: list[CameraId]) -> list[tuple[str, str]]:
    """What is asked, in turn: a name for it, and its path."""
    now = time.time_ns() // 1000
    one = f"/api/v1/cameras/{cameras[min(3, len(cameras) - 1)]}"
    wall = ",".join(cameras[:9])
    return [
        ("cameras", "/api/v1/cameras"),
        ("health", "/api/v1/health"),
        ("timeline, a day", f"{one}/timeline?from={now - DAY_US}&to={now}"),
        ("timeline, 30 days", f"{one}/timeline?from={now - 30 * DAY_US}&to={now}"),
        (
            "timeline, a day, of 9",
            f"/api/v1/timeline?cameras={wall}&from={now - DAY_US}&to={now}",
        ),
        ("calendar", f"{one}/days"),
        ("clips", "/api/v1/clips"),
        ("storage", "/api/v1/storage"),
        ("events", "/api/v1/events"),
        ("metrics", "/metrics"),
    ]


class Asking(threading.Thread):
    """Asks the API until `end`."""

    def __init__(self, url: str, cameras: list[CameraId]) -> None:
        super().__init__(daemon=True)
        self.took_ms: dict[str, list[float]] = {}
        self._url = url
        self._requests = requests(cameras)
        self._ended = threading.Event()

    def run(self) -> None:
        with httpx.Client(base_url=self._url, timeout=30, trust_env=False) as client:
            while not self._ended.is_set():
                for name, path in self._requests:
                    began = time.perf_counter()
                    answer = client.get(path)
                    took_ms = (time.perf_counter() - began) * 1e3
                    if answer.status_code != 200:
                        raise RuntimeError(f"{path} answered {answer.status_code}: {answer.text}")
                    self.took_ms.setdefault(name, []).append(took_ms)
                    self._ended.wait(ASK_S)

    def end(self) -> None:
        self._ended.set()
        self.join()


def phase(
    name: str, server: Server, service: Service, seconds: float, watched: list[CameraId], ask: bool
) -> Phase:
    """Measure for so long."""
    viewers, asking = None, None
    if watched:
        command = [sys.executable, str(HERE / "watchers.py"), service.url, str(seconds + 2)]
        viewers = subprocess.Popen([*command, *watched], stdout=subprocess.PIPE, text=True)
        time.sleep(3)
    if ask:
        asking = Asking(service.url, made_ids(service))
        asking.start()
        time.sleep(1)
    time.sleep(1)
    frames = -server.frames()
    cost = measure([service.child.pid], seconds - 2)
    frames += server.frames()
    if asking is not None:
        asking.end()
    pause_ms = service.figure("camkeep_loop_longest_pause_seconds") * 1e3
    found = json.loads(viewers.communicate()[0]) if viewers is not None else None
    return Phase(name, cost, frames, found, asking.took_ms if asking else {}, pause_ms)


def made_ids(service: Service) -> list[CameraId]:
    """The cameras that are set up."""
    return [each["id"] for each in service.client.get("/api/v1/cameras").json()["cameras"]]


def until_recording(service: Service, cameras: int) -> None:
    """Wait until all of them are."""
    deadline = time.monotonic() + START_S
    while service.figure("camkeep_camera_recording") < cameras:
        if time.monotonic() > deadline:
            raise RuntimeError("not all cameras are recorded")
        time.sleep(0.2)


def lost(folder: Path, cameras: list[CameraId], since: WallUs, sent: int) -> str:
    """What of that which was sent is not there, in words."""
    with Catalog.open(folder / INDEX) as catalog:
        now = SystemClock().wall()
        kept = sum(s.frames for c in cameras for s in catalog.segments(c, since, now))
        gaps = [
            gap
            for camera in cameras
            for gap in catalog.gaps(camera, since, now, now)
            if gap.cause not in (Cause.STARTING, Cause.NOT_RUNNING)
        ]
    return (
        f"sent {sent}, kept {kept}: {sent - kept} not kept, of {len(cameras)} cameras (what was on "
        f"its way at the start and at the end); gaps: {[gap.cause.value for gap in gaps] or 'none'}"
    )


def quantile(values: list[float], share: float) -> float:
    """Of sorted values."""
    return values[min(len(values) - 1, int(len(values) * share))]


def tell(phases: list[Phase]) -> None:
    """The tables."""
    print("\n| | CPU of a core | CPU a frame | memory | longest pause of the loop |")
    print("|---|---|---|---|---|")
    for each in phases:
        share, frame = each.cost.cpu_s / each.cost.wall_s, each.cost.cpu_s * 1e6 / each.frames
        print(
            f"| {each.name} | {share:.0%} | {frame:.0f} µs | {each.cost.pss_mb:.0f} MB "
            f"| {each.pause_ms:.0f} ms |"
        )
    for each in phases:
        if each.watched is not None:
            delays = each.watched["delays_ms"]
            print(
                f"\n{each.name}: {each.watched['frames']} frames watched, "
                f"{each.watched['skipped']} skipped; from the instant a frame was taken to its "
                f"last byte at the viewer: p50 {quantile(delays, 0.5):.0f} ms, "
                f"p99 {quantile(delays, 0.99):.0f} ms, longest {delays[-1]:.0f} ms"
            )
    asked = phases[-1].asked_ms
    everything = sorted(ms for times in asked.values() for ms in times)
    if not everything:
        return
    print("\n| request | median | p95 | longest |\n|---|---|---|---|")
    for name, times in [*asked.items(), ("all", everything)]:
        times = sorted(times)
        print(
            f"| {name} | {statistics.median(times):.0f} ms | {quantile(times, 0.95):.0f} ms "
            f"| {times[-1]:.0f} ms |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cameras", type=int, default=32)
    parser.add_argument("--viewers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30, help="of each phase")
    parser.add_argument("--segments", type=int, default=1_000_000)
    parser.add_argument("--scratch", type=Path, help="where the archive goes, and is deleted")
    options = parser.parse_args()
    print(machine())
    clip = str(clips.h264_clip())
    command = [rtsp.SYSTEM_PYTHON, str(HERE / "rtsp_server.py"), clip, str(clips.RATE)]
    with (
        tempfile.TemporaryDirectory(prefix="camkeep-bench-", dir=options.scratch) as scratch,
        Server(command) as server,
    ):
        folder, config = Path(scratch, "archive"), Path(scratch, "camkeep.toml")
        config.write_text(
            '[server]\nlisten = "127.0.0.1:0"\nallow_loopback_cameras = true\n'
            "[keep]\nkeep_free = 0\n"
        )
        urls = [f"rtsp://127.0.0.1:{server.port}/{n}" for n in range(options.cameras)]
        cameras = set_up(folder, urls, options.segments)
        since = SystemClock().wall()
        with serving(folder, config) as service:
            until_recording(service, options.cameras)
            time.sleep(8)
            watched = cameras[: options.viewers]
            phases = [
                phase("recording", server, service, options.seconds, [], False),
                phase("and viewers", server, service, options.seconds, watched, False),
                phase("and the API", server, service, options.seconds, watched, True),
            ]
            sent = server.frames()
        tell(phases)
        print(f"\n{lost(folder, cameras, since, sent)}")


if __name__ == "__main__":
    main()
