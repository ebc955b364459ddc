"""What the documentation shows works: every block of Python runs, every name that it lists is
there, and every link leads somewhere."""

from __future__ import annotations

import argparse
import asyncio
import inspect
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

import camkeep
from camkeep.cameras.simulate import Simulator, SimulatorOptions
from camkeep.cameras.simulate.faults import KINDS
from camkeep.cli.main import COMMANDS, parser
from support.clips import clip
from support.gst import gst_server, play
from support.keeping import clock_at, keep
from support.staged import WALL0, Staged, stream

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [
    (f"{page.name}-{number}", block)
    for page in (ROOT / "README.md", ROOT / "docs" / "python.md")
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL))
    if "/dev/video0" not in block  # tests/vm has the webcams
]
SMALL = {"width": 320, "height": 240}


@pytest.fixture
async def cameras() -> AsyncIterator[dict[str, str]]:
    """What the addresses of the documentation stand for."""
    easyn = SimulatorOptions(**SMALL, user="admin", password="secret")  # type: ignore[arg-type]
    mjpeg = SimulatorOptions(**SMALL)  # type: ignore[arg-type]
    clip("h264-aac")
    async with Simulator("easyn", easyn) as moving, Simulator("mjpeg", mjpeg) as fixed:
        with gst_server({"/main": play("h264-aac", "h264", "aac")}) as server:
            port = moving.url.rstrip("/").rpartition(":")[2]
            yield {
                "rtsp://192.0.2.9/main": server.url("/main"),
                "http://192.0.2.7/video": fixed.url,
                '"192.0.2.7", 80': f'"127.0.0.1", {port}',
                "easyn://admin:secret@192.0.2.7": f"easyn://admin:secret@127.0.0.1:{port}",
                "seconds=10": "seconds=1",
            }


@pytest.mark.parametrize(("name", "block"), BLOCKS, ids=[name for name, _ in BLOCKS])
async def test_every_block_runs(
    cameras: dict[str, str], tmp_path: Path, name: str, block: str
) -> None:
    for written, real in cameras.items():
        block = block.replace(written, real)
    assert "192.0.2." not in block
    if '"cams"' in block:
        await an_archive(tmp_path / "cams")
        block = block.replace('"yard"', '"cam0"')
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-W", "error", "-c", block],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for movie in re.findall(r'"(\w+\.mp4)"', block):
        assert (tmp_path / movie).stat().st_size > 1000


async def an_archive(folder: Path) -> None:
    """Of a camera that was recorded a moment ago."""
    ago_s = time.time() - 10 - WALL0 / 1e6
    clock = clock_at(ago_s)
    await keep(folder, Staged(stream(100, wall_shift_s=ago_s)), clock=clock)


@pytest.mark.parametrize("kind", [camkeep.Archive, camkeep.Camera, camkeep.EasyN, camkeep.Webcam])
def test_every_method_is_in_its_table(kind: type) -> None:
    page = (ROOT / "docs" / "python.md").read_text()
    for name, _ in inspect.getmembers(kind):
        if not name.startswith("_"):
            assert f"`{name}" in page, name


def options_of(command: argparse.ArgumentParser) -> Iterator[str]:
    """Its options, and those of its subcommands."""
    for action in command._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield f" `{name}"
                yield from options_of(inner)


def test_every_option_is_documented() -> None:
    page = (ROOT / "docs" / "commands.md").read_text()
    for command in COMMANDS:
        assert f"## {command}" in page
        (chosen,) = parser(only=command)._subparsers._group_actions  # type: ignore[union-attr]
        for option in options_of(chosen.choices[command]):  # type: ignore[index, call-overload]
            if option not in ("-h", "--help", "--audio", "--evidence", "--hold"):
                assert option in page, option


def test_every_fault_is_documented() -> None:
    page = (ROOT / "docs" / "commands.md").read_text()
    for name in KINDS:
        assert f"`{name}`" in page, name


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target
