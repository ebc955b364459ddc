"""A download that is cut off in the midst goes on byte for byte: curl, killed and run again; and
players that have nothing but a URL."""

from __future__ import annotations

import asyncio
from pathlib import Path

import cv2

from camkeep.archive.virtual import open_clip
from camkeep.clock import FakeClock, WallUs
from camkeep.server.access import Role
from support.kept import GARAGE, clip, footage, recorder
from support.segments import NOON, SECOND
from support.server import API, serving

SEGMENTS = 20
END = NOON + 2 * SEGMENTS * SECOND


async def test_a_download_is_cut_off_and_goes_on_and_a_player_has_only_its_url(
    tmp_path: Path,
) -> None:
    recorded = recorder(tmp_path / "archive")
    for _ in range(SEGMENTS):
        recorded.record("h264-large")
    kept = footage(recorded)
    made = kept.save_clip(clip(end=END))
    with open_clip(kept.root, kept.segments, NOON, WallUs(END)) as opened:
        data = opened[0].read(0, opened[0].size)
    saved = tmp_path / "saved.mp4"
    async with serving(kept.root, clock=FakeClock(wall=END + 60 * SECOND)) as site:
        await site.user("anna")
        await site.user("vera", Role.VIEWER, [GARAGE])
        url = f"{site.url}{API}/clips/{made.id}/video.mp4?token={await site.token('vera')}"

        async def curl(*options: str) -> asyncio.subprocess.Process:
            command = ["curl", "-sS", "--fail", "-C", "-", "-o", str(saved), *options, url]
            return await asyncio.create_subprocess_exec(*command)

        for _ in range(3):  # cut off again and again, each time a little further
            before = saved.stat().st_size if saved.exists() else 0
            slow = await curl(
                "--limit-rate", str(len(data) // 100)
            )  # so slow that it never ends first
            async with asyncio.timeout(20):
                while not saved.exists() or saved.stat().st_size <= before:
                    await asyncio.sleep(0.01)
            slow.kill()
            await slow.wait()
            assert before < saved.stat().st_size < len(data)
        assert await (await curl()).wait() == 0
        assert saved.read_bytes() == data

        def frames() -> int:
            capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG)
            count = 0
            while capture.grab():
                count += 1
            capture.release()
            return count

        assert await asyncio.to_thread(frames) == 50 * SEGMENTS
