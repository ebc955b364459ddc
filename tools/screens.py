"""Pictures of every page and state, small and large, light and dark, to be looked at.

    .venv/bin/python tools/screens.py FOLDER [--only wall camera-] [--sizes 390 1280 2560]
                                      [--themes dark light] [--days 0]

Which there are stands in `tests/support/scenes.py`: a line for each.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.page import chromium
from support.scenes import SCENES, staged

SIZES = {360: 740, 390: 844, 768: 1024, 1280: 800, 2560: 1440, 3840: 2160}
"""Heights of windows, by their widths."""


def options() -> argparse.Namespace:
    """What is wanted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where pictures go: NAME-WIDTH-THEME.png")
    parser.add_argument("--only", nargs="+", default=[""], help="scenes whose names begin so")
    parser.add_argument("--sizes", nargs="+", type=int, choices=SIZES, default=[390, 1280, 2560])
    parser.add_argument("--themes", nargs="+", choices=("dark", "light"), default=["dark", "light"])
    parser.add_argument("--days", type=int, default=0, help="of footage before the last hours")
    return parser.parse_args()


async def main() -> None:
    """Take them."""
    wanted = options()
    wanted.folder.mkdir(parents=True, exist_ok=True)
    scenes = [scene for scene in SCENES if scene.name.startswith(tuple(wanted.only))]
    with tempfile.TemporaryDirectory(prefix="screens-") as folder:
        async with chromium() as browser, staged(browser, Path(folder), days=wanted.days) as stage:
            for scene, width, theme in product(scenes, wanted.sizes, wanted.themes):
                window = {"width": width, "height": SIZES[width]}
                path = wanted.folder / f"{scene.name}-{width}-{theme}.png"
                try:
                    async with stage.scene(
                        scene, viewport=window, color_scheme=theme, has_touch=width < 768
                    ) as seen:
                        await seen.page.screenshot(path=path)
                except Exception as error:  # the next scene may be well
                    print(f"{path.name}: {str(error) or type(error).__name__}", file=sys.stderr)


if __name__ == "__main__":
    asyncio.run(main())
