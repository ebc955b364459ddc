"""The numbers that EasyN and Foscam cameras speak in: all tables, and the words for them. Pure.

There are two dialects. A ("Netwave") logs in with user/pwd, B (later clones, such as VStarcam)
with loginuse/loginpas. Where they differ, they differ in `DIALECTS` and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from camkeep.errors import NotSupported, UsageError

RATES: Mapping[int, Fraction] = {
    0: Fraction(25),  # as fast as it can
    1: Fraction(20),
    3: Fraction(15),
    6: Fraction(10),
    11: Fraction(5),
    12: Fraction(4),
    13: Fraction(3),
    14: Fraction(2),
    15: Fraction(1),
    17: Fraction(1, 2),
    19: Fraction(1, 3),
    21: Fraction(1, 4),
    23: Fraction(1, 5),
}
"""`rate=` of videostream.cgi and the frames a second it promises. Many cameras deliver half."""

RESOLUTIONS: Mapping[str, int] = {"320x240": 8, "640x480": 32}
RESOLUTION_NAMES: Mapping[str, str] = {"qvga": "320x240", "vga": "640x480"}

Direction = Literal["up", "down", "left", "right", "up-left", "up-right", "down-left", "down-right"]
Axis = Literal["horizontal", "vertical"]
DIRECTIONS: Mapping[str, int] = {
    "up": 0,
    "down": 2,
    "left": 4,
    "right": 6,
    "up-left": 90,
    "up-right": 91,
    "down-left": 92,
    "down-right": 93,
}
"""Commands of decoder_control.cgi that start a movement."""
STOP = 1
CENTER = 25
ZOOM: Mapping[str, tuple[int, int]] = {"in": (16, 17), "out": (18, 19)}
"""Commands that start and stop zooming."""
PATROL: Mapping[str, tuple[int, int]] = {"vertical": (26, 27), "horizontal": (28, 29)}
"""Commands that start and stop a patrol."""
PRESETS = range(1, 17)
OUTPUT_ON, OUTPUT_OFF = 94, 95
IR_OFF, IR_ON = 94, 95
FLIPS: Mapping[str, int] = {"normal": 0, "flip": 1, "mirror": 2, "both": 3}


@dataclass(frozen=True, slots=True)
class Control:
    """A parameter of camera_control.cgi and the values it takes."""

    param: int
    values: range


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs from one dialect to the other."""

    name: str
    login: tuple[str, str]
    """Names of user and password in a query."""
    resolution_param: int
    resolutions: Mapping[str, int]
    """Values of that parameter, where videostream.cgi takes `RESOLUTIONS`."""
    brightness: Control
    contrast: Control
    mode_param: int
    modes: Mapping[str, int]
    infrared_param: int | None
    """camera_control parameter of the lamps; None where decoder_control switches them."""
    flip_param: int = 5


DIALECTS: Mapping[str, Dialect] = {
    "A": Dialect(
        name="A",
        login=("user", "pwd"),
        resolution_param=0,
        resolutions=RESOLUTIONS,
        brightness=Control(1, range(256)),
        contrast=Control(2, range(7)),
        mode_param=3,
        modes={"50hz": 0, "60hz": 1, "outdoor": 2},
        infrared_param=None,
    ),
    "B": Dialect(
        name="B",
        login=("loginuse", "loginpas"),
        resolution_param=15,
        resolutions={"640x480": 0, "320x240": 1},
        brightness=Control(1, range(256)),
        contrast=Control(2, range(256)),
        mode_param=3,
        modes={"50hz": 0, "60hz": 1, "outdoor": 2, "outdoor-50hz": 2, "outdoor-60hz": 3},
        infrared_param=14,
    ),
}


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate code, what it promises, and what was wished for."""

    code: int
    fps: Fraction
    wished: Fraction

    def __str__(self) -> str:
        promised = f"rate code {self.code}, {float(self.fps):g} fps"
        return (
            promised if self.fps == self.wished else f"{promised} ({float(self.wished):g} wished)"
        )


def parse_rate(text: str) -> Rate:
    """The rate code nearest to a wish: "10", "0.5", "1/3", "max", or "code:6" for the code itself.

    Raises UsageError, which lists what there is.
    """
    wish = text.strip().lower().removesuffix("fps").strip()
    if wish == "max":
        return Rate(0, RATES[0], RATES[0])
    if wish.startswith("code:"):
        digits = wish.removeprefix("code:")
        code = int(digits) if digits.isdecimal() and len(digits) < 4 else -1
        if code in RATES:
            return Rate(code, RATES[code], RATES[code])
        raise UsageError(f"there is no such rate code; there are {_listed(RATES)}")
    try:
        fps = Fraction(wish) if len(wish) <= 10 and "e" not in wish else Fraction(0)
    except (ValueError, ZeroDivisionError):
        fps = Fraction(0)
    if fps <= 0:
        rates = _listed(RATES.values())
        raise UsageError(f"a rate is frames a second (nearest of {rates}), max, or code:N")
    return nearest_rate(fps)


def nearest_rate(fps: Fraction | float) -> Rate:
    """The rate code whose promise is nearest to `fps`, the faster of two equally near."""
    wished = Fraction(fps).limit_denominator(1000)
    code = min(RATES, key=lambda c: (abs(RATES[c] - wished), -RATES[c]))
    return Rate(code, RATES[code], wished)


def parse_resolution(text: str) -> int:
    """The resolution code for "640x480", "vga" or "32". Raises UsageError."""
    wish = text.strip().lower()
    wish = RESOLUTION_NAMES.get(wish, wish)
    if wish in RESOLUTIONS:
        return RESOLUTIONS[wish]
    for code in RESOLUTIONS.values():
        if wish == str(code):
            return code
    sizes = ", ".join(f"{size} (or {code})" for size, code in RESOLUTIONS.items())
    raise UsageError(f"a resolution is one of {sizes}")


def resolution_name(code: int) -> str:
    """ "640x480" for 32."""
    return next(name for name, known in RESOLUTIONS.items() if known == code)


def movement(direction: str, inverted: frozenset[str]) -> int:
    """The command that moves the picture in `direction` on a camera whose axes are inverted.

    Raises UsageError.
    """
    if direction not in DIRECTIONS:
        raise UsageError(f"a direction is one of {_listed(DIRECTIONS)}")
    swaps = [("left", "right")] if "horizontal" in inverted else []
    swaps += [("up", "down")] if "vertical" in inverted else []
    for one, other in swaps:
        if one in direction.split("-"):
            direction = direction.replace(one, other)
        else:
            direction = direction.replace(other, one)
    return DIRECTIONS[direction]


def preset_commands(number: int) -> tuple[int, int]:
    """The commands that set and go to a preset, 1 to 16. Raises UsageError."""
    if number not in PRESETS:
        raise UsageError(f"presets are numbered {PRESETS[0]} to {PRESETS[-1]}")
    return 28 + 2 * number, 29 + 2 * number


def choose(what: str, name: str, table: Mapping[str, int]) -> int:
    """The code of `name`. Raises UsageError, which lists what there is."""
    if name not in table:
        raise UsageError(f"{what} is one of {_listed(table)}")
    return table[name]


def check_range(what: str, value: int, control: Control) -> int:
    """`value` if the control takes it, else NotSupported: the range depends on the camera."""
    if value not in control.values:
        raise NotSupported(
            f"{what} of this camera goes from {control.values[0]} to {control.values[-1]}"
        )
    return value


def _listed(names: Iterable[object]) -> str:
    return ", ".join(str(name) for name in names)
