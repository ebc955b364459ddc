"""JPEG pictures made by Pillow, and what Pillow sees in them."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image


@lru_cache(maxsize=8)
def scene(width: int = 320, height: int = 240) -> Image.Image:
    """A picture with edges, gradients and noise; the same each time."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0:height, 0:width]
    planes = [(x + y) % 256, x * y // 37 % 256, np.where((x // 16 + y // 16) % 2, 230, 20)]
    pixels = np.stack(planes, axis=2) + rng.integers(-20, 20, (height, width, 3))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def jpeg(width: int = 320, height: int = 240, *, mode: str = "RGB", **options: Any) -> bytes:
    """`scene` as Pillow compresses it; `options` are those of its JPEG writer."""
    out = io.BytesIO()
    scene(width, height).convert(mode).save(out, "JPEG", **options)
    return out.getvalue()


def pixels(data: bytes) -> bytes:
    """Every pixel, decoded by Pillow, which refuses pictures that are cut short."""
    with Image.open(io.BytesIO(data)) as picture:
        return picture.tobytes()
