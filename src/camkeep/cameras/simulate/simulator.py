"""A camera that is not there: a real HTTP server that behaves, or misbehaves, like one.

One frame clock serves all viewers: all get the same numbered pictures of the test card.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace

from camkeep.cameras.simulate import hostile
from camkeep.cameras.simulate.camera import Camera, Hooks, Stream
from camkeep.cameras.simulate.discovery import open_discovery
from camkeep.cameras.simulate.easyn import EasynCamera
from camkeep.cameras.simulate.faults import Fault, Faults, Kind, find
from camkeep.cameras.simulate.frameclock import FrameClock
from camkeep.cameras.simulate.gate import REFUSALS, Gate, logins
from camkeep.cameras.simulate.messages import Answer, Request, read_request, whole
from camkeep.cameras.simulate.mjpeg import MjpegCamera
from camkeep.cameras.simulate.options import CameraKind, Sent, SimulatorOptions
from camkeep.cameras.simulate.server import Server, tls_context
from camkeep.cameras.simulate.spoil import spoilt
from camkeep.cameras.simulate.viewer import Viewer
from camkeep.cameras.testcard import picture

IDLE_S = 30.0
"""How long a connection may be open without a request."""
REBOOT_DELAY_S = 0.1
"""From the answer to reboot.cgi until the camera goes."""
MAX_LOG = 100_000


class Simulator:
    """``async with Simulator("easyn") as camera: camera.url``

    `sent` and `requests` (without secrets) log what went out and came in, the oldest forgotten;
    `inflicted` counts the faults that clients met. `tell` gets a line for each viewer that comes
    and goes. Entering raises UsageError where the port is not to be had.
    """

    def __init__(
        self,
        kind: CameraKind = "easyn",
        options: SimulatorOptions | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self.kind, self.host = kind, host
        self.options = options or SimulatorOptions()
        self.discovery_port = 0
        self.sent: deque[Sent] = deque(maxlen=MAX_LOG)
        self.requests: deque[str] = deque(maxlen=MAX_LOG)
        self.inflicted: Counter[Kind] = Counter()
        self._dropped = 0
        self._tell = tell or (lambda line: None)
        self._faults = self.options.faults
        self._next: deque[Fault] = deque()
        hooks = Hooks(self._snapshot, self._promise, self._reboot, lambda: self.port)
        make = EasynCamera if kind == "easyn" else MjpegCamera
        self._camera: Camera = make(self.options, hooks)
        self._gate = Gate(self.options, logins(kind, self.options))
        self._server = Server(host, port, tls_context(self.options.certificate), self._serve_one)
        self._viewers: dict[int, Viewer] = {}
        self._viewer_count = self._snapshot_count = 0
        self._random = random.Random(self.options.seed)
        self._last: tuple[tuple[object, ...], bytes] = ((), b"")
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Simulator:
        self._warm_up()
        self._clock = FrameClock(self.options, self._on_frame)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._server.close)
            await self._server.open()
            wanted = self.options.discovery_port
            if wanted is not None and isinstance(self._camera, EasynCamera):
                finder = await open_discovery(self.host, wanted, self._camera, lambda: self.port)
                stack.callback(finder.close)
                self.discovery_port = finder.get_extra_info("sockname")[1]
            stack.push_async_callback(_cancelled, asyncio.create_task(self._clock.run()))
            self._stack = stack.pop_all()
        refuse = find(self._faults, Kind.REFUSE)
        if refuse is not None:
            await self.go_away(refuse.number)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    # what it is, and what may be done to it

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.port

    @property
    def url(self) -> str:
        """What camkeep opens, without login."""
        if self.kind == "easyn":
            return f"easyn{self._base}/"
        return self.stream_url

    @property
    def stream_url(self) -> str:
        """The stream for a browser."""
        return f"http{self._base}{self._camera.stream_path}"

    @property
    def snapshot_url(self) -> str:
        """One picture for a browser."""
        return f"http{self._base}{self._camera.snapshot_path}"

    @property
    def _base(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'s' if self.options.certificate else ''}://{host}:{self.port}"

    @property
    def number(self) -> int:
        """The last frame's number."""
        return self._clock.number

    @property
    def viewers(self) -> int:
        """How many connections get the stream now."""
        return len(self._viewers)

    @property
    def dropped(self) -> int:
        """How many frames viewers have lost because they did not read."""
        return self._dropped + sum(viewer.dropped for viewer in self._viewers.values())

    @property
    def aim(self) -> tuple[float, float]:
        """Where it looks to now, right and down, from -1 to 1."""
        return self._camera.aim()

    @property
    def faults(self) -> Faults:
        """What it does wrong. May be set at any time: faults of pictures and parts reach
        viewers with their next frame, all others with the next request."""
        return self._faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._faults = faults
        for viewer in self._viewers.values():
            viewer.faults = faults

    def fail_next(self, *faults: Fault, times: int = 1) -> None:
        """Let these faults, one after the other, spoil one of the coming requests each."""
        self._next.extend(faults * times)

    def reset_viewers(self) -> None:
        """Break all streams off with RST."""
        for viewer in self._viewers.values():
            viewer.reset()

    async def go_away(self, seconds: float) -> None:
        """Refuse connections for some time, and drop those that there are. Returns when that
        is done."""
        await self._server.go_away(seconds).wait()

    # frames

    def _on_frame(self, number: int) -> None:
        for viewer in self._viewers.values():
            self.sent.extend(viewer.offer(number))

    def _warm_up(self) -> None:
        """Draw the test card in the sizes that may be asked for, before its time counts."""
        self._take(0, False)
        if self.kind == "easyn" or find(self._faults, Kind.SIZE_CHANGE):
            self._take(0, True)

    def _take(self, number: int, other_size: bool) -> bytes:
        """Picture `number`; made once for all viewers of one size."""
        width, height = self._camera.size
        if other_size:
            width, height = (320, 240) if width != 320 else (640, 480)
        key = (number, width, height)
        if self._last[0] != key:
            self._last = (key, picture(number, width, height, self._camera.aim()))
        return self._last[1]

    def _snapshot(self) -> bytes:
        """The last frame, spoilt by the faults of pictures."""
        index = self._snapshot_count
        self._snapshot_count += 1
        number = max(0, self.number)
        jpeg = self._take(number, False)
        hitting = {fault.kind for fault in self._faults if fault.hits(index)}
        jpeg, done = spoilt(jpeg, hitting, self._random)
        self.inflicted.update(done)
        self.sent.append(Sent(number, time.monotonic_ns(), len(jpeg), 0))
        return jpeg

    def _promise(self, fps: float) -> None:
        self._clock.promise(fps)

    def _reboot(self) -> None:
        self._tell(f"rebooting for {self.options.reboot_s:g} s")
        self._server.go_away(self.options.reboot_s, REBOOT_DELAY_S)

    # requests

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        async with asyncio.timeout(IDLE_S):
            request = await read_request(reader)
        if request is None:
            return False
        self.requests.append(str(request))
        faults = self._faults | ({self._next.popleft()} if self._next else set())
        answer = self._answer(request, faults)
        if await self._hostile(writer, answer, faults):
            return False
        if isinstance(answer, Stream):
            await self._stream(reader, writer, faults)
            return False
        writer.write(whole(self._camera.style.server, answer, request.keep_alive))
        await writer.drain()
        return request.keep_alive

    def _answer(self, request: Request, faults: Faults) -> Answer | Stream:
        """What `request` gets."""
        spoilt = hostile.instead(request, faults)
        if spoilt is not None:
            kind, answer = spoilt
            self.inflicted[kind] += 1
            return answer
        if request.method != "GET":
            return Answer(b"405 Method Not Allowed", status=405)
        request = replace(request, path=request.path.removeprefix(hostile.MOVED))
        if not self._camera.open_to_all(request):
            refusal = self._gate.refusal(request, faults)
            if refusal is not None:
                self.inflicted.update({fault.kind for fault in faults} & REFUSALS)
                return refusal
        return self._camera.answer(request)

    async def _hostile(
        self, writer: asyncio.StreamWriter, answer: Answer | Stream, faults: Faults
    ) -> bool:
        """Give an answer that never gets anywhere, where a fault says so."""
        kinds = {fault.kind for fault in faults} & hostile.NEVER_ENDING
        if not kinds:
            return False
        self.inflicted.update(kinds)
        style = self._camera.style
        if Kind.ENDLESS_HEADERS in kinds:
            await hostile.endless_headers(writer, style)
        elif Kind.ENDLESS_PART_HEADERS in kinds:
            await hostile.endless_part_headers(writer, style)
        else:
            if isinstance(answer, Stream):
                answer = Answer(self._snapshot(), "image/jpeg")
            await hostile.drip(writer, whole(style.server, answer, keep_alive=False))
        return True

    async def _stream(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, faults: Faults
    ) -> None:
        """Be watched, until one of the two has enough."""
        self._viewer_count += 1
        viewer = Viewer(
            self._viewer_count,
            writer,
            self._camera.style,
            self._take,
            faults,
            self.options.seed,
            self.options.max_frames,
            self.inflicted,
        )
        who = f"viewer {viewer.number} ({writer.get_extra_info('peername')[0]})"
        self._tell(f"{who} came")
        viewer.begin()
        self._viewers[viewer.number] = viewer
        try:
            await viewer.wait(reader)
        finally:
            del self._viewers[viewer.number]
            self._dropped += viewer.dropped
            lost = f", {viewer.dropped} dropped" if viewer.dropped else ""
            self._tell(f"{who} went after {viewer.frames} frames{lost}")


async def _cancelled(task: asyncio.Task[object]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
