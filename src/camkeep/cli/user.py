"""``camkeep user ...``: who may use the service.

All of it may be done while the service runs: it notices within a second.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from camkeep.archive.view import there_are
from camkeep.cli.archive_common import instant, print_json, table
from camkeep.cli.common import counted, first_line, printable, say
from camkeep.cli.configured import add_place, settings_and_options
from camkeep.cli.settings import camera_names, me, need_server
from camkeep.clock import SystemClock
from camkeep.errors import UsageError
from camkeep.model import CameraId
from camkeep.server.access import Role

if TYPE_CHECKING:
    from camkeep.server.accounts.accounts import Accounts
    from camkeep.server.accounts.values import User

_ROLES = {Role.ADMIN: "administrator", Role.OPERATOR: "operator", Role.VIEWER: "viewer"}
_LONGEST_LINE = 4096


class Desk(NamedTuple):
    """What a subcommand works with."""

    accounts: Accounts
    cameras: dict[CameraId, str]
    """Their names by their ids."""

    def user(self, name: str) -> User:
        """The user of that name. Raises UsageError."""
        found = self.accounts.users.by_name(name)
        if found is None:
            names = [user.name for user in self.accounts.users.all()]
            raise UsageError(f"no user is called {name}: {there_are(names)}")
        return found

    def granted(self, names: list[str] | None) -> frozenset[CameraId] | None:
        """The cameras of those names; None where none is named. Raises UsageError."""
        return None if names is None else frozenset(self._camera(name) for name in names)

    def _camera(self, name: str) -> CameraId:
        for id_, each in self.cameras.items():
            if each.casefold() == name.casefold():
                return id_
        raise UsageError(f"no camera is called {name}: {there_are(list(self.cameras.values()))}")

    def sees(self, user: User) -> str:
        """The cameras that a user sees, in words."""
        if user.sees is None:
            return "all cameras"
        return ", ".join(sorted(self.cameras.get(id_, id_) for id_ in user.sees)) or "no camera"

    async def note(self, action: str, user: User, **detail: str) -> None:
        """Have the audit log say what was done."""
        await self.accounts.audit.note(me(), action, user.name, **detail)


Work = Callable[[argparse.Namespace, Desk], Awaitable[None]]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command and its subcommands."""
    parser = commands.add_parser(
        "user",
        help="who may use the service",
        description="Users of the service, in the archive's settings. The service may run "
        "meanwhile: it notices within a second.",
    )
    subcommands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def subcommand(name: str, told: str, work: Work) -> argparse.ArgumentParser:
        sub = subcommands.add_parser(name, help=told, description=told[0].upper() + told[1:] + ".")
        if name != "list":
            sub.add_argument("name", metavar="NAME", help="as they log in")
        add_place(sub)
        sub.set_defaults(parser=sub, run=lambda args: run(args, work, make=name == "add"))
        return sub

    new = subcommand("add", "make an account; the first is that of an administrator", _add)
    new.add_argument("--new", action="store_true", help="begin an archive in an empty folder")
    _add_role(new, "what they may do (viewer; of the first account: admin)")
    _add_cameras(new, "one that they see; may be repeated (all)")
    _add_password(new)
    listed = subcommand("list", "who there is", _list)
    listed.add_argument("--json", action="store_true", help="for programs")
    _add_password(subcommand("password", "give somebody another password", _password))
    changed = subcommand("set", "change what somebody may do", _set)
    _add_role(changed, "what they may do")
    which = changed.add_mutually_exclusive_group()
    _add_cameras(which, "one that they see, in place of those before; may be repeated")
    which.add_argument("--all-cameras", action="store_true", help="they see all")
    changed.add_argument("--rename", metavar="NAME", help="as they are to log in from now on")
    may = changed.add_mutually_exclusive_group()
    may.add_argument("--disable", action="store_true", help="they may not log in for now")
    may.add_argument("--enable", action="store_true", help="they may log in again")
    subcommand("remove", "remove an account, with its tokens and links", _remove)


def _add_role(parser: argparse.ArgumentParser, told: str) -> None:
    parser.add_argument("--role", choices=("admin", "operator", "viewer"), help=told)


def _add_cameras(parser: argparse._ActionsContainer, told: str) -> None:
    parser.add_argument("--camera", metavar="NAME", action="append", help=told)


def _add_password(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--password-file",
        metavar="FILE",
        type=Path,
        help="its first line is the password; without it, it is asked for on a terminal, and read "
        "from standard input where there is none",
    )


