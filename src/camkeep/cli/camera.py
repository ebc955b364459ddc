"""``camkeep camera ...``: the cameras that the service watches.

All of it may be done while the service runs: it notices within a second.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from camkeep.archive.view import there_are
from camkeep.cli.archive_common import print_json, table
from camkeep.cli.cameravalues import add_values, values_from
from camkeep.cli.common import CODECS, in_bytes, printable, say
from camkeep.cli.configured import add_place, settings_and_options
from camkeep.cli.settings import camera_names, me
from camkeep.cli.zone import local_zone
from camkeep.clock import SystemClock
from camkeep.engine.probe import probe
from camkeep.errors import CameraError, UsageError
from camkeep.model import CameraId

if TYPE_CHECKING:
    from camkeep.server.camerabook import BlockingBook
    from camkeep.server.camerasettings import CameraSettings
    from camkeep.server.database import Database
    from camkeep.server.urlpolicy import UrlPolicy

WATCH_S = 3.0
"""How long a camera is looked at before it is saved."""

Work = Callable[[argparse.Namespace, "Database", "UrlPolicy"], None]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command and its subcommands."""
    parser = commands.add_parser(
        "camera",
        help="the cameras that the service watches",
        description="Cameras of the service, in the archive's settings. The service may run "
        "meanwhile: it notices within a second.",
    )
    subcommands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def subcommand(name: str, told: str, work: Work) -> argparse.ArgumentParser:
        sub = subcommands.add_parser(name, help=told, description=told[0].upper() + told[1:] + ".")
        if name != "list":
            sub.add_argument("name", metavar="NAME", help="what it is called")
        add_place(sub)
        sub.set_defaults(parser=sub, run=lambda args: run(args, work, make=name == "add"))
        return sub

    new = subcommand("add", "set a camera up, after a look at it", _add)
    new.add_argument(
        "address",
        metavar="ADDRESS",
        help="rtsp://HOST/PATH, http://HOST/PATH, easyn://HOST/, or 0 for the first webcam",
    )
    new.add_argument("--new", action="store_true", help="begin an archive in an empty folder")
    add_values(new)
    listed = subcommand("list", "which cameras there are", _list)
    listed.add_argument("--json", action="store_true", help="for programs")
    changed = subcommand("set", "change what is set of a camera; what is not named stays", _set)
    changed.add_argument("--rename", metavar="NAME", help="what it is called from now on")
    changed.add_argument("--address", metavar="ADDRESS", help="where it is from now on")
    add_values(changed)
    for sub in (new, changed):
        sub.add_argument("--no-test", action="store_true", help="save it without a look at it")
    subcommand("remove", "do not watch a camera any more; its recordings stay", _remove)


def run(args: argparse.Namespace, work: Work, *, make: bool = False) -> int:
    """Do the `work` of a subcommand."""
    with settings_and_options(args, make=make) as (database, options):
        work(args, database, options.cameras)
    return 0


def _add(args: argparse.Namespace, database: Database, policy: UrlPolicy) -> None:
    from camkeep.server.camerasettings import new_settings

    values = {"name": args.name, **_with_zone(values_from(args, new=True))}
    book = _book(database, policy)
    if any(camera.name.casefold() == args.name.strip().casefold() for camera in book.list()):
        raise UsageError(f"there is a camera called {args.name} already: camkeep camera set")
    known = _known(database, args.name)
    seen = _looked_at(new_settings(known or CameraId("new"), values), policy, args)
    camera = book.add(values, known)
    _note(database, "camera.add", camera)
    say(f"added {camera.name}: {_told(camera)}" + (f"\n{seen}" if seen else ""))


def _set(args: argparse.Namespace, database: Database, policy: UrlPolicy) -> None:
    from camkeep.server.applied import same_connection
    from camkeep.server.camerasettings import changed
    from camkeep.server.cameraurl import login_of

    book = _book(database, policy)
    before = _named(book, args.name)
    values = values_from(args, new=False)
    if not before.schedule.spans:
        values = _with_zone(values)
    if not values:
        raise UsageError("that changes nothing: say --mode, --address or another option")
    after = changed(before, values)
    seen = None if same_connection(before, after) else _looked_at(after, policy, args)
    _, after = book.change(before.id, values)
    _note(database, "camera.change", after, changed=", ".join(sorted(values)))
    lines = [f"{after.name}: {_told(after)}", *([seen] if seen else [])]
    if login_of(before.url) is not None and login_of(after.url) is None:
        lines.append("the login was for the address before, and is forgotten")
    say("\n".join(lines))


