"""camkeep as the bench runs it: one process that records many cameras until interrupted.

    python bench/record_many.py FOLDER URL...

One movie a minute for each camera, as one ffmpeg process per camera makes them.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from camkeep.archive.writer import Volume
from camkeep.cameras.address import parse_address
from camkeep.cameras.source import SourceOptions
from camkeep.clock import SystemClock
from camkeep.engine.plan import Plan
from camkeep.engine.record import Recording
from camkeep.engine.sources import make_source

SEGMENT_S = 60


async def main(folder: Path, urls: list[str]) -> int:
    recordings = []
    volume = Volume()
    for number, url in enumerate(urls):
        address, credentials = parse_address(url)
        source = make_source(address, SourceOptions(credentials))
        plan = Plan(folder / f"{number:02d}.mp4", segment_s=SEGMENT_S)
        recordings.append(Recording(source, plan, SystemClock(), volume))
    stop = [recording.stop for recording in recordings]
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, lambda: [each() for each in stop])
    summaries = await asyncio.gather(*(recording.run() for recording in recordings))
    volume.close()
    for url, summary in zip(urls, summaries, strict=True):
        if summary.error or summary.gaps or summary.drops or summary.trouble:
            print(url, summary, file=sys.stderr)
            return 1
    return 0


sys.exit(asyncio.run(main(Path(sys.argv[1]), sys.argv[2:])))
