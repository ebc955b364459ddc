"""A JPEG camera: an HTTP server that sends encoded pictures as multipart, at a steady rate.

    python bench/mjpeg_server.py RATE

Prints its port. For each line on standard input it prints how many pictures it has sent.
"""

from __future__ import annotations

import asyncio
import sys
import threading

import clips

HEAD = (
    b"HTTP/1.1 200 OK\r\nServer: bench\r\nCache-Control: no-cache\r\nConnection: close\r\n"
    b"Content-Type: multipart/x-mixed-replace;boundary=frame\r\n\r\n"
)


class Camera:
    """Serves every viewer the pictures from the first on, in a loop."""

    def __init__(self, rate: float) -> None:
        self.sent = 0
        self._interval = 1 / rate
        self._parts = [
            b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b\r\n"
            % (len(picture), picture)
            for picture in clips.pictures()
        ]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clock = asyncio.get_running_loop().time
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(HEAD)
            due = clock()
            while True:
                for part in self._parts:
                    writer.write(part)
                    await writer.drain()
                    self.sent += 1
                    due += self._interval
                    await asyncio.sleep(max(0.0, due - clock()))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def main() -> None:
    camera = Camera(float(sys.argv[1]))
    server = await asyncio.start_server(camera.serve, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)

    def answer() -> None:
        for _ in sys.stdin:
            print(camera.sent, flush=True)

    threading.Thread(target=answer, daemon=True).start()
    await server.serve_forever()


asyncio.run(main())
