"""A real browser, and a server that it plays movies from."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Protocol

from playwright.sync_api import Page, sync_playwright

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync "
    "--autoplay-policy=no-user-gesture-required"
)


class Readable(Protocol):
    """What is served part by part."""

    @property
    def size(self) -> int: ...

    def read(self, offset: int, length: int) -> bytes: ...


class InMemory:
    """Bytes that are served."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]


class Handler(BaseHTTPRequestHandler):
    """Serves `files`, and parts of them, because a browser seeks by Range."""

    protocol_version = "HTTP/1.1"
    files: ClassVar[dict[str, Readable]] = {"/": InMemory(b"<!doctype html><video muted></video>")}

    def do_GET(self) -> None:
        file = self.files.get(self.path)
        if file is None:
            self.send_error(404)
            return
        kind = "video/mp4" if self.path.endswith(".mp4") else "text/html"
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first = int(wanted[1]) if wanted else 0
        last = int(wanted[2]) if wanted and wanted[2] else file.size - 1
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Accept-Ranges", "bytes")
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{last}/{file.size}")
        self.send_header("Content-Length", str(last + 1 - first))
        self.end_headers()
        self.wfile.write(file.read(first, last + 1 - first))

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A browser hangs up whenever it knows enough."""


@contextmanager
def browsing() -> Iterator[Page]:
    """A page with a video element, which can ask for all that is in `Handler.files`."""
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
"""Open a movie, seek to some times; what is shown at each."""

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
"""Feed fragments to a Media Source; what it has buffered then."""
