"""`camkeep keep` as a person runs it: signals, keys, names, limits, and what is in the archive."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from camkeep.archive.layout import write_instant
from camkeep.archive.view import ArchiveView
from camkeep.cameras.address import parse_address
from camkeep.cameras.simulate import Simulator, SimulatorOptions
from camkeep.cli.keep import name_of
from camkeep.cli.main import main
from camkeep.clock import WallUs
from camkeep.engine.keeper import KeepOptions
from camkeep.model import Cause, Clip, Gap, Segment
from support.files import movie_of
from support.keeping import EVER, keep
from support.keepprocess import Keep, keeping, movies, start_keeping, until
from support.staged import Staged, stream
from support.terminal import Terminal

SMALL = SimulatorOptions(width=160, height=128, fps=20)
CARD = "testcard:?size=160x128&fps=20"


@asynccontextmanager
async def two_cameras() -> AsyncIterator[dict[str, str]]:
    """An EasyN and an MJPEG camera by their names."""
    async with Simulator("easyn", SMALL) as birds, Simulator("mjpeg", SMALL) as door:
        yield {"birds": birds.url, "door": door.url}


async def all_record(command: Keep, cameras: Mapping[str, str]) -> None:
    for name in cameras:
        await command.says(f"{name}: recording, JPEG 160x128")


def segments(folder: Path, camera: str) -> list[Segment]:
    with ArchiveView(folder) as view:
        return view.segments(camera, *EVER)


def gaps(folder: Path, camera: str) -> list[Gap]:
    with ArchiveView(folder) as view:
        return view.gaps(camera, *EVER)


def clips(folder: Path) -> list[Clip]:
    with ArchiveView(folder) as view:
        return view.clips()


def plays(path: Path) -> bool:
    """Whether ffprobe reads all of it and complains of nothing."""
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames", path],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr == "" and "nb_read_frames=0" not in done.stdout


async def test_until_a_signal_and_on_from_there(tmp_path: Path) -> None:
    folder = tmp_path / "cams"
    async with two_cameras() as cameras:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            command = await start_keeping(folder, cameras)
            await all_record(command, cameras)
            os.kill(command.pid, number)
            assert await command.ended() == 0
    for name in cameras:
        found = segments(folder, name)
        assert {folder / segment.path for segment in found} == set(movies(folder, name))
        assert len(found) >= 3
        assert all(movie_of(folder / segment.path).whole for segment in found)
        assert all(plays(folder / segment.path) for segment in found)
        causes = [gap.cause for gap in gaps(folder, name)]
        assert causes[0] is Cause.STARTING
        assert causes.count(Cause.NOT_RUNNING) == 3
        assert gaps(folder, name)[-1].lasting
    assert main(["archive", "verify", "--data", str(folder)]) == 0


async def test_what_it_says_at_the_end(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "camkeep", "keep", f"birds={CARD}", "--data", "cams"),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    line = await process.stderr.readline()
    assert b"  birds: recording, JPEG 160x128" in line
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert out.split()[0] == b"birds"
    assert b"frame" in out


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("testcard:?fps=5", "testcard"),
        ("rtsp://admin@192.0.2.9:8554/main/1", "192.0.2.9 main 1"),
        ("http://192.0.2.9/video?token=x", "192.0.2.9 video"),
        ("easyn://192.0.2.9/", "192.0.2.9"),
        ("/dev/video0", "video0"),
    ],
)
def test_a_camera_without_a_name(address: str, name: str) -> None:
    assert name_of(parse_address(address)[0]) == name


async def test_names_are_the_owners(tmp_path: Path) -> None:
    folder = tmp_path / "cams"
    cameras = {"Süd/Tor 1 (alt)": CARD, "garage": CARD}
    async with keeping(folder, cameras) as command:
        for name in cameras:
            await command.says(f"{name}: recording")
    with ArchiveView(folder) as view:
        assert {camera.name for camera in view.cameras()} == set(cameras)
        known = view.camera("süd/tor 1 (ALT)")
    async with keeping(folder, {"SÜD/TOR 1 (alt)": CARD}) as command:
        await command.says("recording")
    with ArchiveView(folder) as view:
        assert view.camera("Süd/Tor 1 (alt)").id == known.id
        assert len(view.cameras()) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((f"a={CARD}", f"A={CARD}"), 2, "two cameras are called A"),
        ((CARD, CARD), 2, "two cameras are called testcard: name one of them, NAME=ADDRESS"),
        ((f"={CARD}",), 2, "before = stands what the camera is called"),
        (("a=",), 2, "a: a camera's address is"),
        (("a=garage",), 2, "a: a camera's address is"),
        ((CARD, "ftp://u:hunter2@h/"), 2, "ftp://u:***@h/: a camera's address is"),
        ((CARD, "--camera-max-size", "x=1GB"), 2, "called x: there is only testcard"),
        ((CARD, f"b={CARD}", "--camera-max-age", "x=1d"), 2, "there are testcard, b"),
        ((CARD, "--camera-max-size", "1GB"), 2, "names no camera: write garage=100GB"),
        ((CARD, "--max-size", "500"), 2, "write 500GB"),
        ((CARD, "--max-age", "30"), 2, "write 30d"),
        ((CARD, "--keep-free", "200%"), 2, "10% of the disk"),
        ((CARD, "--segment", "1s"), 2, "within 5 to 600 seconds"),
        ((CARD, "--flsh", "1s"), 2, "did you mean --flush?"),
        ((CARD, "--data", ""), 2, "name the folder of the archive"),
        ((CARD, "--data", "no/cams"), 7, "there is no folder no"),
        ((CARD, "--data", "empty"), 2, "mount it; to begin an archive in it, say --new"),
        ((CARD, "--data", "full"), 2, "holds other things"),
        ((CARD, "--data", "file"), 7, "not a folder"),
        ((), 2, "required: CAMERA"),
    ],
)
def test_slips_are_answered_before_anything_is_made(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAMKEEP_DATA", "cams")
    Path("empty").mkdir()
    Path("full").mkdir()
    Path("full/photo.jpg").write_bytes(b"x")
    Path("file").write_bytes(b"x")
    before = sorted(tmp_path.rglob("*"))
    try:
        found = main(["keep", *arguments])
    except SystemExit as ended:
        found = int(str(ended.code))
    told = capsys.readouterr()
    assert (found, words in told.err, told.out) == (code, True, ""), told.err
    assert "hunter2" not in told.err
    assert sorted(tmp_path.rglob("*")) == before


def test_no_archive_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CAMKEEP_DATA", raising=False)
    assert main(["keep", CARD]) == 2
    assert "--data DIR" in capsys.readouterr().err


async def test_an_empty_folder_is_taken_where_somebody_says_so(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    async with keeping(tmp_path, {"birds": CARD}, "--new") as command:
        await command.says("recording")
    assert segments(tmp_path, "birds")
    async with keeping(tmp_path, {"birds": CARD}, "--new") as command:  # it is there by now
        await command.says("recording")


async def test_one_recorder_for_an_archive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with keeping(tmp_path / "cams", {"birds": CARD}) as command:
        await until(lambda: movies(tmp_path / "cams", "birds"))
        for arguments in (["keep", CARD], ["archive", "reindex"]):
            assert main([*arguments, "--data", str(tmp_path / "cams")]) == 2
            assert f"another camkeep (process {command.pid})" in capsys.readouterr().err
        assert main(["archive", "usage", "--data", str(tmp_path / "cams"), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["recording"] is True
        assert main(["archive", "verify", "--data", str(tmp_path / "cams")]) == 0
        assert "1 segment still open" in capsys.readouterr().out
        assert main(["archive", "list", "--files", "--data", str(tmp_path / "cams")]) == 0
        assert "(grows)" in capsys.readouterr().out


async def old_footage(folder: Path) -> list[Segment]:
    """An archive with 12 segments of a camera called cam0, of some 75 kB each."""
    big = (sample._replace(data=sample.data + bytes(3_000)) for sample in stream(240, fps=2))
    await keep(folder, Staged(big), options=KeepOptions(segment_s=10))
    return segments(folder, "cam0")


async def test_the_oldest_goes_and_what_a_clip_holds_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "cams"
    before = await old_footage(folder)
    total = sum(segment.size for segment in before)
    clip = ["archive", "clip", "cam0", "--data", str(folder)]
    assert main([*clip, "--from", utc(before[1]), "--to", utc(before[2])]) == 0
    limits = ("--max-size", f"{total // 1000 + 100}kB", "--segment", "5s")
    async with keeping(folder, {"garage": CARD}, *limits) as command:
        await command.says("recording")
        # another process marks what would go next, while the recorder runs
        assert main([*clip, "--from", utc(before[3]), "--to", utc(before[4])]) == 0
        await until(lambda: not (folder / before[6].path).exists())
    gone = {number for number, s in enumerate(before) if not (folder / s.path).exists()}
    assert {0, 5, 6} <= gone
    assert not gone & {1, 2, 3, 4}
    assert main(["archive", "verify", "--data", str(folder)]) == 0
    assert "deleted on purpose" in capsys.readouterr().out


def utc(segment: Segment) -> str:
    """A moment within a segment, as people type it."""
    return write_instant(WallUs(segment.start + 1_000_000))


async def test_the_record_button_by_a_signal(tmp_path: Path) -> None:
    folder = tmp_path / "cams"
    async with two_cameras() as cameras:
        command = await start_keeping(folder, cameras, "--pre-roll", "1s")
        await all_record(command, cameras)
        os.kill(command.pid, signal.SIGUSR1)
        for name in cameras:
            await command.says(f"recording the clip '{name} ")
        assert all(clip.end is None and clip.held for clip in clips(folder))
        os.kill(command.pid, signal.SIGUSR1)
        for name in cameras:
            await command.says(f"kept the clip '{name} ")
        await command.stop()
    found = clips(folder)
    assert len(found) == 2
    for clip in found:
        assert clip.end is not None
        assert 1.0 <= (clip.end - clip.start) / 1e6 < 10
    export = next(told.line for told in command.told if "archive export" in told.line)
    words = export.split()
    assert words[:3] == ["camkeep", "archive", "export"]
    target = str(tmp_path / "clip.mp4")
    assert main([target if word == "clip.mp4" else word for word in words[1:]]) == 0
    assert plays(tmp_path / "clip.mp4")


async def test_a_clip_that_was_not_ended_ends_with_the_recorder(tmp_path: Path) -> None:
    async with keeping(tmp_path / "cams", {"birds": CARD}) as command:
        await command.says("recording")
        os.kill(command.pid, signal.SIGUSR1)
        await command.says("recording the clip")
    (clip,) = clips(tmp_path / "cams")
    assert clip.end is not None


async def test_recording_only_when_asked(tmp_path: Path) -> None:
    folder = tmp_path / "cams"
    cameras = {"birds": CARD}
    async with keeping(folder, cameras, "--when-asked", "--pre-roll", "2s") as command:
        ready = await command.says("birds: ready, JPEG 160x128")
        await asyncio.sleep(0.5)  # for the pre-roll
        assert movies(folder, "birds") == []
        os.kill(command.pid, signal.SIGUSR1)
        pressed = await command.says("recording the clip")
        await until(lambda: movies(folder, "birds"))
        os.kill(command.pid, signal.SIGUSR1)
        await command.says("kept the clip")
        os.kill(command.pid, signal.SIGUSR1)
        await until(lambda: len(movies(folder, "birds")) == 2)
        os.kill(command.pid, signal.SIGUSR1)
        await until(lambda: command.lines.count("kept the clip") == 2)
    first, second = clips(folder)
    early_s = (first.end or 0) / 1e6 - first.start / 1e6
    assert early_s >= min(2.0, pressed.mono_s - ready.mono_s) - 0.2
    (one, other) = segments(folder, "birds")
    assert abs(one.start - first.start) < 200_000
    assert one.end - 100_000 < second.start < other.start + 200_000
    assert [gap.cause for gap in gaps(folder, "birds") if gap.seconds > 0.5] == []


def test_the_record_button_on_a_terminal(tmp_path: Path) -> None:
    arguments = ("keep", f"birds={CARD}", "--data", tmp_path / "my cams")
    with Terminal("-m", "camkeep", *arguments, columns=60) as terminal:
        before = terminal.modes
        terminal.says("birds: recording, JPEG 160x128")
        terminal.press("r")
        terminal.says("recording the clip 'birds ")
        terminal.says(" REC")
        terminal.press("r")
        terminal.says("kept the clip 'birds ")
        terminal.says(f"clip.mp4 --data '{tmp_path}/my cams'")
        terminal.press("q")
        assert terminal.done() == 0
        assert terminal.modes == before
        told = [line for line in terminal.shown.splitlines() if "archive export" not in line]
        assert max(map(len, told)) <= 60
        assert "Traceback" not in terminal.shown
    (clip,) = clips(tmp_path / "my cams")
    assert clip.held


def test_ctrl_c_and_a_closed_window(tmp_path: Path) -> None:
    for end in ("ctrl-c", "closed"):
        arguments = ("keep", f"birds={CARD}", "--data", tmp_path / end)
        with Terminal("-m", "camkeep", *arguments) as terminal:
            terminal.says("birds: recording")
            if end == "ctrl-c":
                terminal.press("\x03")
                assert terminal.done() == 0
                assert "Traceback" not in terminal.shown
            else:
                terminal.hang_up()
                assert terminal.process.wait(30) == 0
        assert [movie_of(path).whole for path in movies(tmp_path / end, "birds")] == [True]


@pytest.mark.parametrize("after_s", [0.0, 0.05, 0.1, 0.2, 0.4])
def test_ctrl_c_at_any_moment(tmp_path: Path, after_s: float) -> None:
    command = [sys.executable, "-m", "camkeep", "keep", f"birds={CARD}", "--data", tmp_path / "a"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            process.wait(after_s)
        except subprocess.TimeoutExpired:
            pass
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    if b"Fatal Python error: init_" in err:
        return  # Python itself was about to begin
    assert process.returncode in (0, 130, -signal.SIGINT), err
    if process.returncode == 0:
        assert out
    assert b"Traceback" not in err or process.returncode == -signal.SIGINT  # Python itself began


async def test_a_camera_that_is_not_there_and_one_that_refuses(tmp_path: Path) -> None:
    folder = tmp_path / "cams"
    login = SimulatorOptions(
        width=160, height=128, fps=20, user="admin", password="x", login="basic"
    )
    async with Simulator("mjpeg", login) as door:
        cameras = {"birds": CARD, "door": door.url, "gate": "http://127.0.0.1:1/video"}
        async with keeping(folder, cameras) as command:
            await command.says("birds: recording")
            await command.says("door: the camera ")
            await command.says("gate: 127.0.0.1 port 1 refused the connection")
    assert segments(folder, "birds")
    assert gaps(folder, "door")[-2].cause is Cause.REFUSED
    assert gaps(folder, "gate")[-2].cause is Cause.UNREACHABLE
    assert main(["archive", "verify", "--data", str(folder)]) == 0


async def test_a_password_is_nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = "hunter2hunter2"
    options = SimulatorOptions(
        width=160, height=128, fps=20, user="admin", password=secret, login="query"
    )
    folder = tmp_path / "cams"
    async with Simulator("easyn", options) as camera, Simulator("mjpeg", SMALL) as door:
        host = camera.url.removeprefix("easyn://")
        cameras = {
            "birds": f"easyn://admin:{secret}@{host}",
            "door": f"{door.url}?token={secret}",
            "away": f"rtsp://admin:{secret}@127.0.0.1:1/main?password={secret}",
        }
        async with keeping(folder, cameras) as command:
            await command.says("birds: recording")
            await command.says("door: recording")
            await command.says("away: ")
            process = Path(f"/proc/{command.pid}")
            assert secret.encode() not in (process / "cmdline").read_bytes()
            assert secret.encode() not in (process / "environ").read_bytes()
            os.kill(command.pid, signal.SIGUSR1)
            await command.says("recording the clip")
    assert secret not in command.lines
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert [path for path in files if secret.encode() in path.read_bytes()] == []
    for name in ("list", "gaps", "clips", "usage", "verify"):
        assert main(["archive", name, "--json", "--data", str(folder)]) == 0
    assert secret not in capsys.readouterr().out


async def test_news_without_a_terminal_are_lines_and_quiet_is_quiet(tmp_path: Path) -> None:
    async with keeping(tmp_path / "cams", {"birds": CARD}) as command:
        await command.says("recording")
    assert "\x1b" not in command.lines
    assert len(command.lines.splitlines()) == 1
    quiet = await start_keeping(tmp_path / "cams", {"birds": CARD}, quiet=True)
    await until(lambda: len(movies(tmp_path / "cams", "birds")) == 2)
    assert await quiet.stop() == ""


def test_a_password_is_asked_for_by_name(tmp_path: Path) -> None:
    gate = "easyn://admin@127.0.0.1:1/"
    arguments = ("-m", "camkeep", "keep", f"gate={gate}", CARD, "--data", tmp_path / "cams")
    for keys, code, words in (("\x04", 2, "no password was given"), ("\x03", 130, "")):
        with Terminal(*arguments) as terminal:
            terminal.says("Password of admin at 127.0.0.1:")
            terminal.press(keys)
            assert terminal.done() == code
            assert words in terminal.words
            assert "Traceback" not in terminal.shown
    assert not (tmp_path / "cams").exists()
    with Terminal(*arguments) as terminal:
        terminal.says("Password of admin at 127.0.0.1:")
        terminal.press("hunter2\n")
        terminal.says("testcard: recording")
        terminal.press("q")
        assert terminal.done() == 0
        assert "hunter2" not in terminal.shown
