"""EasyN and Foscam cameras for programs: the camera, and its controls beside it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import urlencode

from camkeep.cameras.address import Address, Credentials
from camkeep.cameras.easyn import EasynControl, EasynSource
from camkeep.cameras.source import TIMEOUT_S, SourceOptions
from camkeep.engine.camera import AsyncCamera, Camera
from camkeep.engine.portal import blocking
from camkeep.errors import of_camera

T = TypeVar("T")
P = ParamSpec("P")


def _controlling(
    method: Callable[Concatenate[EasynControl, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[AsyncEasyN, P], Coroutine[Any, Any, T]]:
    """`method` of the controls as one of the camera, whose errors then name the camera."""

    @functools.wraps(method)
    async def call(self: AsyncEasyN, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with of_camera(str(self.address)):
            return await method(self.control, *args, **kwargs)

    return call


class AsyncEasyN(AsyncCamera):
    """An EasyN or Foscam camera, or a clone: an `AsyncCamera` that can be moved and set."""

    def __init__(self, address: Address, options: SourceOptions) -> None:
        super().__init__(address, options)
        assert isinstance(self._source, EasynSource)
        self.control = self._source.control

    status = _controlling(EasynControl.status)
    params = _controlling(EasynControl.params)
    move = _controlling(EasynControl.move)
    stop = _controlling(EasynControl.stop)
    center = _controlling(EasynControl.center)
    zoom = _controlling(EasynControl.zoom)
    patrol = _controlling(EasynControl.patrol)
    set_preset = _controlling(EasynControl.set_preset)
    go_to_preset = _controlling(EasynControl.go_to_preset)
    output = _controlling(EasynControl.output)
    infrared = _controlling(EasynControl.infrared)
    brightness = _controlling(EasynControl.brightness)
    contrast = _controlling(EasynControl.contrast)
    mode = _controlling(EasynControl.mode)
    flip = _controlling(EasynControl.flip)
    resolution = _controlling(EasynControl.resolution)
    set_alias = _controlling(EasynControl.set_alias)
    set_datetime = _controlling(EasynControl.set_datetime)
    reboot = _controlling(EasynControl.reboot)


class EasyN(Camera):
    """An EasyN or Foscam camera, or a clone, without asynchrony.

    ``EasyN("192.0.2.7", 81, "admin", "secret").move("left", seconds=0.5)``. What a `Camera`
    does it does, too: `snapshot`, `record`, `samples`, `probe`.
    """

    def __init__(
        self,
        host: str | AsyncEasyN,
        port: int = 80,
        user: str = "",
        password: str = "",
        *,
        resolution: str | int | None = None,
        rate: str | float | None = None,
        tls: bool = False,
        dialect: str | None = None,
        inverted: Collection[str] = (),
        timeout: float = TIMEOUT_S,
    ) -> None:
        """`resolution` ("640x480", "vga", or the camera's code) and `rate` (frames a second,
        "max") are those of its stream; `inverted` names the axes ("horizontal", "vertical") on
        which this model moves the wrong way; `dialect` is "A" or "B" where probing gets it
        wrong. Raises UsageError.
        """
        if isinstance(host, AsyncEasyN):
            super().__init__(host)
            return
        chosen = {
            "resolution": resolution,
            "rate": rate,
            "dialect": dialect,
            "inverted": ",".join(inverted) or None,
        }
        query = urlencode({name: value for name, value in chosen.items() if value is not None})
        address = Address("easyns" if tls else "easyn", host, port, "/", query)
        login = Credentials(user, password) if user else None
        options = SourceOptions(login, connect_timeout_s=timeout, stall_s=timeout)
        super().__init__(AsyncEasyN(address, options))

    status = blocking(AsyncEasyN.status)
    params = blocking(AsyncEasyN.params)
    move = blocking(AsyncEasyN.move)
    stop = blocking(AsyncEasyN.stop)
    center = blocking(AsyncEasyN.center)
    zoom = blocking(AsyncEasyN.zoom)
    patrol = blocking(AsyncEasyN.patrol)
    set_preset = blocking(AsyncEasyN.set_preset)
    go_to_preset = blocking(AsyncEasyN.go_to_preset)
    output = blocking(AsyncEasyN.output)
    infrared = blocking(AsyncEasyN.infrared)
    brightness = blocking(AsyncEasyN.brightness)
    contrast = blocking(AsyncEasyN.contrast)
    mode = blocking(AsyncEasyN.mode)
    flip = blocking(AsyncEasyN.flip)
    resolution = blocking(AsyncEasyN.resolution)
    set_alias = blocking(AsyncEasyN.set_alias)
    set_datetime = blocking(AsyncEasyN.set_datetime)
    reboot = blocking(AsyncEasyN.reboot)
