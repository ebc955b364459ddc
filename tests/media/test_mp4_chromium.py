"""Our movies in a real browser: as a file in both states, and through Media Source Extensions."""

import base64
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from playwright.sync_api import Page, sync_playwright

from camkeep.media.mp4 import Muxer
from camkeep.model import VideoParams
from support.movies import IDENTITY, made, stream

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)


class Handler(BaseHTTPRequestHandler):
    """Serves `files`, and parts of them, because a browser seeks by Range."""

    protocol_version = "HTTP/1.1"
    files: ClassVar[dict[str, bytes]] = {"/": b"<!doctype html><video muted></video>"}

    def do_GET(self) -> None:
        data = self.files.get(self.path)
        if data is None:
            self.send_error(404)
            return
        kind = "video/mp4" if self.path.endswith(".mp4") else "text/html"
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first = int(wanted[1]) if wanted else 0
        last = int(wanted[2]) if wanted and wanted[2] else len(data) - 1
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Accept-Ranges", "bytes")
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.send_header("Content-Length", str(last + 1 - first))
        self.end_headers()
        self.wfile.write(data[first : last + 1])

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A browser hangs up whenever it knows enough."""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    server = QuietServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium", args=FLAGS.split()
            )
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{server.server_port}/")
            yield page
            browser.close()
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


OPEN_AND_SEEK = """async ([src, times]) => {
    const video = document.querySelector("video");
    const happens = (name) => new Promise((good, bad) => {
        video.addEventListener(name, good, {once: true});
        video.addEventListener("error", () => bad(video.error.message), {once: true});
    });
    const frame = () => new Promise((good) => video.requestVideoFrameCallback(
        (_, data) => good(data.mediaTime)));
    const ready = Promise.all([happens("loadeddata"), frame()]);
    video.src = src;
    await ready;
    const shown = [];
    for (const time of times) {
        const sought = Promise.all([frame(), happens("seeked")]);
        video.currentTime = time;
        shown.push((await sought)[0]);
    }
    return {duration: video.duration, width: video.videoWidth, height: video.videoHeight, shown};
}"""


@pytest.mark.parametrize("state", ["growing", "torn", "closed"])
@pytest.mark.parametrize("name", ["h264", "h264-b", "h264-open"])
def test_chromium_opens_and_seeks(page: Page, name: str, state: str) -> None:
    source = stream(name)
    growing, closed = made(source, size=5)
    # torn before a frame: half a frame is an error to Chromium once it plays up to there
    data = {"growing": growing, "torn": growing[: growing.rindex(b"mdat") + 4], "closed": closed}[
        state
    ]
    src = f"/{name}-{state}.mp4"
    Handler.files[src] = data
    # Chromium decodes no picture that leads into an open GOP, whoever wrote the file
    times = [0.12, 0.28, 0.2] if name == "h264-open" else [1.32, 0.12, 1.76, 0.64]
    found = page.evaluate(OPEN_AND_SEEK, [src, [time + 0.02 for time in times]])
    assert (found["width"], found["height"]) == (320, 240)
    assert found["shown"] == pytest.approx(times, abs=0.001)
    if state == "closed":
        assert found["duration"] == pytest.approx(2.0, abs=0.001)


FEED = """async ([kind, parts]) => {
    const video = document.querySelector("video");
    const once = (target, name) => new Promise((good, bad) => {
        target.addEventListener(name, good, {once: true});
        video.addEventListener("error", () => bad(video.error.message), {once: true});
    });
    const source = new MediaSource();
    video.src = URL.createObjectURL(source);
    await once(source, "sourceopen");
    const buffer = source.addSourceBuffer(kind);
    for (const part of parts) {
        const done = once(buffer, "updateend");
        buffer.appendBuffer(Uint8Array.from(atob(part), (c) => c.charCodeAt(0)));
        await done;
    }
    const ranges = [];
    for (let n = 0; n < buffer.buffered.length; n++)
        ranges.push([buffer.buffered.start(n), buffer.buffered.end(n)]);
    return {ranges, width: video.videoWidth};
}"""


@pytest.mark.parametrize("name", ["h264", "h264-b", "h264-open"])
def test_chromium_takes_fragments_as_media_source(page: Page, name: str) -> None:
    source = stream(name)
    params = source.params
    assert isinstance(params, VideoParams)
    muxer = Muxer(params, None, IDENTITY)
    fragments = [muxer.fragment(source.samples[start : start + 13]) for start in range(0, 50, 13)]
    parts = [[muxer.header()], *fragments, muxer.flush()]
    encoded = [base64.b64encode(b"".join(part)).decode() for part in parts if part]
    found = page.evaluate(FEED, [f'video/mp4; codecs="{params.codec_string}"', encoded])
    assert found["width"] == 320
    (only,) = found["ranges"]
    assert only == pytest.approx([0.0, 2.0], abs=0.05)
