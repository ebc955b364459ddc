"""The vocabulary of faults: all that a simulated camera can do wrong.

A `Fault` is a kind and a number, whose meaning depends on the kind: on every n-th frame, after
n frames, or for n seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal, NamedTuple

from camkeep.errors import UsageError

Measure = Literal["every", "after", "seconds", "none"]


class _Words(NamedTuple):
    name: str
    what: str
    measure: Measure = "every"
    default: int = 1


class Kind(Enum):
    """What can go wrong."""

    # in a picture
    NULLS_BEFORE_END = _Words("nulls-before-end", "null bytes before the end marker FF D9")
    JUNK_BEFORE = _Words("junk-before", "junk before the picture's FF D8")
    JUNK_AFTER = _Words("junk-after", "junk behind the picture's FF D9")
    TRUNCATED = _Words("truncated", "pictures cut short")
    BIT_FLIPS = _Words("bit-flips", "flipped bits in the picture's data")
    FROZEN = _Words("frozen", "the same picture over and over", "after", 0)
    SIZE_CHANGE = _Words("size-change", "pictures of another size", "after", 30)
    # in a part
    EMPTY_PART = _Words("empty-part", "an empty part before the picture's own")
    SEVERAL = _Words("several", "the picture in one part with the next one")
    NO_LENGTH = _Words("no-length", "no Content-Length")
    LENGTH_SMALL = _Words("length-small", "a Content-Length of half the truth")
    LENGTH_LARGE = _Words("length-large", "a Content-Length of 1000 bytes too many")
    LENGTH_HUGE = _Words("length-huge", "a Content-Length of 4 GB")
    LENGTH_NEGATIVE = _Words("length-negative", "a Content-Length of -1")
    HEADER_CASE = _Words("header-case", "part headers in odd upper and lower case")
    JUNK_BETWEEN = _Words("junk-between", "junk between two parts")
    BOUNDARY_DOUBLED = _Words("boundary-doubled", "the boundary twice")
    BOUNDARY_MISSING = _Words("boundary-missing", "no boundary before the picture")
    # in the whole stream
    NO_FIRST_BOUNDARY = _Words("no-first-boundary", "no boundary before the first part", "none")
    BOUNDARY_DASHES = _Words("boundary-dashes", "-- inside the declared boundary", "none")
    BOUNDARY_QUOTED = _Words("boundary-quoted", "quotes around the declared boundary", "none")
    LINE_FEEDS = _Words("line-feeds", "LF instead of CRLF, everywhere", "none")
    DECLARED_JPEG = _Words("declared-jpeg", "a multipart stream declared as image/jpeg", "none")
    BARE = _Words("bare", "pictures without parts, declared as image/jpeg", "none")
    CHUNKED = _Words("chunked", "chunked transfer coding, cut anywhere", "none")
    # in the connection
    STALL = _Words("stall", "silence, the connection open", "after", 30)
    RESET = _Words("reset", "connection reset", "after", 30)
    END = _Words("end", "connection ended", "after", 30)
    REFUSE = _Words("refuse", "connections refused at first", "seconds", 10)
    ENDLESS_HEADERS = _Words("endless-headers", "an answer whose headers never end", "none")
    ENDLESS_PART_HEADERS = _Words(
        "endless-part-headers", "a first part whose headers never end", "none"
    )
    DRIP = _Words("drip", "one byte a second", "none")
    # in the answer
    UNAUTHORIZED = _Words("unauthorized", "every login refused with 401", "none")
    FORBIDDEN = _Words("forbidden", "every request refused with 403", "none")
    LOGIN_BODY = _Words("login-body", "logins refused in a body with status 200", "none")
    STALE_NONCE = _Words("stale-nonce", "a digest nonce good for one request only", "none")
    SERVER_ERROR = _Words("server-error", "every request answered with 500", "none")
    NOT_FOUND = _Words("not-found", "every request answered with 404", "none")
    HTML = _Words("html", "a web page in place of pictures", "none")
    REDIRECT = _Words("redirect", "one redirect on the same host", "none")
    REDIRECT_HOST = _Words("redirect-host", "a redirect to another host", "none")
    REDIRECT_LOOP = _Words("redirect-loop", "redirects in a circle", "none")

    @property
    def code(self) -> str:
        """Its name on the command line."""
        return self.value.name

    @property
    def what(self) -> str:
        """It in words."""
        return self.value.what

    @property
    def measure(self) -> Measure:
        """What a fault's number means."""
        return self.value.measure


KINDS = {kind.code: kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; `n` None takes the kind's default."""

    kind: Kind
    n: int | None = None

    @property
    def number(self) -> int:
        """Frames or seconds, as the kind has it."""
        default: int = self.kind.value.default
        return default if self.n is None else self.n

    def __str__(self) -> str:
        match self.kind.measure:
            case "every":
                often = "every frame" if self.number == 1 else f"one frame in {self.number}"
                return f"{self.kind.what}, {often}"
            case "after":
                return f"{self.kind.what} after {self.number} frames"
            case "seconds":
                return f"{self.kind.what}, for {self.number} s"
            case "none":
                return self.kind.what

    def hits(self, index: int) -> bool:
        """Whether it concerns a viewer's frame `index`, counted from 0."""
        if self.kind.measure == "every":
            return index % self.number == self.number - 1
        return self.kind.measure != "after" or index >= self.number


def parse_fault(text: str) -> Fault:
    """``truncated`` or ``truncated:5``. Raises UsageError."""
    name, colon, number = text.partition(":")
    kind = KINDS.get(name)
    if kind is None:
        raise UsageError(f"there is no fault {name!r}: see camkeep simulate --list-faults")
    if not colon:
        return Fault(kind)
    if kind.measure == "none":
        raise UsageError(f"the fault {name} takes no number")
    least = 1 if kind.measure == "every" else 0
    if not (number.isascii() and number.isdigit() and least <= int(number[:9]) and len(number) < 9):
        raise UsageError(f"the fault {name} takes a whole number from {least}: {name}:{least + 1}")
    return Fault(kind, int(number))


Faults = frozenset[Fault]


def find(faults: Faults, kind: Kind) -> Fault | None:
    """The fault of this kind, if there is one."""
    return next((fault for fault in faults if fault.kind is kind), None)
