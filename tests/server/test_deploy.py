"""The files for systemd and for containers: looked at by systemd's own tools, and tried as far as
that goes without a system to install them on."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from camkeep.server.vitals import Part, Vitals
from support.server import serving

DEPLOY = Path(__file__).parents[2] / "deploy"
UNIT = DEPLOY / "camkeep.service"
CONTAINER = DEPLOY / "Containerfile"

systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def installed(folder: Path) -> Path:
    """The unit, with a program that is there."""
    path = folder / UNIT.name
    text = UNIT.read_text(encoding="utf-8")
    path.write_text(text.replace("/opt/camkeep/bin/camkeep", sys.executable), encoding="utf-8")
    return path


@systemd
def test_systemd_has_nothing_to_say_about_the_unit(tmp_path: Path) -> None:
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", installed(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


@systemd
def test_the_unit_is_well_protected(tmp_path: Path) -> None:
    checked = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--json=short", installed(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unrecognized option" in checked.stderr:
        pytest.skip("this systemd-analyze looks only at what runs")
    report = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=30", installed(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert report.returncode == 0, report.stdout
    assert json.loads(checked.stdout)


def test_the_unit_starts_what_there_is() -> None:
    from camkeep.cli.main import main

    text = UNIT.read_text(encoding="utf-8")
    (command,) = re.findall(r"^ExecStart=/opt/camkeep/bin/camkeep (\w+)$", text, re.MULTILINE)
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0


def test_the_container_runs_without_root_and_without_a_shell() -> None:
    lines = CONTAINER.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    steps = [line.split(None, 1) for line in lines if line and not line.startswith("#")]
    for name, rest in steps:
        if name in ("RUN", "CMD", "ENTRYPOINT", "VOLUME"):
            assert json.loads(rest), name
    users = [rest for name, rest in steps if name == "USER"]
    assert users == ["10001:10001"]
    for name, rest in steps:
        if name == "COPY" and "--from" not in rest:
            for source in rest.split()[:-1]:
                assert (DEPLOY.parent / source).exists(), source


async def test_the_health_check_of_the_container_tells_well_from_unwell(tmp_path: Path) -> None:
    text = CONTAINER.read_text(encoding="utf-8").replace("\\\n", " ")
    (found,) = re.findall(r"^HEALTHCHECK .* CMD (\[.*\])$", text, re.MULTILINE)
    program, *arguments = json.loads(found)
    assert program.startswith("/opt/camkeep/bin/python")

    async def check(port: int) -> int:
        asked = [argument.replace(":8090/", f":{port}/") for argument in arguments]
        process = await asyncio.create_subprocess_exec(
            sys.executable, *asked, stderr=asyncio.subprocess.DEVNULL
        )
        return await process.wait()

    async with serving(tmp_path / "a") as site:
        assert await check(site.port) == 0

        async def never() -> None:
            await asyncio.Event().wait()

        vitals = Vitals([Part("the disk", never, 0, 99)], site.desk.clock)
        asking = asyncio.create_task(vitals.run())
        site.desk.monitor.vitals = vitals
        while not vitals.unwell():
            await asyncio.sleep(0.01)
        assert await check(site.port) == 1
        asking.cancel()
        await asyncio.wait([asking])
        port = site.port
    assert await check(port) == 1


async def test_the_service_tells_systemd_when_it_is_ready_well_and_ending(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)
        command = ["-m", "camkeep", "serve", "--listen", "127.0.0.1:0"]
        environment = os.environ | {
            "CAMKEEP_DATA": str(tmp_path / "archive"),
            "CAMKEEP_CONFIG": os.devnull,
            "NOTIFY_SOCKET": str(tmp_path / "notify"),
            "WATCHDOG_USEC": "300000",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, env=environment, stdout=asyncio.subprocess.DEVNULL
        )
        try:
            async with asyncio.timeout(60):
                first = await loop.sock_recv(listening, 4096)
                assert first.startswith(b"READY=1\nSTATUS=at http://127.0.0.1:")
                assert await loop.sock_recv(listening, 4096) == b"WATCHDOG=1"
                assert await loop.sock_recv(listening, 4096) == b"WATCHDOG=1"
                process.send_signal(signal.SIGTERM)
                while (said := await loop.sock_recv(listening, 4096)) == b"WATCHDOG=1":
                    pass
                assert said == b"STOPPING=1"
                assert await process.wait() == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
