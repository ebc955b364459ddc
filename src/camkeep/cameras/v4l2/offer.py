"""What a webcam offers, what a person wants of it, and which of it to take. Pure.

`choose` is the policy: the pixel format first (MJPG before H.264), then the size, then the rate.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from camkeep.errors import NotSupported, Unreachable, UsageError

MJPG = "mjpg"
H264 = "h264"
KINDS = {MJPG: ("MJPG", "JPEG"), H264: ("H264",)}
"""The compressed formats that camkeep takes, best first, and their V4L2 names."""

_USUAL = (1920, 1080)
"""The largest size taken unasked."""
_SMOOTH_FPS = 15
"""A size that is slower than this is not taken unasked while a smaller one is faster."""
_USUAL_FPS = Fraction(30)
_MOST_SHOWN = 12
_NUMBER = re.compile(r"[+-]?[0-9]{1,10}|0x[0-9a-f]{1,8}")


@dataclass(frozen=True, slots=True)
class Rates:
    """Frames a second at one size: each of `fps`, or where `between` anything from the first to
    the last of them. Empty where the driver does not say."""

    fps: tuple[Fraction, ...] = ()
    between: bool = False

    def __str__(self) -> str:
        shown = [f"{float(value):.4g}" for value in self.fps]
        return f"{shown[0]}-{shown[-1]}" if self.between else ", ".join(shown)


@dataclass(frozen=True, slots=True)
class Size:
    """One picture size in pixels, and the rates there."""

    width: int
    height: int
    rates: Rates = Rates()

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True)
class SizeRange:
    """Every size from the smallest to the largest, in steps of pixels. Rates at the largest."""

    smallest: tuple[int, int]
    largest: tuple[int, int]
    step: tuple[int, int]
    rates: Rates = Rates()

    def __str__(self) -> str:
        return "{}x{}".format(*self.smallest) + " to " + "{}x{}".format(*self.largest)

    def nearest(self, width: int, height: int) -> tuple[int, int]:
        """The largest size within the range that is not larger than the one given."""
        axes = zip((width, height), self.smallest, self.largest, self.step, strict=True)
        found = [low + (max(low, min(high, v)) - low) // by * by for v, low, high, by in axes]
        return found[0], found[1]


@dataclass(frozen=True, slots=True)
class Format:
    """One pixel format: its four characters, the driver's words for it, and the sizes."""

    code: str
    description: str
    sizes: tuple[Size | SizeRange, ...] = ()

    @property
    def kind(self) -> str | None:
        """ "mjpg" or "h264", None for what camkeep does not record."""
        return next((kind for kind, codes in KINDS.items() if self.code in codes), None)


class ControlKind(StrEnum):
    """What values a control takes."""

    INTEGER = "integer"
    BOOLEAN = "boolean"
    MENU = "menu"
    BUTTON = "button"
    BITMASK = "bitmask"


