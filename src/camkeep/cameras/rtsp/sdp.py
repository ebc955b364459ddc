"""What a camera offers, from its session description (SDP, RFC 4566). Pure.

Lenient as cameras need it: unknown lines are skipped, line ends may be any, and an attribute
that is malformed counts as missing.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field

from camkeep.errors import MediaError

MAX_MEDIA = 32
"""Media sections that are looked at."""

# RFC 3551 §6: payload types that need no rtpmap; G.711 is all that cameras use of the sound
_STATIC = {0: ("PCMU", 8000, 1), 8: ("PCMA", 8000, 1), 26: ("JPEG", 90000, 1)}


@dataclass(frozen=True, slots=True)
class Media:
    """One m= section: a flow that can be set up."""

    kind: str
    """"video", "audio", "application" ..."""
    payload_type: int
    encoding: str
    """Encoding name of the rtpmap in upper case: "H264", "MPEG4-GENERIC" ..., "" if unknown."""
    clock_rate: int
    channels: int = 1
    control: str = ""
    fmtp: dict[str, str] = field(default_factory=dict)
    """Parameters of the format, names in lower case."""
    frame_rate: float | None = None
    secure: bool = False
    """Whether it comes as SRTP."""
    to_camera: bool = False
    """Whether sound goes to the camera (a=sendonly of an ONVIF back channel)."""


@dataclass(frozen=True, slots=True)
class Description:
    """A whole session description."""

    control: str
    media: tuple[Media, ...]


def parse_sdp(data: bytes) -> Description:
    """Read a session description. Raises MediaError where it is none."""
    text = data.decode("utf-8", "replace")
    lines = [line.strip("\r\x00 ") for line in text.split("\n")]
    if not any(line.startswith(("v=", "m=")) for line in lines):
        raise MediaError("its description of the stream is not SDP")
    sections: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("m="):
            if len(sections) > MAX_MEDIA:
                break
            sections.append([])
        sections[-1].append(line)
    media = tuple(found for section in sections[1:] if (found := _media(section)) is not None)
    return Description(_attribute(sections[0], "control") or "", media)


def _media(lines: list[str]) -> Media | None:
    words = lines[0][2:].split()
    if len(words) < 4 or not re.fullmatch(r"[0-9]{1,3}", words[3]):
        return None
    payload_type = int(words[3])
    encoding, clock_rate, channels = _STATIC.get(payload_type, ("", 0, 1))
    if mapped := _attribute(lines, "rtpmap", payload_type):
        match = re.fullmatch(r"([^/\s]+)/([0-9]{1,7})(?:/([0-9]{1,2}))?", mapped)
        if match:
            encoding, clock_rate = match[1].upper(), int(match[2])
            channels = int(match[3] or 1)
    return Media(
        kind=words[0].lower(),
        payload_type=payload_type,
        encoding=encoding,
        clock_rate=clock_rate,
        channels=channels,
        control=_attribute(lines, "control") or "",
        fmtp=_parameters(_attribute(lines, "fmtp", payload_type) or ""),
        frame_rate=_rate(_attribute(lines, "framerate") or _attribute(lines, "x-framerate")),
        secure="SAVP" in words[2].upper(),
        to_camera="a=sendonly" in lines,
    )


def _attribute(lines: list[str], name: str, payload_type: int | None = None) -> str | None:
    """The value of the first a=`name`, for `payload_type` where that comes before the value."""
    prefix = f"a={name}:"
    for line in lines:
        if line.lower().startswith(prefix):
            value = line[len(prefix) :].strip()
            if payload_type is None:
                return value
            number, _, rest = value.partition(" ")
            if number == str(payload_type):
                return rest.strip()
    return None


def _parameters(text: str) -> dict[str, str]:
    parts = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in parts if name.strip()}


def _rate(text: str | None) -> float | None:
    match = re.match(r"[0-9]{1,4}(\.[0-9]{1,9})?", text or "")
    rate = float(match[0]) if match else 0.0
    return rate or None


def parameter_sets(media: Media) -> list[bytes]:
    """NAL units of the sprop parameters (RFC 6184 §8.1, RFC 7798 §7.1) that can be read."""
    names = ("sprop-parameter-sets", "sprop-vps", "sprop-sps", "sprop-pps")
    found = []
    for name in names:
        for part in media.fmtp.get(name, "").split(","):
            try:
                found.append(base64.b64decode(part.strip() + "=" * (-len(part.strip()) % 4)))
            except (binascii.Error, ValueError):
                continue
    return [nal for nal in found if nal]


def resolve_control(base: str, control: str) -> str:
    """The URL of a control attribute (RFC 2326 §C.1.1), always on the host of `base`.

    `base` ends up in front of a relative control as it stands, with a slash in between: that is
    what cameras expect, although RFC 1808 would replace the last part of the path. An absolute
    control keeps only its path, because cameras behind NAT name hosts that cannot be reached.
    """
    if control in ("", "*"):
        return base
    if match := re.match(r"rtspu?s?://[^/?]*(.*)", control, re.IGNORECASE):
        return origin(base) + (match[1] or "/")
    if control.startswith("?"):
        return base + control
    return f"{base.removesuffix('/')}/{control.removeprefix('/')}"


def base_url(request_url: str, given: str | None) -> str:
    """The base for controls: Content-Base or Content-Location, but on the host we talk to."""
    if not given or re.search(r"[\x00-\x20\x7f]", given):
        return request_url
    if match := re.match(r"rtspu?s?://[^/?]*(.*)", given, re.IGNORECASE):
        return origin(request_url) + (match[1] or "/")
    if given.startswith("/"):
        return origin(request_url) + given
    return request_url


def origin(url: str) -> str:
    """Scheme and authority of a URL: "rtsp://192.0.2.7:8554"."""
    match = re.match(r"[a-z]+://[^/?]*", url, re.IGNORECASE)
    return match[0] if match else url
