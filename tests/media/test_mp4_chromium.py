"""Our movies in a real browser: as a file in both states, and through Media Source Extensions."""

import base64
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from camkeep.media.mp4 import Muxer
from camkeep.model import VideoParams
from support.browser import FEED, OPEN_AND_SEEK, Handler, InMemory, browsing
from support.movies import IDENTITY, made, stream
from support.movies import sealed as sealed_movie


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browsing() as page:
        yield page


@pytest.mark.parametrize("state", ["growing", "torn", "closed", "sealed"])
@pytest.mark.parametrize("name", ["h264", "h264-b", "h264-open"])
def test_chromium_opens_and_seeks(page: Page, name: str, state: str) -> None:
    source = stream(name)
    growing, closed = made(source, size=5)
    # torn before a frame: half a frame is an error to Chromium once it plays up to there
    data = {
        "growing": growing,
        "torn": growing[: growing.rindex(b"mdat") + 4],
        "closed": closed,
        "sealed": sealed_movie(source, size=5).closed,
    }[state]
    src = f"/{name}-{state}.mp4"
    Handler.files[src] = InMemory(data)
    # Chromium decodes no picture that leads into an open GOP, whoever wrote the file
    times = [0.12, 0.28, 0.2] if name == "h264-open" else [1.32, 0.12, 1.76, 0.64]
    found = page.evaluate(OPEN_AND_SEEK, [src, [time + 0.02 for time in times]])
    assert (found["width"], found["height"]) == (320, 240)
    assert found["shown"] == pytest.approx(times, abs=0.001)
    if state in ("closed", "sealed"):
        assert found["duration"] == pytest.approx(2.0, abs=0.001)


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize("name", ["h264", "h264-b", "h264-open"])
def test_chromium_takes_fragments_as_media_source(page: Page, name: str, sealed: bool) -> None:
    source = stream(name)
    params = source.params
    assert isinstance(params, VideoParams)
    muxer = Muxer(params, None, IDENTITY, sealed=sealed)
    fragments = [muxer.fragment(source.samples[start : start + 13]) for start in range(0, 50, 13)]
    parts = [[muxer.header()], *fragments, muxer.flush()]
    encoded = [base64.b64encode(b"".join(part)).decode() for part in parts if part]
    found = page.evaluate(FEED, [f'video/mp4; codecs="{params.codec_string}"', encoded])
    assert found["width"] == 320
    (only,) = found["ranges"]
    assert only == pytest.approx([0.0, 2.0], abs=0.05)
