"""The stream of messages in a real browser: fetched, and played by Media Source Extensions."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from camkeep.clock import FakeClock
from support.browser import browsing
from support.kept import GARAGE, footage, recorder
from support.segments import NOON, SECOND
from support.server import API, serving

PLAY = """
async (url) => {
  const media = new MediaSource();
  const video = document.createElement("video");
  video.muted = true;
  video.src = URL.createObjectURL(media);
  document.body.append(video);
  await new Promise((done) => media.addEventListener("sourceopen", done, { once: true }));
  let buffer = null, zero = null, end = null, pending = new Uint8Array(0);
  const whys = [];
  async function append(data) {
    buffer.appendBuffer(data);
    await new Promise((done) => buffer.addEventListener("updateend", done, { once: true }));
  }
  async function take(told, payload) {
    if (told.type === "header") {
      whys.push(told.why);
      buffer ??= media.addSourceBuffer(`video/mp4; codecs="${told.codecs}"`);
      zero ??= told.wall_us;
      await append(payload);
      buffer.timestampOffset = (told.wall_us - zero) / 1e6;
    } else if (told.type === "fragment") {
      await append(payload);
    } else if (told.type === "end") {
      end = told;
    }
  }
  const reader = (await fetch(url)).body.getReader();
  for (let part; !(part = await reader.read()).done; ) {
    const joined = new Uint8Array(pending.length + part.value.length);
    joined.set(pending);
    joined.set(part.value, pending.length);
    pending = joined;
    while (pending.length >= 8) {
      const view = new DataView(pending.buffer, pending.byteOffset);
      const told = 8 + view.getUint32(0), whole = told + view.getUint32(4);
      if (pending.length < whole) break;
      const text = new TextDecoder().decode(pending.subarray(8, told));
      await take(JSON.parse(text), pending.slice(told, whole));
      pending = pending.slice(whole);
    }
  }
  media.endOfStream();
  const spans = [];
  for (let n = 0; n < video.buffered.length; n++) {
    spans.push([video.buffered.start(n), video.buffered.end(n)]);
  }
  const shown = [];
  for (const at of [0.5, 3, 14.5]) {
    video.currentTime = at;
    await new Promise((done) => video.addEventListener("seeked", done, { once: true }));
    shown.push(video.readyState >= 2);
  }
  return { spans, shown, whys, end, width: video.videoWidth, error: video.error?.message ?? null };
}
"""


def in_chromium(page_url: str, play_url: str) -> Any:
    with browsing() as page:
        page.goto(page_url)
        return page.evaluate(PLAY, play_url)


@pytest.mark.parametrize("audio", [None, "aac"])
async def test_a_page_plays_what_comes_over_a_gap(tmp_path: Path, audio: str | None) -> None:
    recorded = recorder(tmp_path / "archive")
    recorded.record("h264", audio)
    recorded.record("h264", audio)
    recorded.wait(10 * SECOND)
    recorded.record("h264", audio)
    made = footage(recorded)
    async with serving(made.root, clock=FakeClock(wall=NOON + 60 * SECOND)) as site:
        url = f"{site.url}{API}/cameras/{GARAGE}/play?from={NOON}"
        found = await asyncio.to_thread(in_chromium, f"{site.url}{API}/clips", url)
    assert found["error"] is None
    assert found["whys"] == ["start", "gap"]
    assert [[round(edge) for edge in span] for span in found["spans"]] == [[0, 4], [14, 16]]
    assert found["shown"] == [True, True, True]
    assert found["width"] == 320
    assert found["end"]["next_us"] is None
