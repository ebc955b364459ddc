"""``camkeep keep CAMERA... --data DIR``."""

from __future__ import annotations

import argparse
import asyncio
import re
import shlex
import signal

from camkeep.archive.retention import Limits, Policy
from camkeep.archive.root import ArchiveRoot, make_root
from camkeep.archive.store import Archive
from camkeep.archive.view import there_are
from camkeep.cameras.address import Address
from camkeep.cameras.source import Source
from camkeep.cli.amounts import age, between, named, room, size
from camkeep.cli.argv import redact
from camkeep.cli.common import (
    add_connection,
    add_data,
    camera_from,
    data_from,
    in_time,
    say,
)
from camkeep.cli.keepmeter import SHOW_S, KeepMeter, summary
from camkeep.cli.keys import Keys
from camkeep.clock import SystemClock
from camkeep.engine.keeper import KeepOptions
from camkeep.engine.schedule import Mode
from camkeep.engine.service import Service
from camkeep.engine.sources import make_source
from camkeep.engine.supervisor import Supervisor
from camkeep.engine.wanted import Wanted
from camkeep.errors import StorageError, UsageError
from camkeep.model import Clip

_NAMED = re.compile(r"(?P<name>[^=/:?&][^=:?&]*|)=(?P<url>.*)")
_DEFAULT_FREE = "5%"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "keep",
        help="record cameras day and night into an archive",
        description="Record cameras continuously into an archive: ordinary MP4 files of about a "
        "minute, in folders by camera and day, and a ledger of when there was nothing to record. "
        "Ctrl-C ends it, and all files are whole; started again, it goes on.",
        epilog="On a terminal, the key r presses the Record button, and releases it: it makes a "
        "clip, which no quota deletes. The signal SIGUSR1 does the same.",
    )
    parser.add_argument(
        "cameras",
        metavar="CAMERA",
        nargs="+",
        help="an address, or NAME=ADDRESS: garage=rtsp://192.0.2.9/main",
    )
    add_data(parser)
    parser.add_argument(
        "--new", action="store_true", help="begin an archive in a folder that is there and empty"
    )
    add_connection(parser)
    _add_limits(parser)
    _add_ways(parser)
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.set_defaults(run=run)


def _add_limits(parser: argparse.ArgumentParser) -> None:
    much = parser.add_argument_group(
        "how much is kept", "The oldest goes first; clips that are held stay."
    )
    much.add_argument("--max-size", metavar="SIZE", type=size, help="of all cameras: 500GB, 1.5TB")
    much.add_argument("--max-age", metavar="TIME", type=age, help="of all cameras: 30d, 12h")
    much.add_argument(
        "--keep-free",
        metavar="SIZE",
        type=room,
        default=room(_DEFAULT_FREE),
        help=f"leave so much of the disk free: 20GB, 10%% ({_DEFAULT_FREE.replace('%', '%%')})",
    )
    much.add_argument(
        "--camera-max-size",
        metavar="NAME=SIZE",
        type=named(size),
        action="append",
        default=[],
        help="of one camera; may be repeated",
    )
    much.add_argument(
        "--camera-max-age",
        metavar="NAME=TIME",
        type=named(age),
        action="append",
        default=[],
        help="of one camera; may be repeated",
    )


def _add_ways(parser: argparse.ArgumentParser) -> None:
    how = parser.add_argument_group("how it is recorded")
    how.add_argument(
        "--segment", metavar="TIME", type=between(5, 600), default=60.0, help="of a file (60s)"
    )
    how.add_argument(
        "--flush",
        metavar="TIME",
        type=between(1, 60),
        default=5.0,
        help="how often to flush to the disk: what a power cut can cost (5s)",
    )
    how.add_argument(
        "--audio", action=argparse.BooleanOptionalAction, default=True, help="keep the sound, too"
    )
    how.add_argument(
        "--when-asked", action="store_true", help="record only while the Record button is pressed"
    )
    how.add_argument(
        "--pre-roll",
        metavar="TIME",
        type=between(0, 300),
        default=5.0,
        help="what a clip has of the time before the button was pressed (5s)",
    )


def run(args: argparse.Namespace) -> int:
    """Keep the cameras until Ctrl-C."""
    wanted = _wanted(args)
    root = make_root(data_from(args), new=args.new)
    meter = KeepMeter(quiet=args.quiet)
    archive = Archive.open(root, SystemClock(), meter.tell)
    cameras: list[Supervisor] = []
    try:
        asyncio.run(_keep(archive, wanted, args, meter, cameras))
    finally:
        meter.end()
        archive.close()
    if not args.quiet:
        say(summary(cameras))
    return 0


