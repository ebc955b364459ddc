"""The page: static files of `server/ui/`, read once when the service begins.

The page itself is asked for anew each time and names its files with a digest of them all in the
path. So whatever a browser has kept of them is right for ever, no two versions mix, and no path
from a request ever reaches the file system.

What explains the code to who reads it is not sent to who looks at cameras: scripts and styles go
out without comments and spaces (`lean.py`), and packed for whoever can unpack them.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter, Request
from starlette.responses import Response

from camkeep.server.problems import not_found
from camkeep.server.web.guard import Anybody
from camkeep.server.web.lean import lean_script, lean_style

router = APIRouter(include_in_schema=False)

PAGE = "index.html"
PREVIEW = "preview."
"""So begin the files that only the preview of a recording has, whose page is `preview.html`."""
PLACE = "/ui/"
"""What the files say for their own place; the digest is put behind it."""
KINDS = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "webmanifest": "application/manifest+json",
}
PACKED = ("png",)
"""Kinds that gzip makes no smaller."""
FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"


@dataclass(frozen=True, slots=True)
class Pages:
    """All files of the page."""

    version: str
    """A digest of them all."""
    page: bytes
    """The page, which names the others with that digest."""
    files: Mapping[str, bytes]
    """The others, by their names."""


@cache
def pages() -> Pages:
    """Those that are installed. Blocks the first time."""
    return read_pages(files("camkeep.server") / "ui")


@cache
def preview_pages() -> Pages:
    """The same for the preview of a recording. Blocks the first time."""
    return read_pages(files("camkeep.server") / "ui", preview=True)


def read_pages(folder: Traversable, *, preview: bool = False) -> Pages:
    """Those in `folder`: files of the known kinds. Those of the preview only where it is meant."""
    found = {
        each.name: _lean(each.name, each.read_bytes())
        for each in sorted(folder.iterdir(), key=lambda each: each.name)
        if each.is_file() and each.name.rpartition(".")[2] in KINDS
        if preview or not each.name.startswith(PREVIEW)
    }
    digest = hashlib.sha256()
    for name, data in found.items():
        digest.update(f"{name} {len(data)}\n".encode() + data)
    version = digest.hexdigest()[:16]
    page = found.pop(f"{PREVIEW}html" if preview else PAGE).replace(
        PLACE.encode(), f"{PLACE}{version}/".encode()
    )
    return Pages(version, page, found)


def _lean(name: str, data: bytes) -> bytes:
    if name.endswith(".js"):
        return lean_script(data.decode()).encode()
    return lean_style(data.decode()).encode() if name.endswith(".css") else data


@router.get("/")
@router.head("/")
def page(request: Request, who: Anybody) -> Response:
    """The page."""
    return page_answer(request, pages())


@router.get("/ui/{version}/{name}")
@router.head("/ui/{version}/{name}")
def file(version: str, name: str, request: Request, who: Anybody) -> Response:
    """A file of the page. Raises Problem 404 for one of another version."""
    return file_answer(request, pages(), version, name)


def page_answer(request: Request, found: Pages) -> Response:
    """The page itself."""
    return _answer(request, found.page, PAGE, found.version, ASK_AGAIN)


def file_answer(request: Request, found: Pages, version: str, name: str) -> Response:
    """One of its files. Raises Problem 404 for one of another version."""
    data = found.files.get(name) if version == found.version else None
    if data is None:
        raise not_found("file: reload the page")
    return _answer(request, data, name, version, FOR_EVER)


def _answer(request: Request, data: bytes, name: str, version: str, keep: str) -> Response:
    kind = name.rpartition(".")[2]
    packs = kind not in PACKED and _takes_gzip(request.headers.get("accept-encoding", ""))
    tag = f'"{version}{"-gzip" if packs else ""}"'
    headers = {"etag": tag, "cache-control": keep, "vary": "accept-encoding"}
    known = request.headers.get("if-none-match", "")
    if known == "*" or tag in [each.strip().removeprefix("W/") for each in known.split(",")]:
        return Response(status_code=304, headers=headers)
    if packs:
        headers["content-encoding"] = "gzip"
    return Response(packed(data) if packs else data, headers=headers, media_type=KINDS[kind])


@cache
def packed(data: bytes) -> bytes:
    """What is sent of a file to who takes gzip: all browsers. Nothing in it is secret."""
    return gzip.compress(data, mtime=0)


def _takes_gzip(accepted: str) -> bool:
    """Whether Accept-Encoding (RFC 9110 §12.5.3) has it."""
    for each in accepted.split(","):
        coding, _, weight = (part.strip() for part in each.partition(";"))
        if coding in ("gzip", "*"):
            return not re.fullmatch(r"q=0(\.0*)?", weight.replace(" ", ""))
    return False
