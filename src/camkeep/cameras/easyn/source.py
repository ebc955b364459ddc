"""EasyN and Foscam cameras as a source: easyn: and easyns: addresses."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

from camkeep.cameras.address import Address
from camkeep.cameras.easyn.codes import parse_rate, parse_resolution
from camkeep.cameras.easyn.control import EasynControl
from camkeep.cameras.mjpeg import POLL_FPS, HttpSource
from camkeep.cameras.source import Notes, Sink, SourceOptions
from camkeep.errors import LoginRefused, UsageError

STREAMS = ("video", "snapshots")
SLOWEST = 3
"""How many times slower than it was set to a camera may be before it counts as stalled."""
OPTIONS = ("resolution", "rate", "stream", "dialect", "inverted")


class EasynSource:
    """One EasyN or Foscam camera.

    Options in the address: `resolution` (640x480, vga, 32), `rate` (frames a second, max,
    code:N), `stream` (video; snapshots polls single pictures, for cameras whose stream is
    broken), `dialect` (A, B), `inverted` (horizontal, vertical, or both with a comma). Raises
    UsageError for others.
    """

    def __init__(self, address: Address, options: SourceOptions) -> None:
        chosen = address.options
        unknown = sorted(set(chosen) - set(OPTIONS))
        if unknown:
            raise UsageError(f"an EasyN camera's address takes {', '.join(OPTIONS)} and no others")
        if address.path not in ("", "/"):
            raise UsageError("an EasyN camera's address has no path: write easyn://HOST/")
        self._address = address
        self._options = options
        self._resolution = (
            parse_resolution(chosen["resolution"]) if "resolution" in chosen else None
        )
        self._rate = parse_rate(chosen["rate"]) if "rate" in chosen else None
        self._stream = chosen.get("stream", STREAMS[0])
        if self._stream not in STREAMS:
            raise UsageError(f"a stream is one of {', '.join(STREAMS)}")
        self.control = EasynControl(
            address.host,
            address.port,
            tls=address.scheme == "easyns",
            dialect=chosen.get("dialect"),
            inverted=[axis for axis in chosen.get("inverted", "").split(",") if axis],
            options=options,
        )

    @property
    def address(self) -> Address:
        """Where it is."""
        return self._address

    async def run(self, sink: Sink, notes: Notes) -> NoReturn:
        """One session; see `Source.run`. A login that has expired is renewed once."""
        try:
            await self._run_once(sink, notes)
        except LoginRefused:
            if not self.control.session.login_expired():
                raise
        await self._run_once(sink, notes)

    async def snapshot(self, notes: Notes) -> bytes:
        """One picture, as snapshot.cgi gives it."""
        await self._note(notes)
        return await self.control.snapshot(notes)

    async def _run_once(self, sink: Sink, notes: Notes) -> NoReturn:
        source = await self._open(notes)
        await source.run(sink, notes)

    async def _open(self, notes: Notes) -> HttpSource:
        await self._note(notes)
        session = self.control.session
        if self._stream == "snapshots":
            fps = float(self._rate.wished) if self._rate else POLL_FPS
            address = session.address(await self.control.probe(), "/snapshot.cgi", {})
            return HttpSource(address, self._options, poll_fps=fps, client=session.client)
        choice = await self.control.stream(self._resolution, self._rate)
        options = self._options
        if choice.rate is not None:
            notes.promised_fps = float(choice.rate.fps)
            slow_s = SLOWEST / notes.promised_fps
            options = replace(options, stall_s=max(options.stall_s, slow_s))
        return HttpSource(choice.address, options, client=session.client)

    async def _note(self, notes: Notes) -> None:
        found = await self.control.probe()
        notes.product, notes.login = found.product, found.login
