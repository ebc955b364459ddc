"""The page: static files of `server/ui/`, read once when the service begins.

The page itself is asked for anew each time and names its files with a digest of them all in the
path. So whatever a browser has kept of them is right for ever, no two versions mix, and no path
from a request ever reaches the file system.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter, Request
from starlette.responses import Response

from camkeep.server.problems import not_found
from camkeep.server.web.guard import Anybody

router = APIRouter(include_in_schema=False)

PAGE = "index.html"
PLACE = "/ui/"
"""What the files say for their own place; the digest is put behind it."""
KINDS = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "webmanifest": "application/manifest+json",
}
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


def read_pages(folder: Traversable) -> Pages:
    """Those in `folder`: files of the known kinds."""
    found = {
        each.name: each.read_bytes()
        for each in sorted(folder.iterdir(), key=lambda each: each.name)
        if each.is_file() and each.name.rpartition(".")[2] in KINDS
    }
    digest = hashlib.sha256()
    for name, data in found.items():
        digest.update(f"{name} {len(data)}\n".encode() + data)
    version = digest.hexdigest()[:16]
    page = found.pop(PAGE).replace(PLACE.encode(), f"{PLACE}{version}/".encode())
    return Pages(version, page, found)


@router.get("/")
@router.head("/")
def page(request: Request, who: Anybody) -> Response:
    """The page."""
    found = pages()
    return _answer(request, found.page, PAGE, found.version, ASK_AGAIN)


@router.get("/ui/{version}/{name}")
@router.head("/ui/{version}/{name}")
def file(version: str, name: str, request: Request, who: Anybody) -> Response:
    """A file of the page. Raises Problem 404 for one of another version."""
    found = pages()
    data = found.files.get(name) if version == found.version else None
    if data is None:
        raise not_found("file: reload the page")
    return _answer(request, data, name, version, FOR_EVER)


def _answer(request: Request, data: bytes, name: str, version: str, keep: str) -> Response:
    tag = f'"{version}"'
    headers = {"etag": tag, "cache-control": keep}
    known = request.headers.get("if-none-match", "")
    if known == "*" or tag in [each.strip().removeprefix("W/") for each in known.split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(data, headers=headers, media_type=KINDS[name.rpartition(".")[2]])