def run(args: argparse.Namespace, work: Work, *, make: bool = False) -> int:
    """Do the `work` of a subcommand with the accounts."""
    need_server()
    with settings_and_options(args, make=make) as (database, _):
        from camkeep.server.accounts.accounts import Accounts

        names = camera_names(database)

        async def all_of_it() -> None:
            accounts = await Accounts.open(database, SystemClock())
            try:
                await work(args, Desk(accounts, names))
            finally:
                accounts.close()

        asyncio.run(all_of_it())
    return 0


async def _add(args: argparse.Namespace, desk: Desk) -> None:
    users = desk.accounts.users
    first = not desk.accounts.any_account()
    role = Role(args.role or (Role.ADMIN if first else Role.VIEWER))
    cameras = desk.granted(args.camera)
    if role is Role.ADMIN and cameras is not None:
        raise UsageError("an administrator sees all cameras: leave out --camera")
    if users.by_name(args.name) is not None:
        raise UsageError(f"there is a user called {args.name} already: choose another name")
    user = await users.create(args.name, _new_password(args), role, cameras)
    await desk.note("user.add", user, role=role)
    say(f"added {user.name}, {_ROLES[role]}, who sees {desk.sees(user)}")


async def _list(args: argparse.Namespace, desk: Desk) -> None:
    users = desk.accounts.users.all()
    if args.json:
        print_json([_json(user, desk) for user in users])
    elif not users:
        say("there is no account yet: camkeep user add NAME")
    else:
        say(table([_row(user, desk) for user in users], indent=""))


def _row(user: User, desk: Desk) -> tuple[str, ...]:
    logged_in = counted(len(desk.accounts.sessions.all(user.id)), "session")
    tokens = counted(len(desk.accounts.tokens.all(user.id)), "token")
    state = "disabled" if user.disabled else f"{logged_in}, {tokens}"
    return printable(user.name), _ROLES[user.role], desk.sees(user), state


def _json(user: User, desk: Desk) -> dict[str, object]:
    names = None if user.sees is None else sorted(desk.cameras.get(id_, id_) for id_ in user.sees)
    return {
        "id": user.id,
        "name": user.name,
        "role": user.role,
        "cameras": names,
        "disabled": user.disabled,
        "created": instant(user.created),
        "password_set": instant(user.password_set),
        "sessions": len(desk.accounts.sessions.all(user.id)),
        "tokens": len(desk.accounts.tokens.all(user.id)),
    }


async def _password(args: argparse.Namespace, desk: Desk) -> None:
    user = desk.user(args.name)
    await desk.accounts.users.set_password(user.id, _new_password(args))
    await desk.note("user.password", user)
    say(f"{user.name} has another password, and must log in again")


async def _set(args: argparse.Namespace, desk: Desk) -> None:
    before = desk.user(args.name)
    after = replace(
        before,
        name=args.rename or before.name,
        role=Role(args.role) if args.role else before.role,
        cameras=None if args.all_cameras else desk.granted(args.camera) or before.cameras,
        disabled=args.disable or (before.disabled and not args.enable),
    )
    if after == before:
        raise UsageError("that is how it was: say --role, --camera or another option")
    if after.role is Role.ADMIN and args.camera:
        raise UsageError("an administrator sees all cameras: leave out --camera")
    user = await desk.accounts.users.change(after)
    await desk.note("user.set", user, role=user.role, sees=desk.sees(user))
    may = "may not log in" if user.disabled else f"{_ROLES[user.role]}, who sees {desk.sees(user)}"
    say(f"{user.name}: {may}")


async def _remove(args: argparse.Namespace, desk: Desk) -> None:
    user = desk.user(args.name)
    await desk.accounts.users.remove(user.id)
    await desk.note("user.remove", user)
    say(f"removed {user.name}")


def _new_password(args: argparse.Namespace) -> str:
    """The password that somebody is to have. Raises UsageError."""
    if args.password_file is not None:
        return first_line(args.password_file)
    if sys.stdin is None:
        raise UsageError("no password was given: say --password-file FILE")
    try:
        if not sys.stdin.isatty():
            return sys.stdin.readline(_LONGEST_LINE).rstrip("\r\n")
        password = getpass.getpass(f"New password of {printable(args.name)}: ")
        again = getpass.getpass("The same again: ")
    except EOFError:
        raise UsageError("no password was given") from None
    except UnicodeDecodeError:
        raise UsageError("the password cannot be read: it is not text") from None
    if password != again:
        raise UsageError("the two passwords differ: nothing was changed")
    return password
