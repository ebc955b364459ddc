"""The controls of EasyN and Foscam cameras: moving, lamps, picture settings, time, restart."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine, Mapping
from dataclasses import dataclass, replace

from camkeep.cameras.address import Address, Credentials
from camkeep.cameras.easyn import codes
from camkeep.cameras.easyn.codes import Axis, Direction, Rate
from camkeep.cameras.easyn.replies import parse_reply
from camkeep.cameras.easyn.session import NEEDS_LOGIN, STATUS, EasynSession, Probe
from camkeep.cameras.mjpeg import HttpSource
from camkeep.cameras.source import Notes, SourceOptions
from camkeep.clock import WallUs
from camkeep.errors import RetrySoon, StreamBroken, UsageError

MAX_MOVE_S = 60.0
MAX_STEPS = 100
STOP_TRIES = 3
AXES = frozenset({"horizontal", "vertical"})


@dataclass(frozen=True, slots=True)
class StreamChoice:
    """A stream to open, and the rate that it was set to."""

    address: Address
    """With the login in its query where the camera wants it there: only its `str` is to be
    shown."""
    rate: Rate | None
    """None where the camera's own setting holds. Never believed, only shown."""


class EasynControl:
    """One camera's controls. Every method is one or more requests; nothing stays open.

    `inverted` names the axes ("horizontal", "vertical") on which this model moves the wrong way.
    `dialect` is "A" or "B" where probing gets it wrong. All methods raise CameraError; what the
    camera refuses is NotSupported, and what no camera could take UsageError.
    """

    def __init__(
        self,
        host: str,
        port: int = 80,
        user: str = "",
        password: str = "",
        *,
        tls: bool = False,
        dialect: str | None = None,
        inverted: Collection[str] = (),
        options: SourceOptions | None = None,
    ) -> None:
        options = options or SourceOptions()
        if user:
            options = replace(options, credentials=Credentials(user, password))
        if not AXES.issuperset(inverted):
            raise UsageError("the axes that can be inverted are horizontal and vertical")
        address = Address("https" if tls else "http", host, port)
        self._options = options
        self._inverted = frozenset(inverted)
        self.session = EasynSession(address, options, dialect)

    async def probe(self) -> Probe:
        """Which dialect it speaks and which login it takes; asked only once."""
        return await self.session.probe()

    # What it shows and says

    async def snapshot(self, notes: Notes | None = None) -> bytes:
        """One JPEG as the camera made it."""
        found = await self.probe()
        address = self.session.address(found, "/snapshot.cgi", {})
        source = HttpSource(address, self._options, client=self.session.client)
        return await source.snapshot(notes or Notes())

    async def stream(self, resolution: int | None = None, rate: Rate | None = None) -> StreamChoice:
        """The MJPEG stream, of a resolution code and a rate where they are given."""
        parameters: dict[str, object] = {}
        if resolution is not None:
            parameters["resolution"] = resolution
        if rate is not None:
            parameters["rate"] = rate.code
        found = await self.probe()
        return StreamChoice(self.session.address(found, "/videostream.cgi", parameters), rate)

    async def status(self) -> dict[str, str]:
        """What it says of itself: id, sys_ver, app_ver, alias, now, tz, alarm_status ..."""
        return parse_reply(await self.session.get(STATUS, "to tell its status"))

    async def params(self) -> dict[str, str]:
        """Its picture settings: resolution, brightness, contrast, mode, flip ..."""
        return parse_reply(await self.session.get(NEEDS_LOGIN, "to tell its settings"))

    # Moving

    async def move(
        self, direction: Direction, seconds: float | None = None, *, steps: int | None = None
    ) -> None:
        """Move for `seconds` and stop, or by `steps` small steps; with neither, until `stop()`.

        The stop is sent whatever happens, also when this is cancelled.
        """
        command = codes.movement(direction, self._inverted)
        if seconds is not None and steps is not None:
            raise UsageError("a movement takes seconds or steps, not both")
        if steps is not None:
            if not 1 <= steps <= MAX_STEPS:
                raise UsageError(f"a camera moves by 1 to {MAX_STEPS} steps")
            for _ in range(steps):
                await self._command(command, f"to step {direction}", onestep=1)
        elif seconds is not None:
            await self._for_a_while(command, codes.STOP, seconds, f"to move {direction}")
        else:
            await self._command(command, f"to move {direction}")

    async def stop(self) -> None:
        """Stop every movement."""
        await self._stop(codes.STOP)

    async def center(self) -> None:
        """Look straight ahead."""
        await self._command(codes.CENTER, "to look straight ahead")

    async def zoom(self, direction: str, seconds: float = 0.5) -> None:
        """Zoom "in" or "out" for `seconds`."""
        if direction not in codes.ZOOM:
            raise UsageError("a camera zooms in or out")
        start, stop = codes.ZOOM[direction]
        await self._for_a_while(start, stop, seconds, f"to zoom {direction}")

    async def patrol(self, axis: Axis, on: bool = True) -> None:
        """Start or stop sweeping to and fro."""
        if axis not in codes.PATROL:
            raise UsageError("a patrol is vertical or horizontal")
        start, stop = codes.PATROL[axis]
        await self._command(start if on else stop, f"a {axis} patrol")

    async def set_preset(self, number: int) -> None:
        """Remember where it looks now as preset 1 to 16."""
        await self._command(codes.preset_commands(number)[0], f"to set preset {number}")

    async def go_to_preset(self, number: int) -> None:
        """Look where preset 1 to 16 was set."""
        await self._command(codes.preset_commands(number)[1], f"to go to preset {number}")

    # Switches and settings

    async def output(self, on: bool) -> None:
        """Switch the output contact."""
        await self._command(codes.OUTPUT_ON if on else codes.OUTPUT_OFF, "to switch its output")

    async def infrared(self, on: bool) -> None:
        """Switch the infrared lamps; some models know it as their output."""
        param = (await self.probe()).dialect.infrared_param
        if param is None:
            await self._command(codes.IR_ON if on else codes.IR_OFF, "to switch its lamps")
        else:
            await self._set(param, int(on), "to switch its lamps")

    async def brightness(self, value: int) -> None:
        """0 to 255."""
        control = (await self.probe()).dialect.brightness
        codes.check_range("the brightness", value, control)
        await self._set(control.param, value, f"brightness {value}")

    async def contrast(self, value: int) -> None:
        """0 to 6 (dialect A) or 255 (B)."""
        control = (await self.probe()).dialect.contrast
        codes.check_range("the contrast", value, control)
        await self._set(control.param, value, f"contrast {value}")

    async def mode(self, name: str) -> None:
        """What light it is in: "50hz", "60hz" or "outdoor"; B also "outdoor-60hz"."""
        dialect = (await self.probe()).dialect
        code = codes.choose("a mode", name.lower(), dialect.modes)
        await self._set(dialect.mode_param, code, f"mode {name}")

    async def flip(self, name: str) -> None:
        """ "normal", "flip" (upside down), "mirror" or "both"."""
        code = codes.choose("a flip", name.lower(), codes.FLIPS)
        await self._set((await self.probe()).dialect.flip_param, code, f"flip {name}")

    async def resolution(self, name: str) -> None:
        """Set the camera's own resolution: "640x480", "vga", or the code."""
        size = codes.resolution_name(codes.parse_resolution(name))
        dialect = (await self.probe()).dialect
        await self._set(dialect.resolution_param, dialect.resolutions[size], f"resolution {size}")

    async def set_alias(self, name: str) -> None:
        """Name the camera, up to 20 characters."""
        if not 0 < len(name) <= 20 or not name.isprintable():
            raise UsageError("a camera's name has 1 to 20 characters")
        await self._get("/set_alias.cgi", "this name", {"alias": name})

    async def set_datetime(
        self, now: WallUs | None = None, *, tz_s: int | None = None, ntp_server: str | None = None
    ) -> None:
        """Set its clock (default: to this machine's), its time zone, and its NTP server.

        `tz_s` is as the camera has it: seconds, on most models west of Greenwich positive. An
        empty `ntp_server` switches NTP off.
        """
        wall = self._options.clock.wall() if now is None else now
        parameters: dict[str, object] = {"now": wall // 1_000_000}
        if tz_s is not None:
            parameters["tz"] = tz_s
        if ntp_server is not None:
            parameters |= {"ntp_enable": int(bool(ntp_server)), "ntp_svr": ntp_server}
        await self._get("/set_datetime.cgi", "this time", parameters)

    async def reboot(self) -> None:
        """Restart it; it is away for about a minute."""
        try:
            await self._get("/reboot.cgi", "to restart")
        except StreamBroken:  # many restart before they have answered
            pass
        self.session.forget()

    # Requests

    async def _get(
        self, path: str, what: str, parameters: Mapping[str, object] | None = None
    ) -> None:
        await self.session.get(path, what, parameters)

    async def _command(self, command: int, what: str, *, onestep: int = 0) -> None:
        parameters = {"command": command} | ({"onestep": 1} if onestep else {})
        await self._get("/decoder_control.cgi", what, parameters)

    async def _set(self, param: int, value: int, what: str) -> None:
        await self._get("/camera_control.cgi", what, {"param": param, "value": value})

    async def _for_a_while(self, start: int, stop: int, seconds: float, what: str) -> None:
        if not 0 < seconds <= MAX_MOVE_S:
            raise UsageError(f"a movement takes up to {MAX_MOVE_S:g} seconds")
        await self.probe()  # so that no login stands between start and stop
        try:
            await self._command(start, what)
            await asyncio.sleep(seconds)
        finally:
            await _in_any_case(self._stop(stop))

    async def _stop(self, command: int) -> None:
        for left in reversed(range(STOP_TRIES)):
            try:
                return await self._command(command, "to stop")
            except RetrySoon:
                if not left:
                    raise
        return None


async def _in_any_case(work: Coroutine[object, object, None]) -> None:
    """Do `work` to its end, also when cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
