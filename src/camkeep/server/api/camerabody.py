"""Cameras as requests and answers have them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from camkeep.cameras.easyn import EasynSource
from camkeep.cameras.v4l2 import V4l2Source
from camkeep.engine.health import reason_of
from camkeep.engine.schedule import Mode
from camkeep.engine.supervisor import Supervisor
from camkeep.model import AudioParams, CameraId, VideoParams
from camkeep.server.access import Principal, Role
from camkeep.server.camerasettings import CameraSettings
from camkeep.server.cameraurl import LONGEST_LOGIN
from camkeep.server.desk import Desk
from camkeep.server.redact import redactor

Text = Annotated[str, Field(max_length=4096)]
Secret = Annotated[SecretStr, Field(max_length=LONGEST_LOGIN)]


class CameraBody(BaseModel):
    """A camera as people set it up. What is left away stays as it is, or as usual."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=200)] | None = None
    address: Text | None = Field(
        None, description="rtsp://HOST/PATH, http://HOST/PATH, easyn://HOST/, 0 for a webcam"
    )
    user: Annotated[str, Field(max_length=LONGEST_LOGIN)] | None = None
    password: Secret | None = Field(None, description="Never answered. Left away: as it was")
    sub_address: Text | None = Field(None, description="Of its small stream; null for none")
    sub_user: Annotated[str, Field(max_length=LONGEST_LOGIN)] | None = None
    sub_password: Secret | None = None
    transport: str | None = Field(None, max_length=10, description="RTSP: tcp or udp")
    trust: Text | None = Field(None, description="sha256:FINGERPRINT, or the name of a PEM file")
    mode: Mode | None = None
    schedule: (
        Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=100)] | None
    ) = Field(None, description="Intervals such as mon-fri 08:00-18:00")
    zone: Annotated[str, Field(max_length=100)] | None = None
    audio: bool | None = None
    pre_roll_s: float | None = None
    segment_s: float | None = None
    flush_s: float | None = None
    max_bytes: int | None = Field(None, description="How much of it is kept; null for no limit")
    max_age_s: float | None = None
    timeout_s: float | None = None

    def values(self) -> dict[str, object]:
        """What was said, as `CameraBook` takes it."""
        return {
            name: value.get_secret_value() if isinstance(value, SecretStr) else value
            for name in self.model_fields_set
            for value in [getattr(self, name)]
        }


class VideoTold(BaseModel):
    """The pictures of a stream."""

    codec: str
    codec_string: str = Field(description="As RFC 6381 has it")
    width: int
    height: int


class AudioTold(BaseModel):
    """The sound of a stream."""

    codec: str
    codec_string: str
    sample_rate: int
    channels: int


class StreamTold(BaseModel):
    """A stream, as far as it is known by now."""

    name: str = Field(description="main, or sub for the small one")
    video: VideoTold | None
    audio: AudioTold | None


class CameraTold(BaseModel):
    """A camera, for who may see it."""

    id: str
    name: str
    watched: bool = Field(description="False where it cannot be watched; `told` says why")
    state: str = Field(description="connecting, live, waiting, refused, idle, off, or failed")
    since_us: int | None
    told: str = Field(description="What is wrong, for a person; empty where nothing is")
    mode: Mode
    recording: bool = Field(description="Pictures are being kept")
    clip: str | None = Field(description="Id of the clip that is being recorded at the button")
    pre_roll_s: float = Field(description="How much a clip has of the time before the button")
    controls: str | None = Field(
        description="What it can be told at /controls: easyn (it moves) or webcam; null for nothing"
    )
    streams: list[StreamTold]
    settings: dict[str, Any] | None = Field(
        description="As CameraBody, for administrators; without passwords"
    )


class CameraList(BaseModel):
    """Cameras, in the order in which people see them."""

    cameras: list[CameraTold]


def camera_told(
    desk: Desk, who: Principal, settings: CameraSettings | None, camera: Supervisor | None
) -> CameraTold:
    """One camera, of what is set up and what is watched; at least one of the two."""
    shown = settings.public() if settings is not None and who.role is Role.ADMIN else None
    if camera is None:
        assert settings is not None
        told = redactor(desk.failed.get(settings.id, "it is about to be watched"))
        return CameraTold(
            id=settings.id,
            name=settings.name,
            watched=False,
            state="failed",
            since_us=None,
            told=told,
            mode=settings.mode,
            recording=False,
            clip=None,
            pre_roll_s=settings.pre_roll_s,
            controls=None,
            streams=[],
            settings=shown,
        )
    health = camera.health()
    return CameraTold(
        id=camera.camera.id,
        name=camera.camera.name,
        watched=True,
        state=health.word,
        since_us=health.since,
        told=redactor(health.trouble or reason_of(health.state)),
        mode=camera.wanted.mode,
        recording=health.recording,
        clip=camera.clip.id if camera.clip is not None else None,
        pre_roll_s=camera.wanted.options.pre_roll_s,
        controls=_controls(camera),
        streams=_streams(camera),
        settings=shown,
    )


def order_of(settings: list[CameraSettings], watched: list[CameraId]) -> list[CameraId]:
    """Ids in the order in which people see them: those set up, then what is watched besides."""
    there = [each.id for each in settings]
    return [*there, *(camera for camera in watched if camera not in set(there))]


def _controls(camera: Supervisor) -> str | None:
    match camera.main.source:
        case EasynSource():
            return "easyn"
        case V4l2Source():
            return "webcam"
        case _:
            return None


def _streams(camera: Supervisor) -> list[StreamTold]:
    streams = []
    for name, feed in (("main", camera.main), ("sub", camera.sub)):
        if feed is not None:
            video = feed.hub.video or feed.notes.video
            audio = feed.hub.audio or feed.notes.audio
            streams.append(
                StreamTold(
                    name=name,
                    video=None if video is None else _video(video),
                    audio=None if audio is None else _audio(audio),
                )
            )
    return streams


def _video(params: VideoParams) -> VideoTold:
    return VideoTold(
        codec=params.codec.value,
        codec_string=params.codec_string,
        width=params.width,
        height=params.height,
    )


def _audio(params: AudioParams) -> AudioTold:
    return AudioTold(
        codec=params.codec.value,
        codec_string=params.codec_string,
        sample_rate=params.sample_rate,
        channels=params.channels,
    )
