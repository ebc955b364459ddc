"""What the documentation shows works: every block of Python runs, every name that it lists is
there, and every link leads somewhere."""

from __future__ import annotations

import argparse
import asyncio
import inspect
import json
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

import camkeep
from camkeep.archive.clips import write_clip
from camkeep.archive.coverage import Coverage
from camkeep.archive.files import SystemFiles
from camkeep.archive.layout import new_clip_id
from camkeep.cameras.simulate import Simulator, SimulatorOptions
from camkeep.cameras.simulate.faults import KINDS
from camkeep.cli.main import COMMANDS, main, parser
from camkeep.engine.keeper import KeepOptions
from camkeep.model import Clip, Gap, KeptCamera, Segment
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
    """Of a camera that was recorded a moment ago, in several segments."""
    ago_s = time.time() - 10 - WALL0 / 1e6
    camera = Staged(stream(100, wall_shift_s=ago_s))
    found = await keep(folder, camera, options=KeepOptions(segment_s=1.0), clock=clock_at(ago_s))
    start = found.segments[0].start
    held = Clip(new_clip_id(), "fox", (found.camera.id,), start, start, True, start)
    write_clip(folder, SystemFiles(), held)


async def test_the_chain_is_checked_without_camkeep(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "evidence.md").read_text()
    (script,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert "camkeep" not in script
    cams = tmp_path / "cams"
    await an_archive(cams)
    camera = cams / "recordings" / "cam0"
    movies = sorted(camera.glob("*/*.mp4"))
    assert len(movies) > 3

    def lines() -> list[str]:
        command = [sys.executable, "-I", "-W", "error", "-c", script, camera]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    with camkeep.Archive(cams) as archive:
        segments = archive.segments("cam0", 0, round(time.time() * 1e6))
    paths = [str(cams / segment.path) for segment in segments]
    assert [line.split() for line in lines()] == [
        *([path] for path in paths),
        ["head", segments[-1].chain.hex()],
    ]
    movies[1].rename(tmp_path / "gone.mp4")
    assert [line for line in lines() if "NOT" in line] == [
        f"{movies[2]} DOES NOT FOLLOW what is before it"
    ]
    data = bytearray(movies[2].read_bytes())
    data[-100] ^= 1
    movies[2].write_bytes(data)
    assert f"{movies[2]} has no seal: it still grows, or it was changed" in lines()


def test_the_seal_is_where_the_tools_look(tmp_path: Path) -> None:
    """The commands of docs/evidence.md, on a segment."""
    page = (ROOT / "docs" / "evidence.md").read_text()
    commands = [line[2:] for line in page.splitlines() if line.startswith("$ ") and "size" in line]
    asyncio.run(an_archive(tmp_path / "cams"))
    movie = next(tmp_path.glob("cams/recordings/*/*/*Z.mp4"))
    last = next(line[2:] for line in page.splitlines() if line.startswith("$ tail -c 36"))
    script = "\n".join([f"movie={movie}", *commands, last])
    done = subprocess.run(["sh", "-e"], input=script, capture_output=True, text=True, check=True)
    text, _, found = done.stdout.rpartition("  -\n")
    assert json.loads(text[:-64])["sequence"] >= 1
    assert text[-64:] == "".join(found.split())


@pytest.mark.parametrize("kind", [camkeep.Archive, camkeep.Camera, camkeep.EasyN, camkeep.Webcam])
def test_every_method_is_in_its_table(kind: type) -> None:
    page = (ROOT / "docs" / "python.md").read_text()
    for name, _ in inspect.getmembers(kind):
        if not name.startswith("_"):
            assert f"`{name}" in page, name


@pytest.mark.parametrize("value", [KeptCamera, Segment, Gap, Coverage, Clip])
def test_every_field_is_in_its_row(value: type) -> None:
    page = (ROOT / "docs" / "python.md").read_text()
    row = next(line for line in page.splitlines() if line.startswith(f"| `{value.__name__}` | "))
    for name, _ in (*inspect.get_annotations(value).items(), *inspect.getmembers(value)):
        if not name.startswith("_"):
            assert f"`{name}`" in row, name


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


def test_each_option_of_the_archive_is_in_its_row() -> None:
    """The table says which subcommands have it."""
    page = (ROOT / "docs" / "commands.md").read_text()
    (chosen,) = parser(only="archive")._subparsers._group_actions  # type: ignore[union-attr]
    (subs,) = (
        action
        for action in chosen.choices["archive"]._actions  # type: ignore[index, call-overload]
        if isinstance(action, argparse._SubParsersAction)
    )
    has = {
        (option, name)
        for name, command in subs.choices.items()
        for option in options_of(command)
        if option not in ("-h", "--help", "--data", "--json", "--evidence", "--hold")
    }
    told = set()
    for cells in re.findall(r"^\| (`--[^|]*) \| ([a-z, ]+) \| ", page, re.MULTILINE):
        for option in re.findall(r"--[a-z-]+", cells[0]):
            told |= {(option, name) for name in cells[1].split(", ")}
    assert told == has


def keys_of(value: object) -> Iterator[str]:
    """All keys in what a command printed for programs."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys_of(inner)


def test_every_json_key_is_documented(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs" / "commands.md").read_text()
    told = dict(re.findall(r"^\| (`[^|]*) \| ((?:an? |`).*) \|$", page, re.MULTILINE))
    cams = tmp_path / "cams"
    asyncio.run(an_archive(cams))
    clip = tmp_path / "clip.mp4"

    def check(row: str, *arguments: str | Path) -> object:
        main(["archive", *map(str, arguments), "--data", str(cams), "--json"])
        printed = json.loads(capsys.readouterr().out)
        keys = set(keys_of(printed))
        assert keys
        assert not [key for key in keys if f"`{key}`" not in told[row]], row
        return printed

    made = check("`clip`, `unclip`", "clip", "cam0", "--from", "1m ago", "--name", "fox")
    for command in ("list", "gaps", "clips", "usage", "reindex"):
        check(f"`{command}`", command)
    check("`export`", "export", "cam0", clip, "--from", "1m ago")
    check("`verify CLIP.mp4`", "verify", clip)
    assert isinstance(made, dict)
    check("`clip`, `unclip`", "unclip", made["id"])
    movie = next(cams.glob("recordings/*/*/*Z.mp4"))
    data = bytearray(movie.read_bytes())
    data[len(data) // 3] ^= 1
    movie.write_bytes(data)
    found = check("`verify`", "verify")
    assert isinstance(found, dict)
    assert not found["intact"]


def test_every_fault_is_documented() -> None:
    page = (ROOT / "docs" / "commands.md").read_text()
    for name in KINDS:
        assert f"`{name}`" in page, name


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target
