"""A virtual movie as an answer: whole, in parts (RFC 9110 §14), or not at all because the client
has it. Building it blocks; its body is read by threads, piece by piece, as the client takes it.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import AsyncIterator, Mapping, Sequence
from urllib.parse import quote

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from camkeep.archive.virtual import VirtualMovie
from camkeep.server.access import Principal
from camkeep.server.desk import Desk
from camkeep.server.lasting import LastingResponse
from camkeep.server.openclips import Open, Wish
from camkeep.server.problems import Problem
from camkeep.server.shelf import Shelf
from camkeep.server.web.ranges import ByteRanges, Piece, asked_pieces

PIECE_BYTES = 256 * 1024
"""What is read at once, and is in memory of one download."""
MP4 = "video/mp4"
_NOT_IN_NAMES = frozenset('\\/:*?"<>|')


def movie_response(
    request: Request,
    desk: Desk,
    shelf: Shelf,
    who: Principal | None,
    wish: Wish,
    name: str,
    part: int = 0,
) -> Response:
    """The movie of `wish` as `request` asks for it, called `name` where it is saved. Blocks.
    Raises Problem 404 where nothing was recorded, 416, and what `OpenClips.take` does."""
    opened = shelf.clips.take(wish, _tag(request.headers.get("if-range")))
    try:
        movie = _part(opened, part)
        etag = f'"{movie.etag}"'
        headers = {
            "etag": etag,
            "accept-ranges": "bytes",
            "content-disposition": disposition(name if part == 0 else f"{name} part {part + 1}"),
        }
        if _has_it(request.headers.get("if-none-match"), etag):
            shelf.clips.give_back(opened)
            return Response(status_code=304, headers=headers)
        pieces = asked_pieces(request.headers, movie.size, etag=etag)
        return _answer(request, desk, shelf, who, opened, movie, pieces, headers)
    except BaseException:
        shelf.clips.give_back(opened)
        raise


def _answer(
    request: Request,
    desk: Desk,
    shelf: Shelf,
    who: Principal | None,
    opened: Open,
    movie: VirtualMovie,
    pieces: Sequence[Piece] | None,
    headers: Mapping[str, str],
) -> Response:
    status = 200 if pieces is None else 206
    told = {**headers, "content-type": MP4}
    wrap: ByteRanges | None = None
    if pieces is None:
        pieces = (Piece(0, movie.size),)
        length = movie.size
    elif len(pieces) == 1:
        told["content-range"] = pieces[0].content_range(movie.size)
        length = pieces[0].length
    else:
        wrap = ByteRanges(tuple(pieces), movie.size, MP4, secrets.token_hex(16))
        told["content-type"] = wrap.content_type
        length = wrap.length
    told["content-length"] = str(length)
    if request.method == "HEAD":
        shelf.clips.give_back(opened)
        return Response(status_code=status, headers=told)
    return LastingResponse(
        _body(shelf, movie, pieces, wrap),
        status,
        told,
        closers=desk.closers,
        who=who,
        done=lambda: shelf.done_with(opened),
    )


async def _body(
    shelf: Shelf, movie: VirtualMovie, pieces: Sequence[Piece], wrap: ByteRanges | None
) -> AsyncIterator[bytes]:
    for piece in pieces:
        if wrap is not None:
            yield wrap.head(piece)
        offset = piece.start
        while offset < piece.end:
            count = min(PIECE_BYTES, piece.end - offset)
            yield await to_thread.run_sync(movie.read, offset, count, limiter=shelf.readers)
            offset += count
    if wrap is not None:
        yield wrap.tail


def _part(opened: Open, part: int) -> VirtualMovie:
    if not len(opened.clip):
        reasons = "; ".join(dict.fromkeys(missing.reason for missing in opened.clip.missing))
        told = f": {reasons}" if reasons else ": the timeline tells why"
        raise Problem(404, "Nothing recorded", f"nothing of that time is kept{told}")
    if part >= len(opened.clip):
        raise Problem(404, "Not found", f"there are {len(opened.clip)} parts: the first is 0")
    return opened.clip[part]


def _tag(header: str | None) -> str | None:
    """The ETag that a client goes on with."""
    found = (header or "").strip()
    return found[1:-1] if len(found) > 2 and found[0] == '"' == found[-1] else None


def _has_it(header: str | None, etag: str) -> bool:
    """Whether If-None-Match names it (weak comparison, RFC 9110 §13.1.2)."""
    if header is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return etag in tags or "*" in tags


def disposition(name: str) -> str:
    """Content-Disposition for a movie of that name (RFC 6266, RFC 8187)."""
    safe = "".join("-" if c in _NOT_IN_NAMES or not c.isprintable() else c for c in name)
    safe = safe.strip(" .")[:150].strip(" .") or "clip"
    plain = unicodedata.normalize("NFKD", safe).encode("ascii", "ignore").decode()
    plain = " ".join(plain.replace("%", "-").split()) or "clip"
    value = f'attachment; filename="{plain}.mp4"'
    if plain != safe:
        value += f"; filename*=UTF-8''{quote(safe.encode('utf-8', 'replace'), safe='')}.mp4"
    return value
