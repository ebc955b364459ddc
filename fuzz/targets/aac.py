"""AAC configurations."""

from __future__ import annotations

from collections.abc import Iterable

from camkeep.errors import MediaError
from camkeep.media.audio import aac_params
from fuzz import checks, samples


def one_input(data: bytes) -> None:
    try:
        params = aac_params(data)
    except MediaError:
        return
    checks.audio_params(params)
    assert params.config == data
    assert params.frame_ticks in (480, 512, 960, 1024)


def seeds() -> Iterable[bytes]:
    yield samples.AAC_CONFIG
    for text in ("1210", "1588", "2b920800", "118856e5a0", "eb8a08", "f8f0310c", "1400083c",
                 "10000400100020", "b8e64000"):  # fmt: skip
        yield bytes.fromhex(text)
