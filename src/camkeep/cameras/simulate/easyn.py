"""An EasyN or Foscam camera: MJPEG over HTTP CGI, in dialects A (Netwave) and B."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

from camkeep.cameras.simulate.camera import Hooks, Stream
from camkeep.cameras.simulate.head import Head
from camkeep.cameras.simulate.messages import Answer, Request
from camkeep.cameras.simulate.options import SimulatorOptions
from camkeep.cameras.simulate.viewer import Style

RATES = {
    **{0: 0.0, 1: 20.0, 3: 15.0, 6: 10.0, 11: 5.0, 12: 4.0, 13: 3.0, 14: 2.0, 15: 1.0},
    **{17: 1 / 2, 19: 1 / 3, 21: 1 / 4, 23: 1 / 5},
}
"""Frames a second for each code of ``rate=``; 0 is as fast as it can."""
SMALL, LARGE = 8, 32
"""Resolution codes of 320x240 and 640x480."""
DEVICE_ID = "00606E8A1B2C"
SYSTEM, APPLICATION = (11, 37, 2, 54), (2, 0, 10, 10)
_DIRECTIONS = {
    **{0: (0, -1), 2: (0, 1), 4: (-1, 0), 6: (1, 0)},
    **{90: (-1, -1), 91: (1, -1), 92: (-1, 1), 93: (1, 1)},
}
_OK = Answer(b"ok.\n")
_ILLEGAL = Answer(b"error: illegal params.\n")


class _Illegal(Exception):
    """A parameter that the camera does not take."""


class _Handler(Protocol):
    def __call__(self, query: dict[str, str]) -> Answer | Stream: ...


@dataclass(frozen=True, slots=True)
class _Setting:
    """A parameter of camera_control.cgi."""

    name: str
    values: range | tuple[int, ...]
    default: int


_SETTINGS_A = {
    0: _Setting("resolution", (SMALL, LARGE), LARGE),
    1: _Setting("brightness", range(256), 128),
    2: _Setting("contrast", range(7), 4),
    3: _Setting("mode", range(3), 0),
    5: _Setting("flip", range(4), 0),
}
_SETTINGS_B = {
    1: _Setting("brightness", range(256), 128),
    2: _Setting("contrast", range(256), 128),
    3: _Setting("mode", range(4), 0),
    5: _Setting("flip", range(4), 0),
    6: _Setting("fps", range(1, 31), 25),
    8: _Setting("saturation", range(256), 128),
    9: _Setting("chroma", range(256), 128),
    13: _Setting("bitrate", range(32, 4097), 1024),
    14: _Setting("ir", range(2), 0),
    15: _Setting("resolution", range(2), 0),
}


class EasynCamera:
    """One encoder: rate and resolution are what was asked for last, for all viewers."""

    style = Style("Netwave IP Camera", "ipcamera", trailing=True)
    stream_path = "/videostream.cgi"
    snapshot_path = "/snapshot.cgi"

    def __init__(self, options: SimulatorOptions, hooks: Hooks) -> None:
        self._options, self._hooks = options, hooks
        self._settings = _SETTINGS_B if options.dialect == "B" else _SETTINGS_A
        self._values = {s.name: s.default for s in self._settings.values()}
        self._small = False
        self._head = Head()
        self._alias = "camkeep simulator"
        self._clock_offset_s = 0
        self._tz_s = 0
        self._ntp = "pool.ntp.org"
        self._ntp_on = 1
        self._output = 0
        self._zoom = 0
        self._handlers: dict[str, _Handler] = {
            "/snapshot.cgi": self._snapshot,
            "/videostream.cgi": self._videostream,
            "/get_status.cgi": self._get_status,
            "/get_camera_params.cgi": self._get_camera_params,
            "/get_params.cgi": self._get_params,
            "/get_misc.cgi": self._get_misc,
            "/check_user.cgi": self._check_user,
            "/decoder_control.cgi": self._decoder_control,
            "/camera_control.cgi": self._camera_control,
            "/set_alias.cgi": self._set_alias,
            "/set_datetime.cgi": self._set_datetime,
            "/reboot.cgi": self._reboot,
        }

    @property
    def size(self) -> tuple[int, int]:
        """As it was asked for last."""
        return (320, 240) if self._small else (self._options.width, self._options.height)

    @property
    def alias(self) -> str:
        """Its name."""
        return self._alias

    def aim(self) -> tuple[float, float]:
        """Where it looks to now."""
        return self._head.at(time.monotonic())

    def open_to_all(self, request: Request) -> bool:
        """Netwave cameras tell their status to everybody."""
        return request.path == "/get_status.cgi" and self._options.dialect == "A"

    def answer(self, request: Request) -> Answer | Stream:
        """What `request` gets."""
        handler = self._handlers.get(request.path)
        if handler is None:
            return Answer(b"404 Not Found", status=404)
        try:
            return handler(request.query)
        except _Illegal:
            return _ILLEGAL

    # pictures

    def _snapshot(self, query: dict[str, str]) -> Answer:
        return Answer(self._hooks.take(), "image/jpeg")

    def _videostream(self, query: dict[str, str]) -> Stream:
        if "resolution" in query:
            self._small = _number(query, "resolution", (SMALL, LARGE)) == SMALL
        rate = _number(query, "rate", tuple(RATES)) if "rate" in query else 0
        self._hooks.promise(RATES[rate] or self._options.fps)
        return Stream()

    # what it tells

    def _get_status(self, query: dict[str, str]) -> Answer:
        return _variables(
            id=DEVICE_ID,
            sys_ver=".".join(map(str, SYSTEM)),
            app_ver=".".join(map(str, APPLICATION)),
            alias=self._alias,
            now=int(time.time()) + self._clock_offset_s,
            tz=self._tz_s,
            alarm_status=0,
            ddns_status=0,
            ddns_host="",
            oray_type=0,
            upnp_status=0,
            p2p_status=0,
            msn_status=0,
        )

    def _get_camera_params(self, query: dict[str, str]) -> Answer:
        values = dict(self._values)
        if self._options.dialect == "A":
            values["resolution"] = SMALL if self._small else LARGE
            values["fps"] = 0
        else:
            values["resolution"] = int(self._small)
        return _variables(**values)

    def _get_params(self, query: dict[str, str]) -> Answer:
        return _variables(
            id=DEVICE_ID,
            alias=self._alias,
            now=int(time.time()) + self._clock_offset_s,
            tz=self._tz_s,
            ntp_enable=self._ntp_on,
            ntp_svr=self._ntp,
            user1_name=self._options.user or "admin",
            user1_pwd=self._options.password,
            user1_pri=2,
            dev_port=self._hooks.port(),
            ip="",
            wifi_ssid="workshop",
            wifi_wpa_psk="a key in clear, as these cameras do",
            ftp_svr="",
            mail_svr="",
        )

    def _get_misc(self, query: dict[str, str]) -> Answer:
        return _variables(
            led_mode=0,
            ptz_center_onstart=1,
            ptz_auto_patrol_interval=0,
            ptz_auto_patrol_type=0,
            ptz_patrol_h_rounds=1,
            ptz_patrol_v_rounds=1,
            ptz_patrol_rate=1,
            ptz_patrol_up_rate=0,
            ptz_patrol_down_rate=0,
            ptz_patrol_left_rate=0,
            ptz_patrol_right_rate=0,
            ptz_disable_preset=0,
            io_output=self._output,
            zoom=self._zoom,
        )

    def _check_user(self, query: dict[str, str]) -> Answer:
        return _variables(user=self._options.user or "admin", pwd=self._options.password, pri=2)

    # what it does

    def _decoder_control(self, query: dict[str, str]) -> Answer:
        command = _number(query, "command", range(256))
        step = query.get("onestep") == "1"
        now = time.monotonic()
        if command in _DIRECTIONS:
            move = self._head.step if step else self._head.move
            move(*_DIRECTIONS[command], now)
        elif command in (1, 3, 5, 7, 27, 29):
            self._head.move(0, 0, now)
        elif command == 25:
            self._head.centre(now)
        elif command in (26, 28):
            self._head.move(*((0, 1) if command == 26 else (1, 0)), now, patrol=True)
        elif 30 <= command <= 61:
            preset = self._head.go_to_preset if command % 2 else self._head.set_preset
            preset((command - 30) // 2 + 1, now)
        elif command in (16, 18):
            self._zoom = max(0, min(10, self._zoom + (1 if command == 16 else -1)))
        elif command in (94, 95):
            self._output = int(command == 94)
        elif command not in (17, 19):
            raise _Illegal
        return _OK

    def _camera_control(self, query: dict[str, str]) -> Answer:
        param = 6 if query.get("param") == "12" else _number(query, "param", range(256))
        setting = self._settings.get(param)
        if setting is None:
            raise _Illegal
        value = _number(query, "value", setting.values)
        if setting.name == "resolution":
            self._small = value == SMALL if self._options.dialect == "A" else value == 1
        elif setting.name == "fps":
            self._hooks.promise(float(value))
        self._values[setting.name] = value
        return _OK

    def _set_alias(self, query: dict[str, str]) -> Answer:
        alias = query.get("alias")
        if alias is None or len(alias.encode()) > 20:
            raise _Illegal
        self._alias = alias
        return _OK

    def _set_datetime(self, query: dict[str, str]) -> Answer:
        if "tz" in query:
            self._tz_s = _number(query, "tz", range(-14 * 3600, 14 * 3600 + 1))
        if "ntp_enable" in query:
            self._ntp_on = _number(query, "ntp_enable", range(2))
        if "now" in query:
            self._clock_offset_s = _number(query, "now", range(1 << 32)) - int(time.time())
        self._ntp = query.get("ntp_svr", self._ntp)[:64]
        return _OK

    def _reboot(self, query: dict[str, str]) -> Answer:
        self._head.centre(time.monotonic())
        self._hooks.reboot()
        return _OK


def _number(query: dict[str, str], name: str, allowed: range | tuple[int, ...]) -> int:
    text = query.get(name, "")
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 12):
        raise _Illegal
    if int(text) not in allowed:
        raise _Illegal
    return int(text)


def _variables(**values: int | str) -> Answer:
    """JavaScript, as these cameras write it."""
    lines = []
    for name, value in values.items():
        shown = value if isinstance(value, int) else "'" + value.replace("'", "\\'") + "'"
        lines.append(f"var {name}={shown};\r\n")
    return Answer("".join(lines).encode())
