"""Answers that are none: errors, redirects, and those that never get anywhere."""

from __future__ import annotations

import asyncio

from camkeep.cameras.simulate.faults import Faults, Kind, find
from camkeep.cameras.simulate.messages import Answer, Request, head
from camkeep.cameras.simulate.viewer import Style

MOVED = "/moved"
"""Where REDIRECT leads to, in front of the path."""
NEVER_ENDING = frozenset((Kind.ENDLESS_HEADERS, Kind.ENDLESS_PART_HEADERS, Kind.DRIP))
_PAGE = b"<!doctype html><title>Log in</title><form><input name=user></form>"


def instead(request: Request, faults: Faults) -> tuple[Kind, Answer] | None:
    """What a fault answers in place of the camera."""
    answers = {
        Kind.SERVER_ERROR: Answer(b"500 Internal Server Error", status=500),
        Kind.NOT_FOUND: Answer(b"404 Not Found", status=404),
        Kind.HTML: Answer(_PAGE, "text/html"),
        Kind.REDIRECT_HOST: _redirect("http://another-host.invalid" + request.target),
        Kind.REDIRECT_LOOP: _redirect(request.target),
    }
    if not request.path.startswith(MOVED):
        answers[Kind.REDIRECT] = _redirect(MOVED + request.target)
    for kind, answer in answers.items():
        if find(faults, kind):
            return kind, answer
    return None


def _redirect(location: str) -> Answer:
    return Answer(status=302, headers=(("Location", location),))


async def endless_headers(writer: asyncio.StreamWriter, style: Style) -> None:
    """Headers until the client has had enough."""
    await _endless(writer, head(style.server, 200, [])[:-2])


async def endless_part_headers(writer: asyncio.StreamWriter, style: Style) -> None:
    """A stream whose first part has headers without an end."""
    content_type = f"multipart/x-mixed-replace;boundary={style.boundary}"
    begin = head(style.server, 200, [("Content-Type", content_type)])
    await _endless(writer, begin + f"--{style.boundary}\r\n".encode())


async def _endless(writer: asyncio.StreamWriter, begin: bytes) -> None:
    writer.write(begin)
    n = 0
    while not writer.is_closing():
        writer.write(b"".join(b"X-Filler-%d: %b\r\n" % (i, b"x" * 60) for i in range(n, n + 50)))
        n += 50
        await writer.drain()
        await asyncio.sleep(0.001)


async def drip(writer: asyncio.StreamWriter, data: bytes) -> None:
    """`data`, one byte a second."""
    for at in range(len(data)):
        if writer.is_closing():
            return
        writer.write(data[at : at + 1])
        await writer.drain()
        await asyncio.sleep(1)