def _list(args: argparse.Namespace, database: Database, policy: UrlPolicy) -> None:
    cameras = _book(database, policy).list()
    if args.json:
        print_json([camera.public() for camera in cameras])
    elif not cameras:
        say("no camera is set up yet: camkeep camera add NAME ADDRESS")
    else:
        rows = [(printable(camera.name), *_told(camera).split(", ", 1)) for camera in cameras]
        say(table(rows, indent=""))


def _remove(args: argparse.Namespace, database: Database, policy: UrlPolicy) -> None:
    book = _book(database, policy)
    camera = book.remove(_named(book, args.name).id)
    _note(database, "camera.remove", camera)
    say(f"removed {camera.name}; what was recorded of it stays in the archive")


def _book(database: Database, policy: UrlPolicy) -> BlockingBook:
    from camkeep.server.camerabook import CameraBook

    return CameraBook(database, SystemClock(), policy).now


def _named(book: BlockingBook, name: str) -> CameraSettings:
    cameras = book.list()
    for camera in cameras:
        if camera.name.casefold() == name.strip().casefold():
            return camera
    raise UsageError(f"no camera is called {name}: {there_are([c.name for c in cameras])}")


def _known(database: Database, name: str) -> CameraId | None:
    """The camera of the archive that is called so, and is not set up: its recordings go on."""
    wanted = name.strip().casefold()
    return next(
        (i for i, each in camera_names(database).items() if each.casefold() == wanted), None
    )


def _with_zone(values: dict[str, object]) -> dict[str, object]:
    """A schedule means the time of this machine where nothing else was said."""
    return {"zone": local_zone(), **values} if "schedule" in values else values


def _looked_at(camera: CameraSettings, policy: UrlPolicy, args: argparse.Namespace) -> str | None:
    """What the camera sends, in a sentence. Raises CameraError where it sends nothing."""
    from camkeep.server.applied import check_addresses, source_of

    check_addresses(camera, policy)
    if args.no_test:
        return None
    try:
        report = asyncio.run(probe(source_of(camera, policy), WATCH_S))
    except CameraError as error:
        error.camera = error.camera or camera.name
        error.message += " (nothing was saved: --no-test saves it nevertheless)"
        raise
    video, audio = report.video, report.audio
    shown = f"{CODECS[video.codec]} {video.width}x{video.height}" if video else "pictures"
    rate = f", {report.measured_fps:.1f} frames a second" if report.measured_fps else ""
    sound = f", with sound ({CODECS[audio.codec]})" if audio else ", no sound"
    return f"it sends {shown}{rate}{sound}"


def _told(camera: CameraSettings) -> str:
    """Where it is, and what is done with it, for a person."""
    public = camera.public()
    spans = ", ".join(public["schedule"])
    mode = f"{spans} ({public['zone']})" if public["mode"] == "schedule" else _MODES[public["mode"]]
    facts = [public["address"] or "its address is lost: set it anew", mode]
    if public["user"]:
        facts[0] += f" as {public['user']}"
    if camera.max_bytes is not None:
        facts.append(f"at most {in_bytes(camera.max_bytes)}")
    if camera.max_age_s is not None:
        facts.append(f"{camera.max_age_s / 86400:g} days")
    return ", ".join(facts)


_MODES = {
    "always": "recorded day and night",
    "asked": "recorded when asked",
    "off": "switched off",
}


def _note(database: Database, action: str, camera: CameraSettings, **detail: str) -> None:
    """Have the audit log say what was done."""
    from camkeep.server.accounts.audit import Audit

    audit = Audit(database, SystemClock())
    asyncio.run(audit.note(me(), action, camera.id, name=camera.name, **detail))
