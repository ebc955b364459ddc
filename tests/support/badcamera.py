"""A camera on its worst day: a real server whose connections each go wrong in another way.

async with bad_camera() as camera:      # camera.url, or camera.rtsp_url
    ...
camera.met["garbage"]                   # how often somebody met that
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from camkeep.cameras.testcard import picture

Mood = Callable[["BadCamera", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

BOUNDARY = b"frame"
STREAM = (
    b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n"
    b"Connection: close\r\n\r\n"
)
SIZES = [(320, 240), (640, 480), (160, 128), (320, 240)]


class BadCamera:
    """What it did."""

    def __init__(self, seed: int) -> None:
        self.port = 0
        self.met: Counter[str] = Counter()
        self.random = random.Random(seed)
        self._turn = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """As an HTTP camera."""
        return f"http://127.0.0.1:{self.port}/video"

    @property
    def rtsp_url(self) -> str:
        """As an RTSP camera: all that is HTTP here is garbage there."""
        return f"rtsp://user:wrong@127.0.0.1:{self.port}/video"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, in the mood whose turn it is."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        mood = MOODS[self._turn % len(MOODS)]
        self._turn += 1
        self.met[mood.__name__] += 1
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await mood(self, reader, writer)
        writer.close()
        with suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()
            self._writers.discard(writer)
        self._tasks.discard(task)

    async def end(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:  # who is closed while a peer reads nothing stays open
            writer.transport.abort()
        await asyncio.gather(*(w.wait_closed() for w in self._writers), return_exceptions=True)


async def asked(reader: asyncio.StreamReader) -> bytes:
    """The head of a request."""
    return await reader.readuntil(b"\r\n\r\n")


async def say(writer: asyncio.StreamWriter, *data: bytes) -> None:
    writer.write(b"".join(data))
    await writer.drain()


def part(jpeg: bytes, length: int | None = None) -> bytes:
    size = len(jpeg) if length is None else length
    return b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (size, jpeg)


# the moods


async def flaps(
    camera: BadCamera, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Some pictures, and it is gone."""
    await asked(reader)
    await say(writer, STREAM)
    for number in range(5):
        await say(writer, part(picture(number, 320, 240)))
        await asyncio.sleep(0.05)


async def resets(
    camera: BadCamera, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """In the middle of a picture."""
    await asked(reader)
    jpeg = part(picture(0, 320, 240))
    await say(writer, STREAM, jpeg, jpeg[: len(jpeg) // 2])
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def refuses(
    camera: BadCamera, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """The password."""
    head = await asked(reader)
    protocol = b"RTSP/1.0" if b"RTSP" in head else b"HTTP/1.1"
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"cseq:"):
            protocol_line = line
            break
    else:
        protocol_line = b"X: y"
    await say(
        writer,
        protocol + b" 401 Unauthorized\r\n" + protocol_line + b"\r\n"
        b'WWW-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n',
    )


async def hangs_up(
    camera: BadCamera, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Before it was asked anything."""


async def garbage(
    camera: BadCamera, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Random bytes for an answer."""
    await asked(reader)
    for _ in range(10):
        await say(writer, camera.random.randbytes(20_000))
        await asyncio.sleep(0.02)


async def garbage_for_pictures(
    camera: BadCamera, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Parts that hold anything but a JPEG, or half of one, or one with flipped bytes."""
    await asked(reader)
    await say(writer, STREAM)
    for number in range(12):
        jpeg = bytearray(picture(number, 320, 240))
        match number % 4:
            case 0:
                await say(writer, part(camera.random.randbytes(5000)))
            case 1:
                await say(writer, part(bytes(jpeg[: len(jpeg) // 3])))
            case 2:
                for _ in range(50):
                    jpeg[camera.random.randrange(len(jpeg))] ^= 0xFF
                await say(writer, part(bytes(jpeg)))
            case 3:
                await say(writer, b"\r\n--frame\r\n\r\n", part(b""), b"--frame--frame\r\n")
        await asyncio.sleep(0.02)


async def changes_size(
    camera: BadCamera, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """With every picture."""
    await asked(reader)
    await say(writer, STREAM)
    for number in range(16):
        await say(writer, part(picture(number, *SIZES[number % len(SIZES)])))
        await asyncio.sleep(0.03)


async def lies_about_length(
    camera: BadCamera, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Four gigabytes, and less than nothing."""
    await asked(reader)
    jpeg = picture(0, 320, 240)
    await say(writer, STREAM, part(jpeg, -1), part(jpeg, 1 << 32), part(jpeg), part(jpeg, 5))
    await asyncio.sleep(0.2)


async def never_ends_its_head(
    camera: BadCamera, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Header after header."""
    await asked(reader)
    await say(writer, b"HTTP/1.1 200 OK\r\n")
    for _ in range(200):
        await say(writer, b"X-Padding: " + b"x" * 1000 + b"\r\n")


async def says_nothing(
    camera: BadCamera, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Until the other gives up."""
    await reader.read(-1)


async def bursts(
    camera: BadCamera, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """A thousand pictures at once."""
    await asked(reader)
    jpeg = part(picture(0, 160, 128))
    await say(writer, STREAM)
    for _ in range(20):
        await say(writer, jpeg * 50)


MOODS: list[Mood] = [
    *(flaps, refuses, garbage, flaps, changes_size, hangs_up, garbage_for_pictures),
    *(resets, lies_about_length, bursts, flaps, never_ends_its_head, says_nothing),
]


@asynccontextmanager
async def bad_camera(seed: int = 1) -> AsyncIterator[BadCamera]:
    """One on a free port of 127.0.0.1."""
    camera = BadCamera(seed)
    server = await asyncio.start_server(camera.serve, "127.0.0.1", 0)
    camera.port = server.sockets[0].getsockname()[1]
    try:
        yield camera
    finally:
        server.close()
        await camera.end()
        await server.wait_closed()
