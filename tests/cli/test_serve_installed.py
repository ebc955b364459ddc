"""camkeep as a user installs it: a fresh environment, another folder, none of our tools."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import venv
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
UI = ROOT / "src" / "camkeep" / "server" / "ui"
DEPLOY = ROOT / "deploy"


def install(python: Path, what: str) -> None:
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, what], check=True, capture_output=True)


def lean(home: Path) -> dict[str, str]:
    """The environment of somebody who has set nothing."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {**kept, "HOME": str(home)}


@asynccontextmanager
async def running(command: Sequence[object], home: Path) -> AsyncIterator[list[str]]:
    """A service, once it has said where it is; what it said. It must end well."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command), cwd=home, env=lean(home), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    said: list[str] = []
    try:
        async with asyncio.timeout(60):
            while not said or "recordings are in" not in said[-1]:
                line = (await process.stdout.readline()).decode()
                assert line, said
                said.append(line)
        yield said
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()
    assert process.returncode == 0


async def test_a_user_installs_it_and_looks_at_the_demo(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    venv.create(tmp_path / "venv", with_pip=True)
    python, camkeep = (tmp_path / "venv" / "bin" / name for name in ("python", "camkeep"))

    install(python, str(ROOT))
    for command in ("serve", "backup away.tar"):
        bare = subprocess.run(
            [camkeep, *command.split()], capture_output=True, text=True, cwd=home, env=lean(home)
        )
        assert bare.returncode == 2
        assert re.fullmatch(r"camkeep: .*install camkeep\[server\].*\n", bare.stderr)
    assert list(home.iterdir()) == []

    install(python, f"{ROOT}[server]")
    (inside,) = (tmp_path / "venv").glob("lib/python*/site-packages/camkeep/server/ui")
    assert names_in(inside) == names_in(UI)
    serve = (camkeep, "serve", "--demo", "--listen", "127.0.0.1:0")
    async with running(serve, home) as said:
        assert said[-1] == f"recordings are in {home}/.local/share/camkeep\n"
        await look(said[0].split()[-1])
    async with running(serve, home) as said:
        assert await cameras_at(said[0].split()[-1]) == ["demo"]  # --demo adds no second one


async def cameras_at(url: str) -> list[str]:
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        return [each["name"] for each in (await client.get("/api/v1/cameras")).json()["cameras"]]


def names_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


async def look(url: str) -> None:
    """The page, all that it asks for, and live pictures."""
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=20) as client:
        page = await client.get("/")
        wanted = re.findall(r'(?:href|src)="(/ui/[^"]+)"', page.text)
        assert {".js", ".css", ".svg"} <= {Path(each).suffix for each in wanted}
        for each in wanted:
            assert (await client.get(each)).status_code == 200, each
        (camera,) = (await client.get("/api/v1/cameras")).json()["cameras"]
        path = f"/api/v1/cameras/{camera['id']}"
        assert (await client.get(f"{path}/snapshot.jpg")).content[:2] == b"\xff\xd8"
        async with client.stream("GET", f"{path}/live.mjpeg") as answer:
            got = b""
            async for piece in answer.aiter_raw():
                got += piece
                if got.count(b"\xff\xd8\xff") >= 3:
                    break


def test_whatever_is_for_deploying_is_documented() -> None:
    page = (ROOT / "docs" / "serving.md").read_text()
    for path in DEPLOY.iterdir():
        assert f"deploy/{path.name}" in page, path.name
