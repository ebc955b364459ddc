"""The page's files as they are served: kinds, how long a browser may keep them, how large."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from camkeep.server.web.pages import pages, read_pages
from support.server import Site, serving

ROOT = Path(__file__).parents[3]
UI = ROOT / "src" / "camkeep" / "server" / "ui"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(tmp_path / "a") as site:
        yield site


async def test_the_page_is_there_without_a_login_and_names_its_files(site: Site) -> None:
    await site.user("anna")
    async with site.fresh() as nobody:
        answer = await nobody.get("/")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["cache-control"] == "no-cache"
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        named = re.findall(r'(?:src|href)="(/[^"]*)"', answer.text)
        assert len(named) > 15
        for path in named:
            file = await nobody.get(path)
            assert file.status_code == 200, path
            assert file.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert file.headers["x-content-type-options"] == "nosniff"
            kinds = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}
            kinds |= {"svg": "image/svg+xml", "png": "image/png"}
            kinds["webmanifest"] = "application/manifest+json"
            assert file.headers["content-type"] == kinds[path.rpartition(".")[2]]


async def test_what_a_browser_has_is_not_sent_again(site: Site) -> None:
    first = await site.client.get("/")
    again = await site.client.get("/", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    weak = f'"x", W/{first.headers["etag"]}'
    assert (await site.client.get("/", headers={"if-none-match": weak})).status_code == 304
    other = await site.client.get("/", headers={"if-none-match": '"another"'})
    assert other.content == first.content
    head = await site.client.head("/")
    assert int(head.headers["content-length"]) == first.num_bytes_downloaded
    assert head.content == b""


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        *((each, True) for each in ("gzip, br", "br, gzip;q=0.5", "*")),
        *((each, False) for each in ("identity", "", "gzip;q=0", "gzip; q=0.0, br")),
    ],
)
async def test_files_are_packed_for_those_who_unpack_them(
    site: Site, accepted: str, packed: bool
) -> None:
    plain = pages().files["app.js"]
    path = f"/ui/{pages().version}/app.js"
    answer = await site.client.get(path, headers={"accept-encoding": accepted})
    assert answer.content == plain
    assert ("content-encoding" in answer.headers) == packed
    assert (answer.num_bytes_downloaded < len(plain) / 2) == packed
    assert answer.headers["vary"] == "accept-encoding"
    other = await site.client.get(path, headers={"if-none-match": answer.headers["etag"]})
    assert other.status_code == (304 if packed else 200), "a tag names one form"


async def test_only_the_files_of_this_version_are_there(site: Site) -> None:
    version = pages().version
    for path in (
        "/ui/0123456789abcdef/app.js",
        f"/ui/{version}/index.html",
        f"/ui/{version}/pages.py",
        f"/ui/{version}/..%2f__init__.py",
        f"/ui/{version}/",
        f"/ui/{version}",
        "/ui/app.js",
    ):
        assert (await site.client.get(path)).status_code == 404, path


def test_another_byte_makes_another_version(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text('<script src="/ui/a.js"></script>')
    (tmp_path / "a.js").write_text("1")
    (tmp_path / "notes.txt").write_text("not for anybody")
    one = read_pages(tmp_path)
    (tmp_path / "a.js").write_text("2")
    two = read_pages(tmp_path)
    assert one.version != two.version
    assert one.page == f'<script src="/ui/{one.version}/a.js"></script>'.encode()
    assert set(one.files) == {"a.js"}


def test_nothing_of_the_page_comes_late_or_parses_html() -> None:
    files = {path.name: path.read_text() for path in UI.iterdir() if path.suffix != ".png"}
    first = _imported("app.js", files)
    named = set(re.findall(r'"/ui/(\w[\w-]*\.js)"', files["index.html"]))
    assert named == first, "a module that is found late, or fetched for nothing"
    for name, text in files.items():
        if not name.endswith(".js"):
            continue
        assert text.startswith("// @ts-check\n")
        assert text.count("\n") <= 300 or name.endswith("-more.js")
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert word not in text, name
    assert not re.search(r"<script(?![^>]*src)|<style|style=| on\w+=", files["index.html"])
    assert not re.search(
        r"https?://(?!www\.w3\.org)", "".join(files.values()).replace("http://,", "")
    )


def _imported(name: str, files: dict[str, str]) -> set[str]:
    """A module, and all that it cannot do without."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += re.findall(r'^(?:import|\} from) .*?"\./([^"]+)";$', files[each], re.M)
    return found


def test_the_page_is_in_the_wheel(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as built:
        inside = {name.rpartition("/")[2] for name in built.namelist() if "/server/ui/" in name}
    assert inside == {path.name for path in UI.iterdir()}
