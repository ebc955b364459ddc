"""All comparisons, one after the other, and the tables of bench/README.md.

python bench/run.py            about 20 minutes
python bench/run.py --quick    about 4 minutes, for a first look
"""

from __future__ import annotations

import argparse
from pathlib import Path

import jpeg
import rtsp
import sizes
from compare import Times, table
from processes import machine

JPEG_RATES = (10.0, 25.0)
FULL = Times(warm_up_s=5, measure_s=30, repeats=3)
QUICK = Times(warm_up_s=3, measure_s=10, repeats=1)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="short and only once")
    parser.add_argument("--scratch", type=Path, help="where the movies go, and are deleted")
    options = parser.parse_args()
    times = QUICK if options.quick else FULL
    print(f"{machine()}; {times.measure_s:g} s each, {times.repeats} times\n", flush=True)
    print("RTSP, 1920x1080, 30 fps, 4 Mbit/s H.264 over TCP", flush=True)
    rows = rtsp.run([1, 8, 32], times, options.scratch)
    print(f"\n{table('ffmpeg', rows)}\n", flush=True)
    for rate in JPEG_RATES:
        print(f"JPEG over HTTP, 640x480, {rate:g} fps", flush=True)
        rows = jpeg.run([1, 8], rate, times, options.scratch)
        print(f"\n{table('recipe', rows)}\n", flush=True)
    print(f"What a minute takes on the disk\n\n{sizes.run()}")


if __name__ == "__main__":
    main()
