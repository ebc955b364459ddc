"""Weeks of running in half an hour: `camkeep serve` with everything coming and going, and whether
what it takes of the machine stays flat. Row F16 of what must be survived.

    python tools/soak.py [--minutes 30] [--data FOLDER]

Seven cameras: four that lose their connection every minute, of which one speaks RTSP with sound,
one that refuses the password, and two that are dead: one refuses connections, one takes them and
says nothing. Viewers come and go all the time, clips are recorded, downloaded and deleted, somebody
asks the API, and the quota is so small that segments are deleted all the time.

At the start some thousand clips are made and deleted in a hurry, so that what is remembered of
the past within bounds (the log's newest records) does not grow any more. Then, each 10 s, the
process is looked at from outside. After a warm-up a line is fitted to what it takes.
What fails:

- memory that surely grows by more than 5 MB a day: the lower end of the slope's 95 % interval lies
  above that. In half an hour the interval is some 20 MB a day wide, because an allocator breathes;
  the longer it runs, the more it sees.
- memory that is 10 MB higher in the last quarter than in the first one: no breath is that deep.
- descriptors, threads, tasks and children that are more in the last quarter than in the first one,
  by medians, beyond what comes and goes by itself.
- anything that the service logs as an error, and a camera that is not recorded at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from camkeep.cameras.simulate import Simulator, SimulatorOptions  # noqa: E402
from support.gst import gst_server  # noqa: E402
from support.guests import KINDS, memory_of, visit  # noqa: E402
from support.livecams import LIVE_H264_AAC  # noqa: E402
from support.proxy import proxy  # noqa: E402
from support.serveprocess import CONFIG, Served, setup  # noqa: E402

SAMPLE_S = 10.0
WARM_UP_S = 360.0
"""Until the quota is reached, and all that is made once is made; at most half of the time."""
REMEMBERED = 4000
"""Clips that are made and deleted at the start."""
MOST_A_DAY = 5e6
MOST_HIGHER = 10e6
MORE = {"descriptors": 6, "threads": 2, "tasks": 8, "children": 1}
"""What viewers, sessions and downloads that are just under way make of a difference."""
KEEP = """
[keep]
max_size = "40 MB"
keep_free = 0
"""
SMALL = SimulatorOptions(width=320, height=240, fps=10)
LOCKED = SimulatorOptions(width=320, height=240, user="admin", password="right", login="digest")


class Sample(NamedTuple):
    """What it takes at a moment."""

    at_s: float
    memory: int
    descriptors: int
    threads: int
    tasks: int
    children: int


class Fit(NamedTuple):
    """A line through samples."""

    a_day: float
    error: float
    """Half of the 95 % interval."""
    higher: float
    """The last quarter's median minus the first one's."""


def fit(samples: list[Sample], of: str) -> Fit:
    """Least squares. Neighbours are alike, so that many samples are worth fewer: the interval is
    that of n (1 - r) / (1 + r) independent ones, with r the correlation of neighbours."""
    xs = [sample.at_s / 86_400 for sample in samples]
    ys = [float(getattr(sample, of)) for sample in samples]
    slope, offset = statistics.linear_regression(xs, ys)
    rest = [y - offset - slope * x for x, y in zip(xs, ys, strict=True)]
    squares = sum(each * each for each in rest)
    r = sum(a * b for a, b in pairwise(rest)) / squares if squares else 0.0
    worth = max(3.0, len(xs) * (1 - max(0.0, r)) / (1 + max(0.0, r)))
    middle = statistics.fmean(xs)
    spread = sum((x - middle) ** 2 for x in xs) * worth / len(xs)
    error = 2 * (squares / len(xs) / spread) ** 0.5
    quarter = max(1, len(ys) // 4)
    higher = statistics.median(ys[-quarter:]) - statistics.median(ys[:quarter])
    return Fit(slope, error, higher)


def look(pid: int, began_s: float, tasks: Path) -> Sample:
    """The process as it is now."""
    folder = Path(f"/proc/{pid}")
    children = 0
    for thread in (folder / "task").iterdir():
        with suppress(OSError):
            children += len((thread / "children").read_text().split())
    return Sample(
        time.monotonic() - began_s,
        memory_of(pid),
        len(list((folder / "fd").iterdir())),
        len(list((folder / "task").iterdir())),
        int(tasks.read_text() or 0) if tasks.exists() else 0,
        children,
    )


# what goes on


class World:
    """The service, its cameras, and those who use it."""

    def __init__(self, served: Served, chance: random.Random) -> None:
        self.served = served
        self.chance = chance
        self.did = dict.fromkeys(("viewers", "clips", "requests", "reconnects"), 0)

    async def camera_ids(self) -> list[str]:
        return [each["id"] for each in (await self.served.cameras()).values()]

    async def fill(self) -> None:
        """Have so much happen that what is remembered of it is as much as it ever will be: the
        newest records of the log, above all. It would be taken for growth."""
        path = f"/api/v1/cameras/{(await self.camera_ids())[0]}/recording"
        for _ in range(REMEMBERED):
            clip = (await self.served.post(path, {"record": True}))["clip"]["id"]
            await self.served.post(path, {"record": False})
            await self.served.client.delete(f"{self.served.url}/api/v1/clips/{clip}")

    async def viewers(self) -> None:
        """Come and go, of all kinds, to all cameras, also to those that are dead."""
        ids = await self.camera_ids()
        while True:
            with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                async with asyncio.timeout(self.chance.uniform(0.1, 20)):
                    await visit(
                        self.chance.choice(KINDS),
                        self.chance.choice(ids),
                        self.served.port,
                        self.chance.choice((1, 10_000, 1_000_000)),
                    )
            self.did["viewers"] += 1
            await asyncio.sleep(0.2)

    async def clips(self) -> None:
        """Recorded, downloaded in part or in whole, and deleted."""
        ids = await self.camera_ids()
        while True:
            path = f"/api/v1/cameras/{self.chance.choice(ids)}/recording"
            clip = (await self.served.post(path, {"record": True}))["clip"]["id"]
            await asyncio.sleep(self.chance.uniform(1, 10))
            await self.served.post(path, {"record": False})
            url = f"{self.served.url}/api/v1/clips/{clip}"
            async with self.served.client.stream("GET", f"{url}/video.mp4") as answer:
                async for _ in answer.aiter_bytes():
                    if self.chance.random() < 0.05:
                        break
            await self.served.client.delete(url)
            self.did["clips"] += 1
            await asyncio.sleep(2)

    async def asking(self) -> None:
        """As a page and a monitor do."""
        while True:
            for path in ("/api/v1/cameras", "/api/v1/health", "/api/v1/storage", "/api/v1/events"):
                await self.served.get(path)
            await self.served.client.get(f"{self.served.url}/metrics")
            for camera in await self.camera_ids():
                url = f"{self.served.url}/api/v1/cameras/{camera}/timeline"
                await self.served.client.get(url)
            self.did["requests"] += 1
            await asyncio.sleep(1)


async def every_minute(world: World, links: list[Any]) -> None:
    """Break off one camera after the other."""
    while True:
        for link in links:
            await asyncio.sleep(60 / len(links))
            link.reset()
            world.did["reconnects"] += 1


async def soak(minutes: float, folder: Path) -> list[str]:
    """Run it; what is wrong."""
    chance = random.Random(1)
    async with AsyncExitStack() as stack:
        gst = stack.enter_context(gst_server({"/live": LIVE_H264_AAC}))
        targets = [await stack.enter_async_context(Simulator("mjpeg", SMALL)) for _ in range(3)]
        links = [
            await stack.enter_async_context(proxy(port))
            for port in (*(each.port for each in targets), gst.port)
        ]
        locked = await stack.enter_async_context(Simulator("mjpeg", LOCKED))
        hole = await stack.enter_async_context(proxy(targets[0].port))
        hole.black_hole()
        gone = Simulator("mjpeg", SMALL)
        async with gone:
            nobody = gone.url
        cameras = {
            f"cam{n}": each.url.replace(str(each.port), str(link.port))
            for n, (each, link) in enumerate(zip(targets, links, strict=False))
        }
        cameras["rtsp"] = gst.url().replace(str(gst.port), str(links[-1].port))
        alive = list(cameras)
        cameras["locked"] = locked.url.replace("://", "://admin:wrong@")
        cameras |= {"gone": nobody, "hole": hole_url(targets[0].url, targets[0].port, hole.port)}
        archive = folder / "cams"
        setup(archive, cameras, segment_s=5, pre_roll_s=3)
        tasks = folder / "tasks"
        served = await started(archive, folder / "soak.toml", tasks)
        world = World(served, chance)
        await served.until_recording(*alive)
        await world.fill()
        doing = [
            asyncio.create_task(work)
            for work in (
                *(world.viewers() for _ in range(6)),
                *(world.clips() for _ in range(2)),
                world.asking(),
                every_minute(world, links),
            )
        ]
        try:
            samples = await sampled(world, minutes, tasks, doing)
        finally:
            for task in doing:
                task.cancel()
            await asyncio.gather(*doing, return_exceptions=True)
        for link in links:
            link.resume()
        wrong = judged(samples)
        try:
            await served.until_recording(*alive, timeout_s=60)
        except TimeoutError:
            wrong.append("not all cameras were recorded at the end")
        served.send(signal.SIGTERM)
        if (code := await served.ended()) != 0:
            wrong.append(f"it ended with {code}")
        wrong += served.complaints()
        print(", ".join(f"{count} {what}" for what, count in world.did.items()))
        return wrong


def hole_url(url: str, port: int, hole: int) -> str:
    return url.replace(str(port), str(hole))


async def sampled(
    world: World, minutes: float, tasks: Path, doing: list[asyncio.Task[None]]
) -> list[Sample]:
    """Look at it every 10 s."""
    began_s = time.monotonic()
    samples: list[Sample] = []
    print("     s   memory  descriptors  threads  tasks  children", flush=True)
    while time.monotonic() - began_s < minutes * 60:
        await asyncio.sleep(SAMPLE_S)
        for task in doing:
            if task.done():
                task.result()
        samples.append(look(world.served.pid, began_s, tasks))
        if len(samples) % 6 == 0:
            s = samples[-1]
            print(
                f"{s.at_s:6.0f}  {s.memory / 1e6:5.1f} MB  {s.descriptors:11}  {s.threads:7}  "
                f"{s.tasks:5}  {s.children:8}",
                flush=True,
            )
    return samples


def judged(samples: list[Sample]) -> list[str]:
    """What is wrong, after a table of it all."""
    steady = samples[min(round(WARM_UP_S / SAMPLE_S), len(samples) // 2) :]
    wrong: list[str] = []
    print(f"\nfitted over the last {steady[-1].at_s - steady[0].at_s:.0f} s:")
    memory = fit(steady, "memory")
    print(
        f"memory       {memory.a_day / 1e6:+8.1f} MB a day, ± {memory.error / 1e6:.1f}; "
        f"last quarter {memory.higher / 1e6:+.1f} MB"
    )
    if memory.a_day - memory.error > MOST_A_DAY:
        wrong.append(f"memory grows by {memory.a_day / 1e6:.1f} MB a day")
    if memory.higher > MOST_HIGHER:
        wrong.append(f"memory grew by {memory.higher / 1e6:.1f} MB")
    for of, most in MORE.items():
        found = fit(steady, of)
        print(
            f"{of:12} {found.a_day:+8.1f} a day, ± {found.error:.1f}; "
            f"last quarter {found.higher:+.0f}"
        )
        if found.higher > most:
            wrong.append(f"there are {found.higher:.0f} more {of}")
    return wrong


# the service, which also tells how many tasks it has


async def started(archive: Path, config: Path, tasks: Path) -> Served:
    config.write_text(CONFIG + KEEP)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, __file__, "--serve", str(archive), str(config), str(tasks)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    served = Served(process)
    await served.begun()
    return served


def serve(archive: str, config: str, tasks: Path) -> int:
    """`camkeep serve`, and a thread that writes down how many tasks its loop has."""
    from camkeep.cli.main import main

    real = asyncio.run

    def run(work: Coroutine[Any, Any, Any]) -> Any:
        async def counted() -> Any:
            loop = asyncio.get_running_loop()

            def count() -> None:
                while True:
                    tasks.write_text(str(len(asyncio.all_tasks(loop))))
                    time.sleep(SAMPLE_S / 4)

            threading.Thread(target=count, daemon=True).start()
            return await work

        return real(counted())

    asyncio.run = run  # type: ignore[assignment]
    return main(["serve", "--data", archive, "--config", config])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    minutes = float(os.environ.get("SOAK_MINUTES", "30"))
    parser.add_argument("--minutes", type=float, default=minutes)
    parser.add_argument("--data", type=Path, help="a folder that is kept")
    return parser.parse_args()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        sys.exit(serve(sys.argv[2], sys.argv[3], Path(sys.argv[4])))
    args = arguments()
    place = args.data or Path(tempfile.mkdtemp(prefix="camkeep-soak-"))
    try:
        problems = asyncio.run(soak(args.minutes, place))
    finally:
        if args.data is None:
            shutil.rmtree(place, ignore_errors=True)
    for problem in problems:
        print(f"WRONG: {problem}")
    sys.exit(1 if problems else 0)