async def _keep(
    archive: Archive,
    wanted: list[Wanted],
    args: argparse.Namespace,
    meter: KeepMeter,
    cameras: list[Supervisor],
) -> None:
    """Keep until the first SIGINT, SIGTERM or SIGHUP; a second one ends the process at once.
    `cameras` is filled with those that are kept."""
    policy = _policy(args, archive.root)
    service = Service(archive, policy, SystemClock(), on_change=meter.changed, on_news=meter.tell)
    button = Button(service, meter, _again(args))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup and shells mean it
            loop.add_signal_handler(number, _stop, service, number)
    loop.add_signal_handler(signal.SIGUSR1, button.press)
    showing = asyncio.create_task(_show(service, meter))
    try:
        with Keys({"r": button.press, "q": service.stop}):
            async with service:
                await service.begin(wanted)
                await service.until_stopped()
    finally:
        cameras += service.cameras.values()
        showing.cancel()
        await button.settle()


def _stop(service: Service, number: signal.Signals) -> None:
    asyncio.get_running_loop().remove_signal_handler(number)
    signal.signal(number, signal.SIG_DFL)
    service.stop()


async def _show(service: Service, meter: KeepMeter) -> None:
    while True:
        meter.show(service.cameras.values())
        await asyncio.sleep(SHOW_S)


class Button:
    """The Record button: pressed once it records all cameras, pressed again it stops."""

    def __init__(self, service: Service, meter: KeepMeter, data: str) -> None:
        """`data` is what to add to other commands, so that they find the archive."""
        self._service = service
        self._meter = meter
        self._data = data
        self._tasks: set[asyncio.Task[None]] = set()

    def press(self) -> None:
        """Record, or stop."""
        task = asyncio.ensure_future(self._press())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Wait until what was asked for is done."""
        await asyncio.gather(*self._tasks)

    async def _press(self) -> None:
        cameras = list(self._service.cameras.values())
        begin = not any(camera.clip is not None for camera in cameras)
        try:
            for camera in cameras:
                clip = await (camera.record() if begin else camera.stop())
                if clip is not None:
                    self._meter.tell(self._told(clip, camera))
        except StorageError as error:
            self._meter.tell(str(error))

    def _told(self, clip: Clip, camera: Supervisor) -> str:
        if clip.end is None:
            waits = "" if camera.recording else ", as soon as there is a picture"
            return f"recording the clip {clip.name!r}{waits}"
        length = in_time((clip.end - clip.start) / 1e6)
        export = f"camkeep archive export {clip.id} clip.mp4{self._data}"
        return f"kept the clip {clip.name!r}, {length}:\n{export}"


def _again(args: argparse.Namespace) -> str:
    return f" --data {shlex.quote(str(args.data))}" if args.data is not None else ""


def _wanted(args: argparse.Namespace) -> list[Wanted]:
    """The cameras that were asked for, with their names and limits."""
    sizes, ages = dict(args.camera_max_size), dict(args.camera_max_age)
    found: list[Wanted] = []
    for text in args.cameras:
        name, source = _source(args, text)
        if any(each.name.casefold() == name.casefold() for each in found):
            raise UsageError(f"two cameras are called {name}: name one of them, NAME=ADDRESS")
        limits = Limits(sizes.pop(name, None), ages.pop(name, None))
        how = KeepOptions(
            segment_s=args.segment,
            sync_s=args.flush,
            audio=args.audio,
            pre_roll_s=args.pre_roll,
        )
        mode = Mode.ASKED if args.when_asked else Mode.ALWAYS
        found.append(Wanted(name, source, how, limits, mode=mode))
    for name in (*sizes, *ages):
        raise UsageError(f"no camera is called {name}: {there_are([c.name for c in found])}")
    return found


def _source(args: argparse.Namespace, text: str) -> tuple[str, Source]:
    """One camera that was asked for, and its name. Raises UsageError."""
    both = _NAMED.fullmatch(text)
    name, url = (both["name"].strip(), both["url"]) if both else ("", text)
    if both and not name:
        raise UsageError("before = stands what the camera is called: garage=rtsp://192.0.2.9/main")
    args.camera = url
    try:
        address, options = camera_from(args, audio=args.audio)
        return name or name_of(address), make_source(address, options)
    except UsageError as error:
        which = name or (redact(url) if len(args.cameras) > 1 else "")
        raise UsageError(f"{which}: {error}" if which else str(error)) from None


def name_of(address: Address) -> str:
    """What a camera is called whose owner gave it no name: the same for the same address."""
    if not address.host:
        return address.path.rpartition("/")[2] or address.scheme
    path = address.path.strip("/").replace("/", " ")
    return f"{address.host} {path}".strip() if path and address.scheme != "easyn" else address.host


def _policy(args: argparse.Namespace, root: ArchiveRoot) -> Policy:
    return Policy(Limits(args.max_size, args.max_age), args.keep_free.of(root.room().total))