@dataclass(frozen=True, slots=True)
class Control:
    """One setting of a webcam, such as its brightness."""

    id: int
    name: str
    """As a person types it: lower case, underscores."""
    label: str
    """As the driver words it."""
    kind: ControlKind
    minimum: int
    maximum: int
    step: int
    default: int
    value: int | None
    """None for buttons and what cannot be read."""
    menu: dict[int, str] = field(default_factory=dict)
    writable: bool = True
    active: bool = True
    """Whether it has an effect now (a white balance has none while it is automatic)."""

    @property
    def range(self) -> str:
        """The values it takes, in words."""
        match self.kind:
            case ControlKind.BUTTON:
                return "a button: 1 presses it"
            case ControlKind.BOOLEAN:
                return "on or off"
            case ControlKind.MENU:
                if self._of_numbers:
                    return "one of " + ", ".join(self.menu.values())
                return "one of " + ", ".join(f"{n} ({text})" for n, text in self.menu.items())
            case ControlKind.BITMASK:
                return f"bits within {self.maximum & 0xFFFFFFFF:#x}"
        steps = f" in steps of {self.step}" if self.step > 1 else ""
        return f"{self.minimum} to {self.maximum}{steps}"

    def parse(self, value: int | str) -> int:
        """What to set for `value`: a number, on/off, or an item of a menu.

        An item is named by its words or its number, but where the words are numbers themselves
        only by those. Raises UsageError with the range.
        """
        text = str(value).strip().lower()
        words = {label.lower(): n for n, label in self.menu.items()}
        if self.kind is ControlKind.BOOLEAN:
            words = {"on": 1, "true": 1, "yes": 1, "off": 0, "false": 0, "no": 0}
        number = words.get(text)
        if number is None and not self._of_numbers and _NUMBER.fullmatch(text):
            number = int(text, 16 if text.startswith("0x") else 10)
        if number is None or not self._takes(number):
            raise UsageError(f"{self.name} cannot be {value!r}: it takes {self.range}")
        return number

    @property
    def _of_numbers(self) -> bool:
        """Whether it is a menu of numbers, such as bit rates."""
        return bool(self.menu) and all(_NUMBER.fullmatch(text) for text in self.menu.values())

    def _takes(self, number: int) -> bool:
        if self.kind is ControlKind.BUTTON:
            return number == 1
        if self.kind is ControlKind.MENU:
            return number in self.menu
        if self.kind is ControlKind.BITMASK:
            return 0 <= number <= 0xFFFFFFFF and not number & ~self.maximum
        return self.minimum <= number <= self.maximum


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asked of a webcam; None where nothing was asked."""

    kind: str | None = None
    size: tuple[int, int] | None = None
    fps: Fraction | None = None
    controls: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """What to ask of the driver. `fps` is None where it does not say which rates it has."""

    format: Format
    width: int
    height: int
    fps: Fraction | None


def parse_options(options: dict[str, str]) -> Wanted:
    """Read the query of a webcam's address: size, format and fps; the rest names controls.

    Raises UsageError.
    """
    rest = dict(options)
    kind = rest.pop("format", None)
    if kind is not None and (kind := kind.lower()) not in KINDS:
        raise UsageError("a webcam's format is mjpg or h264 (camkeep cameras lists what it has)")
    size = None
    if (text := rest.pop("size", None)) is not None:
        match = re.fullmatch(r"([1-9][0-9]{0,4})[xX]([1-9][0-9]{0,4})", text)
        if not match:
            raise UsageError("a webcam's size is WIDTHxHEIGHT, for example size=1280x720")
        size = int(match[1]), int(match[2])
    fps = None
    if (text := rest.pop("fps", None)) is not None:
        if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,6})?|[0-9]{1,6}/[1-9][0-9]{0,5}", text):
            raise UsageError("a webcam's fps is a number, for example fps=15 or fps=7.5")
        fps = Fraction(text)
        if not 0 < fps <= 1000:
            raise UsageError("a webcam's fps is more than 0 and at most 1000")
    return Wanted(kind, size, fps, {name.lower(): value for name, value in rest.items()})


def choose(formats: tuple[Format, ...], wanted: Wanted) -> Choice:
    """Which format, size and rate to ask of the driver.

    Raises NotSupported, with what the webcam has, where it has not what is wanted, and
    Unreachable where it offers nothing.
    """
    found = _choose_format(formats, wanted.kind)
    size = _choose_size(found, wanted.size)
    return Choice(found, size.width, size.height, _choose_fps(size.rates, wanted.fps))


def size_refused(size: tuple[int, int], offer: Format) -> NotSupported:
    """The error for a size that the webcam does not give."""
    asked = "{}x{}".format(*size)
    shown = [str(size) for size in offer.sizes[:_MOST_SHOWN]]
    if len(offer.sizes) > _MOST_SHOWN:
        shown.append("...")
    return NotSupported(
        f"the webcam has no size {asked} in {offer.code}: it has "
        + (", ".join(shown) or "others, but does not say which")
    )


def _choose_format(formats: tuple[Format, ...], kind: str | None) -> Format:
    if not formats:
        raise Unreachable(
            "the webcam offers no pictures now: if a program feeds it, start that program first"
        )
    for codes in KINDS.values() if kind is None else (KINDS[kind],):
        for code in codes:
            for found in formats:
                if found.code == code:
                    return found
    have = ", ".join(found.code for found in formats[:_MOST_SHOWN])
    more = ", ..." if len(formats) > _MOST_SHOWN else ""
    if any(found.kind for found in formats):
        raise NotSupported(f"the webcam has no {str(kind).upper()}: it has {have}{more}")
    raise NotSupported(
        f"the webcam sends only uncompressed pictures ({have}{more}), and camkeep itself does not "
        "compress pictures: use a webcam with MJPG or H264"
    )


def _choose_size(offer: Format, size: tuple[int, int] | None) -> Size:
    if size is not None:
        for has in offer.sizes:
            exact = has.nearest(*size) if isinstance(has, SizeRange) else (has.width, has.height)
            if exact == size:
                return Size(*size, has.rates)
        if offer.sizes:
            raise size_refused(size, offer)
        return Size(*size)
    fitting = []
    for has in offer.sizes:
        if isinstance(has, SizeRange):
            fitting.append(Size(*has.nearest(*_USUAL), has.rates))
        else:
            fitting.append(has)
    return max(fitting, key=_preference, default=Size(*_USUAL))


def _preference(size: Size) -> tuple[bool, bool, int]:
    """Fits the usual size, is smooth, is large; of what does not fit, the smallest."""
    fits = size.width <= _USUAL[0] and size.height <= _USUAL[1]
    smooth = not size.rates.fps or max(size.rates.fps) >= _SMOOTH_FPS
    area = size.width * size.height
    return fits, smooth, area if fits else -area


def _choose_fps(rates: Rates, fps: Fraction | None) -> Fraction | None:
    """The rate nearest to the one wanted, which is the usual one where nothing is."""
    if not rates.fps:
        return fps
    aim = fps or _USUAL_FPS
    low, high = min(rates.fps), max(rates.fps)
    if rates.between:
        return max(low, min(high, aim))
    return min(rates.fps, key=lambda has: (abs(has - aim), -has))
