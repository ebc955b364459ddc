"""A look at a camera before it is set up: staged cameras, pictures read by libav."""

from __future__ import annotations

import io
from base64 import b64decode

import av
import pytest

from camkeep.clock import MonoNs, WallUs
from camkeep.errors import CameraError, LoginRefused, NeedsPerson, NotTrusted, Unreachable
from camkeep.model import CameraId, Sample
from camkeep.server import glimpse as module
from camkeep.server.camerasettings import new_settings
from camkeep.server.glimpse import Glimpses
from camkeep.server.learned import learn
from camkeep.server.redact import Redactor
from support.movies import stream as encoded
from support.staged import WALL0, Staged, picture, stream


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WATCH_S", 0.05)


@pytest.mark.parametrize("name", ["h264", "h264-b", "h265-b"])
async def test_a_movie_of_one_frame_where_the_camera_has_no_jpeg(name: str) -> None:
    source = encoded(name)
    samples = [
        Sample(
            each.params,
            each.data,
            each.time_us,
            MonoNs(each.time_us * 1000),
            WallUs(WALL0 + each.time_us),
            each.key,
            0,
        )
        for each in source.samples
    ]
    seen = await Glimpses().look(Staged(samples))
    assert seen.report is not None
    assert seen.picture is not None
    kind, _, data = seen.picture.partition(",")
    assert kind == "data:video/mp4;base64"
    with av.open(io.BytesIO(b64decode(data))) as movie:
        frames = list(movie.decode(video=0))
    assert len(frames) == 1
    assert (frames[0].width, frames[0].height) == (
        source.params.width,
        source.params.height,
    )


async def test_a_jpeg_as_it_came() -> None:
    seen = await Glimpses().look(Staged(stream(5)))
    assert seen.picture is not None
    assert b64decode(seen.picture.partition(",")[2]) == picture(0)
    assert seen.report is not None
    assert seen.report["frames"] == 5


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (LoginRefused("wrong password"), "login"),
        (NotTrusted("another certificate"), "trust"),
        (Unreachable("nobody answers"), None),
    ],
)
async def test_why_no_picture_came(error: CameraError, cause: str | None) -> None:
    seen = await Glimpses().look(Staged([error]))
    assert (seen.report, seen.picture) == (None, None)
    assert seen.error == error.message
    assert seen.needs_person is isinstance(error, NeedsPerson)
    assert seen.cause == cause


async def test_an_absurdly_large_picture_is_left_out() -> None:
    (sample,) = stream(1)
    large = sample._replace(data=bytes(module.LARGEST_PICTURE + 1))
    seen = await Glimpses().look(Staged([large]))
    assert seen.report is not None
    assert seen.picture is None


@pytest.mark.parametrize(
    "values",
    [
        {"address": "http://h/x", "user": "u", "password": "Learned-Secret-1"},
        {"address": "http://u:Learned-Secret-1@h/x"},
        {"address": "http://h/x?a=b&pwd=Learned-Secret-1"},
        {"address": "http://h/", "sub_address": "rtsp://u:Learned-Secret-1@h/"},
    ],
)
def test_what_is_secret_about_a_camera_is_learned(values: dict[str, str]) -> None:
    redact = Redactor()
    learn(new_settings(CameraId("x"), {"name": "x", **values}), redact)
    assert redact("it says Learned-Secret-1 a b u h x") == "it says *** a b u h x"
