"""Virtual movies in a real browser, served range by range."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest
from playwright.sync_api import Page

from camkeep.archive.virtual import open_clip
from camkeep.clock import WallUs
from camkeep.media.mp4.splice import Gaps
from support.browser import OPEN_AND_SEEK, Handler, browsing
from support.segments import NOON, SECOND, Camera


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browsing() as page:
        yield page


@pytest.mark.parametrize("name", ["h264", "h264-b", "two sizes"])
def test_chromium_opens_and_seeks(page: Page, tmp_path: Path, name: str) -> None:
    camera = Camera(tmp_path)
    names = ["h264", "h264-large", "h264"] if name == "two sizes" else [name] * 3
    for video in names:
        camera.record(video, "aac")
    start, end = WallUs(NOON + 700_000), WallUs(NOON + 5_100_000)
    times = [3.62, 0.14, 1.98, 4.3, 0.0, 2.5]
    src = f"/{tmp_path.name}.mp4"
    with open_clip(tmp_path, camera.segments, start, end) as clip:
        Handler.files[src] = clip[0]
        found = page.evaluate(OPEN_AND_SEEK, [src, [time + 0.02 for time in times]])
    # with B-frames it counts one that is there for others and never shown
    assert found["duration"] == pytest.approx(4.4, abs=0.021 if name == "h264-b" else 0.001)
    assert found["shown"] == pytest.approx(times, abs=0.021)
    assert found["width"] == (640 if name == "two sizes" else 320)  # at 2.52 s


PLAY = """async ([src, rate]) => {
    const video = document.querySelector("video");
    video.src = src;
    video.playbackRate = rate;
    const shown = [];
    const note = (_, data) => {
        shown.push([data.mediaTime, data.width]);
        video.requestVideoFrameCallback(note);
    };
    video.requestVideoFrameCallback(note);
    await video.play();
    await new Promise((good, bad) => {
        video.addEventListener("ended", good, {once: true});
        video.addEventListener("error", () => bad(video.error.message), {once: true});
    });
    return {shown, at: video.currentTime};
}"""


@pytest.mark.parametrize("gaps", Gaps)
def test_chromium_plays_over_gaps_and_changes_to_the_end(
    page: Page, tmp_path: Path, gaps: Gaps
) -> None:
    camera = Camera(tmp_path)
    camera.record("h264", "aac")
    camera.record("h264-large", "aac")
    camera.wait(SECOND)
    camera.record("h264", "aac")
    length = 4.0 + (1.0 if gaps is Gaps.KEEP else 0)
    start, end = WallUs(NOON + SECOND), WallUs(NOON + 6 * SECOND)
    src = f"/{tmp_path.name}.mp4"
    with open_clip(tmp_path, camera.segments, start, end, gaps=gaps) as clip:
        Handler.files[src] = clip[0]
        found = page.evaluate(PLAY, [src, 2])
    times = [time for time, _ in found["shown"]]
    widths = [width for _, width in found["shown"]]
    assert [width for width, _ in groupby(widths)] == [320, 640, 320]
    assert found["at"] == pytest.approx(length, abs=0.001)
    assert length - 0.1 < times[-1] < length
    assert len(times) > 60  # of 100, at twice the speed
