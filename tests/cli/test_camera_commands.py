"""`camkeep camera`: cameras on the command line, beside a service that runs."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from camkeep.archive.layout import MARKER
from camkeep.cameras.simulate import Simulator, SimulatorOptions
from camkeep.cli.main import main
from camkeep.cli.zone import local_zone
from camkeep.clock import SystemClock
from camkeep.model import CameraId
from camkeep.server.accounts.audit import Audit
from camkeep.server.camerabook import CameraBook
from camkeep.server.camerasettings import CameraSettings, new_settings
from camkeep.server.database import DATABASE, KEY, Database
from support.command import run as run_bare
from support.http_server import Request, serving

SMALL = SimulatorOptions(width=320, height=240, fps=20, user="admin", password="s3cret-pw")
AWAY = "rtsp://192.0.2.9/main"

CameraCommand = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture
def cams(tmp_path: Path) -> Path:
    return tmp_path / "cams"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "camkeep.toml"
    path.write_text("[server]\nallow_loopback_cameras = true\n")
    return path


@pytest.fixture
def camera(
    cams: Path, config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> CameraCommand:
    """Runs `camkeep camera`; its exit code and what it said."""
    monkeypatch.delenv("CAMKEEP_PASSWORD", raising=False)
    monkeypatch.setattr(sys, "stdin", None)

    async def run(*arguments: object) -> tuple[int, str]:
        words = [*map(str, arguments), "--data", str(cams), "--config", str(config)]
        code = await asyncio.to_thread(exit_code, ["camera", *words])
        out, err = capsys.readouterr()
        return code, out + err

    return run


def exit_code(arguments: list[str]) -> int:
    try:
        return main(arguments)
    except SystemExit as ended:
        return int(ended.code or 0)


def settings(cams: Path) -> list[CameraSettings]:
    database = Database.open(cams / DATABASE, cams / KEY)
    try:
        return CameraBook(database, SystemClock()).now.list()
    finally:
        database.close()


async def test_from_the_first_to_the_last(camera: CameraCommand, cams: Path) -> None:
    async with Simulator("mjpeg", SMALL) as simulator:
        login = simulator.url.replace("://", "://admin:s3cret-pw@")
        code, told = await camera("add", "garage", login)
    assert code == 0, told
    assert "added garage: http://127.0.0.1" in told
    assert "as admin, recorded day and night" in told
    assert "it sends JPEG 320x240" in told
    assert "s3cret-pw" not in told
    assert (cams / MARKER).exists()
    (kept,) = settings(cams)
    assert "s3cret-pw" in kept.url
    code, told = await camera("set", "Garage", "--max-age", "30d", "--rename", "yard")
    assert (code, "yard: http" in told, "30 days" in told) == (0, True, True)
    (after,) = settings(cams)
    assert (after.id, after.name, after.url, after.max_age_s) == (
        kept.id,
        "yard",
        kept.url,
        2592000,
    )
    code, told = await camera("list")
    assert (code, told.startswith("yard  http://127.0.0.1")) == (0, True)
    code, told = await camera("list", "--json")
    assert json.loads(told) == [after.public()]
    assert await camera("remove", "yard") == (
        0,
        "removed yard; what was recorded of it stays in the archive\n",
    )
    assert "no camera is set up yet" in (await camera("list"))[1]
    database = Database.open(cams / DATABASE, cams / KEY)
    entries = await Audit(database, SystemClock()).page()
    assert [entry.action for entry in reversed(entries)] == [
        "camera.add",
        "camera.change",
        "camera.remove",
    ]
    assert "s3cret-pw" not in str(entries)
    database.close()


async def test_a_camera_that_does_not_answer_is_saved_only_with_no_test(
    camera: CameraCommand, cams: Path
) -> None:
    async with Simulator("mjpeg", SMALL) as simulator:
        url = simulator.url
        code, told = await camera("add", "garage", url, "--user", "admin")
        assert (code, "refused the user or password (nothing was saved: --no-test" in told) == (
            4,
            True,
        )
    code, told = await camera("add", "garage", url)
    assert (code, "--no-test saves it nevertheless" in told) == (3, True)
    assert settings(cams) == []
    code, told = await camera("add", "garage", url, "--no-test")
    assert code == 0, told
    assert "it sends" not in told
    code, told = await camera("set", "garage", "--transport", "udp")
    assert (code, settings(cams)[0].transport) == (3, "tcp"), "what a camera is asked is tested"
    code, _ = await camera("set", "garage", "--mode", "off")
    assert (code, settings(cams)[0].mode) == (0, "off"), "what it is not asked is not"


async def test_all_there_is_to_set(camera: CameraCommand, cams: Path, tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("from a file\n")
    code, told = await camera(
        *("add", "garage", AWAY, "--no-test", "--user", "admin"),
        *("--password-file", tmp_path / "pw", "--sub", "rtsp://192.0.2.9/sub"),
        *("--trust", "sha256:" + "ab" * 32, "--transport", "udp", "--timeout", "4s"),
        *("--schedule", "mon-fri 08:00-18:00", "--schedule", "sat 10:00-12:00"),
        *("--zone", "Europe/Vienna", "--pre-roll", "10s", "--no-audio", "--segment", "30s"),
        *("--flush", "2s", "--max-size", "50GB", "--max-age", "2w"),
    )
    assert code == 0, told
    (kept,) = settings(cams)
    assert kept.url == "rtsp://admin:from%20a%20file@192.0.2.9/main"
    assert kept.public() | {"id": ""} == {
        "id": "",
        "name": "garage",
        "address": AWAY,
        "user": "admin",
        "password_set": True,
        "sub_address": "rtsp://192.0.2.9/sub",
        "sub_user": None,
        "sub_password_set": False,
        "transport": "udp",
        "trust": "sha256:" + "ab" * 32,
        "mode": "schedule",
        "schedule": ["mon,tue,wed,thu,fri 08:00-18:00", "sat 10:00-12:00"],
        "zone": "Europe/Vienna",
        "audio": False,
        "pre_roll_s": 10.0,
        "segment_s": 30.0,
        "flush_s": 2.0,
        "max_bytes": 50 * 10**9,
        "max_age_s": 14 * 86400.0,
        "timeout_s": 4.0,
    }
    code, told = await camera(
        *("set", "garage", "--no-test", "--sub", "none", "--trust", "none", "--audio"),
        *("--max-size", "none", "--max-age", "none", "--mode", "always", "--user", ""),
    )
    assert code == 0, told
    (bare,) = settings(cams)
    assert bare.url == AWAY
    assert (bare.sub_url, bare.trust, bare.max_bytes, bare.max_age_s) == (None,) * 4
    assert "is forgotten" in told


async def test_a_password_stays_with_its_camera(camera: CameraCommand, cams: Path) -> None:
    await camera("add", "garage", "rtsp://admin:s3cret-pw@192.0.2.9/main", "--no-test")
    await camera("set", "garage", "--address", "rtsp://192.0.2.9/other", "--no-test")
    assert settings(cams)[0].url == "rtsp://admin:s3cret-pw@192.0.2.9/other"
    _, told = await camera("set", "garage", "--address", "rtsp://192.0.2.8/other", "--no-test")
    assert settings(cams)[0].url == "rtsp://192.0.2.8/other"
    assert "the login was for the address before, and is forgotten" in told


async def test_a_schedule_is_in_the_time_of_this_machine(
    camera: CameraCommand, cams: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Europe/Vienna")
    await camera("add", "a", AWAY, "--no-test")
    await camera("add", "b", AWAY, "--no-test", "--schedule", "daily 08:00-10:00")
    assert [each.schedule.zone for each in settings(cams)] == ["UTC", "Europe/Vienna"]
    await camera("set", "a", "--schedule", "daily 08:00-10:00")
    assert [each.schedule.zone for each in settings(cams)] == ["Europe/Vienna"] * 2


def test_what_this_machine_calls_its_zone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = tmp_path / "localtime"
    for tz, target, zone in (
        ("", "/usr/share/zoneinfo/Asia/Tokyo", "Asia/Tokyo"),
        (":Europe/Paris", "/usr/share/zoneinfo/Asia/Tokyo", "Europe/Paris"),
        ("/etc/localtime", "/usr/share/zoneinfo/Etc/UTC", "UTC"),
        ("CET-1CEST", "/nowhere", "UTC"),
    ):
        monkeypatch.setenv("TZ", tz)
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        assert local_zone(link) == zone


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["add", "x", "file:///etc/passwd"], 2, "a camera's address is"),
        (["add", "x", "http://169.254.169.254/"], 2, "where a cloud keeps the secrets"),
        (["add", "x", "/dev/sda"], 2, "a webcam is"),
        (["add", "", AWAY], 2, "name"),
        (["add", "garage", AWAY], 2, "there is a camera called garage already"),
        (["add", "x", AWAY, "--password-file", "pw"], 2, "needs a --user"),
        (["add", "x", AWAY, "--schedule", "often", "--no-test"], 2, "no interval"),
        (["add", "x", AWAY, "--mode", "schedule", "--no-test"], 2, "at least one interval"),
        (["add", "x", AWAY, "--pre-roll", "10m"], 2, "not within"),
        (["add", "x", AWAY, "--max-size", "50"], 2, "write 500GB"),
        (["set", "nobody", "--mode", "off"], 2, "no camera is called nobody: there is only garage"),
        (["set", "garage"], 2, "that changes nothing"),
        (["set", "garage", "--address", "ftp://x/"], 2, "a camera's address is"),
        (["remove", "nobody"], 2, "no camera is called nobody"),
    ],
)
async def test_mistakes(
    camera: CameraCommand, arguments: list[str], code: int, words: str, cams: Path
) -> None:
    await camera("add", "garage", AWAY, "--no-test")
    found, told = await camera(*arguments)
    assert (found, words in told) == (code, True), told
    assert len(settings(cams)) == 1


async def test_loopback_only_where_the_operator_turned_it_on(
    camera: CameraCommand, config: Path
) -> None:
    config.write_text("")
    code, told = await camera("add", "x", "http://127.0.0.1/", "--no-test")
    assert (code, "allow_loopback_cameras = true" in told) == (2, True)


async def test_a_service_that_runs_sees_it(camera: CameraCommand, cams: Path) -> None:
    await camera("add", "garage", AWAY, "--no-test")
    database = Database.open(cams / DATABASE, cams / KEY)
    book = CameraBook(database, SystemClock())
    assert len(await book.list()) == 1
    assert not await database.changed(database.version)
    seen = database.version
    await camera("add", "yard", AWAY, "--no-test")
    assert await database.changed(seen)
    assert [each.name for each in await book.list()] == ["garage", "yard"]
    database.close()


async def test_a_password_in_an_address_is_not_in_the_process_list(
    cams: Path, config: Path
) -> None:
    seen: list[bytes] = []

    async def look(request: Request) -> None:
        seen.extend(path.read_bytes() for path in processes())
        await request.answer(b"no", status=404)

    def processes() -> list[Path]:
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if str(cams).encode() in path.read_bytes():
                    found.append(path)
            except OSError:
                continue
        return found

    async with serving(look) as server:
        url = server.url.replace("://", "://admin:s3cret-pw@")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "camkeep", "camera", "add", "x", f"{url}/video"),
            *("--sub", f"{url}/small", "--data", str(cams), "--config", str(config)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
    assert process.returncode == 5, out
    assert seen
    assert b"s3cret-pw" not in b"".join(seen) + out


def test_every_json_key_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "commands.md").read_text()
    (row,) = [line for line in page.splitlines() if "`sub_password_set`" in line]
    for key in new_settings(CameraId("x"), {"name": "x", "address": AWAY}).public():
        assert f"`{key}`" in row, key


async def test_without_the_extra(tmp_path: Path) -> None:
    commands: list[tuple[Any, ...]] = [
        ("camera", "list"),
        ("config", "export"),
        ("backup", "x.tar"),
        ("restore", "x.tar"),
    ]
    for command in commands:
        done = await run_bare(*command, "--data", "cams", cwd=tmp_path)
        assert (done.code, "camkeep[server]" in done.err) == (2, True), done.err
