"""Which dialect an EasyN camera speaks, which login it takes, and requests with that login."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from camkeep.cameras.address import Address
from camkeep.cameras.easyn.codes import DIALECTS, Dialect
from camkeep.cameras.easyn.replies import MAX_REPLY, check_reply, parse_reply
from camkeep.cameras.http import HttpClient, Response, product
from camkeep.cameras.source import SourceOptions
from camkeep.errors import LoginRefused, NotFound, UsageError, WrongProtocol

STATUS = "/get_status.cgi"
NEEDS_LOGIN = "/get_camera_params.cgi"
"""What is asked for to see whether a login is taken: it changes nothing and holds no secret."""
_B_WORDS = frozenset({"deviceid", "realdeviceid", "sdstatus", "upnp_status"})
"""Words in the status of dialect B that A does not have."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a camera turned out to be."""

    dialect: Dialect
    login: str
    """Which login it took: "none", "query", "Basic" ..."""
    product: str | None
    """Its Server header."""
    status: Mapping[str, str] = field(default_factory=dict, repr=False)


class EasynSession:
    """Requests to one camera. Probes it at the first one, and again after a login was refused."""

    def __init__(
        self, address: Address, options: SourceOptions, dialect: str | None = None
    ) -> None:
        if dialect is not None and dialect not in DIALECTS:
            raise UsageError(f"a dialect is one of {', '.join(DIALECTS)}")
        self._base = address
        self._options = options
        self._open_options = replace(options, credentials=None)
        self._wanted = dialect
        self._found: Probe | None = None
        self.client = HttpClient(self._open_options)
        """Asks with the login that the camera takes, unless that goes in the query."""

    async def probe(self) -> Probe:
        """What the camera is; asked only once.

        Raises LoginRefused, WrongProtocol where it is no such camera, or what HTTP brings.
        """
        if self._found is None:
            self._found = await self._probe()
        return self._found

    def forget(self) -> None:
        """Probe again before the next request."""
        self._found = None

    def login_expired(self) -> bool:
        """A login was refused: whether it was taken before and may only have expired."""
        found, self._found = self._found, None
        return found is not None and found.dialect.name == "B"

    async def get(
        self, path: str, what: str, parameters: Mapping[str, object] | None = None
    ) -> bytes:
        """Ask for `path`, and return the reply if it is no error.

        `what` says in errors what was asked for. Dialect B lets logins expire, so there a refused
        one is tried once more. Raises NotSupported where the camera refuses or has not got it.
        """
        found = await self.probe()
        try:
            return await self._get(found, path, what, parameters)
        except LoginRefused:
            if not self.login_expired():
                raise
        return await self._get(await self.probe(), path, what, parameters)

    def address(self, found: Probe, path: str, parameters: Mapping[str, object]) -> Address:
        """The address of a request, with the login where that belongs into the query."""
        return self._address(path, {**self._login(found.dialect, found.login), **parameters})

    async def _get(
        self, found: Probe, path: str, what: str, parameters: Mapping[str, object] | None
    ) -> bytes:
        address = self.address(found, path, parameters or {})
        response = await self.client.fetch(address, limit=MAX_REPLY)
        check_reply(response.body, what)
        return response.body

    def _address(self, path: str, parameters: Mapping[str, object]) -> Address:
        pairs = (f"{name}={quote(str(value), safe='')}" for name, value in parameters.items())
        return self._base.with_target(path, "&".join(pairs))

    def _login(self, dialect: Dialect, way: str) -> dict[str, str]:
        who = self._options.credentials
        if who is None or way != "query":
            return {}
        return dict(zip(dialect.login, (who.user, who.password), strict=True))

    async def _probe(self) -> Probe:
        likely, seen = await self._look()
        named = product(seen.head) if seen else None
        status = parse_reply(seen.body) if seen else {}
        plain = HttpClient(self._open_options)
        if self._options.credentials is None:
            await self._try(plain, {})
            self.client = plain
            return Probe(DIALECTS[self._wanted or likely or "A"], "none", named, status)
        for name in self._dialects(likely):
            dialect = DIALECTS[name]
            if await self._taken(plain, self._login(dialect, "query")):
                self.client = plain
                return Probe(dialect, "query", named, status)
        client = HttpClient(self._options)
        if not await self._taken(client, {}):
            if client.login.scheme != "none":
                raise LoginRefused("the camera refused the user or password")
            client.login.use_basic()  # it may want it without asking for it
            await self._try(client, {})
        self.client = client
        way = client.login.scheme
        return Probe(DIALECTS[self._wanted or likely or "A"], way, named, status)

    def _dialects(self, likely: str | None) -> list[str]:
        """The dialects worth a try, the likely one first. Few: cameras lock out who tries much."""
        if self._wanted is not None:
            return [self._wanted]
        return ["A"] if likely == "A" else sorted(DIALECTS, key=lambda name: name != likely)

    async def _look(self) -> tuple[str | None, Response | None]:
        """The likely dialect, and the status if it is open to everyone."""
        client = HttpClient(self._open_options)
        try:
            seen = await client.fetch(self._address(STATUS, {}), limit=MAX_REPLY)
            check_reply(seen.body, "to tell its status")
        except LoginRefused:
            return None, None
        except NotFound:
            raise _not_easyn() from None
        status = parse_reply(seen.body)
        if not status:
            raise _not_easyn()
        if "netwave" in seen.head.get("server").lower():
            return "A", seen
        return ("B" if _B_WORDS & status.keys() else None), seen

    async def _taken(self, client: HttpClient, login: dict[str, str]) -> bool:
        try:
            await self._try(client, login)
        except LoginRefused:
            return False
        return True

    async def _try(self, client: HttpClient, login: dict[str, str]) -> None:
        """Raises LoginRefused where the login is not taken."""
        try:
            response = await client.fetch(self._address(NEEDS_LOGIN, login), limit=MAX_REPLY)
        except NotFound:
            raise _not_easyn() from None
        check_reply(response.body, "to tell its settings")


def _not_easyn() -> WrongProtocol:
    return WrongProtocol(
        "this is no EasyN or Foscam camera with MJPEG: HD models speak another protocol, "
        "try rtsp:, or http: with the address of its stream"
    )
