"""The address of a camera together with its login, as it is stored; and how a changed one comes
about without anybody typing the password again. Pure.

A stored password is never sent elsewhere: it stays where kind, host, port and user stay, and is
forgotten where one of them changes.
"""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import quote

from camkeep.cameras.address import (
    DEFAULT_PORTS,
    Address,
    Credentials,
    parse_address,
    redact_path,
    redact_query,
)
from camkeep.errors import UsageError

HIDDEN = "***"
"""What is shown in place of a secret."""
LONGEST = 4000
"""Characters of an address."""
LONGEST_LOGIN = 200


def with_login(address: Address, login: Credentials | None) -> str:
    """What `parse_address` reads as both. A secret: never show it."""
    if not address.host:
        return address.target if address.scheme == "v4l2" else f"{address.scheme}:{address.target}"
    who = ""
    if login is not None:
        password = f":{quote(login.password, safe='')}" if login.password else ""
        who = f"{quote(login.user, safe='')}{password}@"
    return f"{address.scheme}://{who}{address.authority}{address.target}"


def same_place(one: Address, other: Address) -> bool:
    """Whether a password for one may be sent to the other."""
    return (one.scheme, one.host.lower(), one.port) == (
        other.scheme,
        other.host.lower(),
        other.port,
    )


def renewed(
    text: str | None,
    old: str | None,
    user: str | None = None,
    password: str | None = None,
    *,
    unfilled: bool = False,
) -> str:
    """The address `text` (None: as `old` has it) with its login.

    What is not given is taken from `old` where it is the same camera (`same_place`): the user,
    the password of the same user, and what stands as *** in path and query. An empty `user` is
    for no login. A *** that nobody knows stays where it is allowed to be `unfilled`. Raises
    UsageError, which repeats nothing that was given.
    """
    if text is None and old is None:
        raise UsageError("a camera needs an address")
    if text is not None and len(text) > LONGEST:
        raise UsageError(f"a camera's address has at most {LONGEST} characters")
    address, given = parse_address(text if text is not None else old or "")
    before, known = parse_address(old) if old else (None, None)
    if before is None or not same_place(address, before):
        known = None
    else:
        address = _filled(address, before)
    if f"={HIDDEN}" in address.target and not unfilled:
        raise UsageError(f"the address has {HIDDEN} in place of a secret: write the secret itself")
    login = _login(given, known, user, password)
    if login is not None and address.scheme not in DEFAULT_PORTS:
        raise UsageError("a webcam or a test picture has no login: leave user and password out")
    return with_login(address, login)


def _login(
    given: Credentials | None, known: Credentials | None, user: str | None, password: str | None
) -> Credentials | None:
    """The first that is there, of each of the two: said beside the address, in it, known."""
    who = next((u for u in (user, given and given.user, known and known.user) if u is not None), "")
    if not who:
        if password:
            raise UsageError("a password needs a user")
        return None
    if password is None and given is not None and given.user == who:
        password = given.password or None
    if password in (None, HIDDEN):
        if known is not None and known.user == who:
            password = known.password
        elif password == HIDDEN:
            raise UsageError(f"the password is {HIDDEN}, which stands for one that nobody knows")
    for each in (who, password or ""):
        if len(each) > LONGEST_LOGIN or re.search(r"[\x00\ud800-\udfff]", each):
            raise UsageError(f"user and password are text of at most {LONGEST_LOGIN} characters")
    return Credentials(who, password or "")


def _filled(address: Address, before: Address) -> Address:
    """`address` with the secrets that stand in it as ***, where `before` knows them."""
    path = before.path if address.path == redact_path(before.path) else address.path
    known = dict(part.partition("=")[::2] for part in re.split("[&;]", before.query))
    parts = re.split("([&;])", address.query)
    for at in range(0, len(parts), 2):
        name, _, value = parts[at].partition("=")
        if value == HIDDEN and name in known and redact_query(parts[at]) == parts[at]:
            parts[at] = f"{name}={known[name]}"
    return replace(address, path=path, query="".join(parts))


def shown(url: str) -> str:
    """The address in `url` for a person, without a secret."""
    return str(parse_address(url)[0]) if url else ""


def bare(url: str) -> str:
    """The address in `url` without its login, with what else in it may be a secret."""
    return with_login(parse_address(url)[0], None)


def login_of(url: str) -> Credentials | None:
    """The login in `url`."""
    return parse_address(url)[1] if url else None
