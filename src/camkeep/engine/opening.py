"""From what a person types to a camera for programs."""

from __future__ import annotations

from camkeep.cameras.address import Credentials, parse_address
from camkeep.cameras.source import TIMEOUT_S, SourceOptions, parse_trust
from camkeep.engine.camera import AsyncCamera, Camera
from camkeep.errors import UsageError


def aopen(
    url: str,
    *,
    user: str | None = None,
    password: str | None = None,
    trust: str | None = None,
    transport: str = "tcp",
    audio: bool = True,
    timeout: float = TIMEOUT_S,
) -> AsyncCamera:
    """A camera by its address: ``async with camkeep.aopen(url) as camera``.

    `url` is what the commands take, too: easyn:, http:, https:, rtsp:, rtsps:, testcard:, or a
    webcam's number. `trust` is ``sha256:FINGERPRINT`` or a PEM file; `transport` ("tcp" or
    "udp") is for RTSP; `timeout` in seconds. An easyn: address gives an `AsyncEasyN`, a webcam
    an `AsyncWebcam`. Raises UsageError.
    """
    address, credentials = parse_address(url)
    if user is not None or password is not None:
        of_url = credentials or Credentials("")
        credentials = Credentials(
            user if user is not None else of_url.user,
            password if password is not None else of_url.password,
        )
    if transport not in ("tcp", "udp"):
        raise UsageError("transport is tcp or udp")
    options = SourceOptions(credentials, parse_trust(trust), transport, audio, timeout, timeout)
    match address.scheme:
        case "easyn" | "easyns":
            from camkeep.engine.easyn import AsyncEasyN

            return AsyncEasyN(address, options)
        case "v4l2":
            from camkeep.engine.webcam import AsyncWebcam

            return AsyncWebcam(address, options)
        case _:
            return AsyncCamera(address, options)


def open(
    url: str,
    *,
    user: str | None = None,
    password: str | None = None,
    trust: str | None = None,
    transport: str = "tcp",
    audio: bool = True,
    timeout: float = TIMEOUT_S,
) -> Camera:
    """A camera by its address: ``with camkeep.open(url) as camera``.

    As `aopen`, but the methods of the camera wait. An easyn: address gives an `EasyN`, a webcam
    a `Webcam`: no type checker can know which, so ask with ``isinstance`` where one is to
    check, or use `camkeep.EasyN` itself.
    """
    inner = aopen(
        url,
        user=user,
        password=password,
        trust=trust,
        transport=transport,
        audio=audio,
        timeout=timeout,
    )
    if inner.address.scheme in ("easyn", "easyns"):
        from camkeep.engine.easyn import AsyncEasyN, EasyN

        assert isinstance(inner, AsyncEasyN)
        return EasyN(inner)
    if inner.address.scheme == "v4l2":
        from camkeep.engine.webcam import AsyncWebcam, Webcam

        assert isinstance(inner, AsyncWebcam)
        return Webcam(inner)
    return Camera(inner)
