"""One RTSP conversation over one connection: requests, their answers, login, keep-alive.

Answers come in the midst of data, so they are futures that the deframer resolves. One request
is under way at a time; the answer to it is the next one that comes, whatever its CSeq says.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Sequence

from camkeep.cameras.address import Address
from camkeep.cameras.login import Login
from camkeep.cameras.rtsp.framing import Deframer
from camkeep.cameras.rtsp.messages import Message, Request, Response, format_request, parse_session
from camkeep.cameras.source import Notes, SourceOptions
from camkeep.cameras.trouble import Trouble
from camkeep.cameras.wire import Wire, connect
from camkeep.errors import (
    CameraError,
    LoginRefused,
    MediaError,
    NotFound,
    NotSupported,
    StreamBroken,
    WrongProtocol,
)

USER_AGENT = "camkeep"
SESSION_TIMEOUT_S = 60.0
"""How long a session lives without keep-alive where the camera does not say (RFC 2326 §12.37)."""
TEARDOWN_S = 1.0
"""How long leaving may take."""
_REASON = re.compile(r"[A-Za-z]{1,16}(?:[ -][A-Za-z]{1,16}){0,6}")
MAX_TRIES = 3
"""Times that one request is sent: without login, with it, and with a nonce that is not stale."""


class Session:
    """A conversation; `close` ends it properly."""

    def __init__(self, address: Address, options: SourceOptions, notes: Notes) -> None:
        self.url = request_url(address)
        self.login = Login(options.credentials)
        self.timeout_s = SESSION_TIMEOUT_S
        self.control_url = self.url
        """What PLAY, keep-alive and TEARDOWN are about."""
        self._notes = notes
        self._answer_s = options.connect_timeout_s
        trouble = notes.trouble
        self.deframer = Deframer(
            self._message,
            lambda: trouble.update((Trouble.RTSP_UNKNOWN_CHANNEL,)),
            lambda: trouble.update((Trouble.RTSP_JUNK,)),
        )
        self._wire: Wire | None = None
        self._cseq = 0
        self._pending: asyncio.Future[Response] | None = None
        self._turn = asyncio.Lock()
        self._session: str | None = None
        self._methods: frozenset[str] = frozenset()
        self._answered = False

    async def open(self, address: Address, options: SourceOptions) -> None:
        """Connect. Raises what `wire.connect` raises."""
        self._wire = await connect(
            address, self.deframer.feed, options, tls=address.scheme == "rtsps"
        )

    @property
    def wire(self) -> Wire:
        """The connection, once there is one."""
        assert self._wire is not None
        return self._wire

    async def ask(self, method: str, url: str, headers: Sequence[tuple[str, str]] = ()) -> Response:
        """Send a request, log in where the camera wants it, and return the answer.

        The answer has any status but 401. Raises LoginRefused, Stalled, or why the connection
        ended.
        """
        async with self._turn:
            for _ in range(MAX_TRIES):
                response = await self._exchange(method, url, headers)
                if response.status != 401:
                    self.login.accepted()
                    self._notes.login = self.login.scheme
                    return response
                self.login.challenged(response.all("www-authenticate"))
        raise LoginRefused("the camera goes on asking for the login it was given")

    async def _exchange(
        self, method: str, url: str, headers: Sequence[tuple[str, str]]
    ) -> Response:
        self._pending = asyncio.get_running_loop().create_future()
        self._send(method, url, headers)
        try:
            what = f"the camera did not answer {method}"
            response = await self.wire.wait_for(self._pending, self._answer_s, what)
        except StreamBroken:
            if self._answered:
                raise
            raise StreamBroken(
                "the camera hung up instead of answering: is that its RTSP port?"
            ) from None
        finally:
            self._pending = None
        self._answered = True
        self._learn(response)
        return response

    def _send(self, method: str, url: str, headers: Sequence[tuple[str, str]]) -> None:
        self._cseq += 1
        lines = [("CSeq", str(self._cseq)), ("User-Agent", USER_AGENT), *headers]
        if self._session is not None:
            lines.append(("Session", self._session))
        authorization = self.login.header(method, url)
        if authorization is not None:
            lines.append(("Authorization", authorization))
        try:
            self.wire.write(format_request(method, url, lines))
        except MediaError:
            raise StreamBroken("the camera named something that no request can hold") from None

    def _learn(self, response: Response) -> None:
        """What any answer may tell."""
        if (server := response.get("server")) and self._notes.product is None:
            self._notes.product = server[:200]
        if (public := response.get("public")) is not None:
            self._methods = frozenset(word.strip().upper() for word in public.split(","))
        if response.status == 200 and (session := response.get("session")):
            self._session, timeout_s = parse_session(session)
            if timeout_s is not None:
                self.timeout_s = timeout_s

    def _message(self, message: Message) -> None:
        """A message of the camera: the answer that is awaited, or something to be polite about."""
        if isinstance(message, Request):
            cseq = "" if message.cseq is None else f"CSeq: {message.cseq}\r\n"
            self.wire.write(f"RTSP/1.0 501 Not Implemented\r\n{cseq}\r\n".encode())
            return
        if message.status < 200:  # go on waiting: RFC 2326 §7.1.1
            return
        if message.cseq != self._cseq:
            self._notes.trouble[Trouble.RTSP_CSEQ] += 1
            if message.cseq is not None and 0 < message.cseq < self._cseq:
                return  # late, for a request that is no longer waited for
        if self._pending is not None and not self._pending.done():
            self._pending.set_result(message)

    async def keep_alive(self) -> None:
        """Ask something harmless at half the session's timeout, until cancelled.

        What comes of it does not matter: a camera that has gone shows by what it sends.
        """
        method = "GET_PARAMETER" if "GET_PARAMETER" in self._methods else "OPTIONS"
        while True:
            await asyncio.sleep(max(1.0, self.timeout_s / 2))
            with contextlib.suppress(CameraError):
                response = await self.ask(method, self.control_url)
                if response.status in (405, 501):
                    method = "OPTIONS"

    async def close(self) -> None:
        """Leave: TEARDOWN where there is a session, then drop the connection."""
        if self._wire is None:
            return
        receivers = self.deframer.receivers
        receivers.update(dict.fromkeys(receivers, _ignore))  # what comes now was asked for
        self.deframer.runs.clear()
        try:
            if self._session is not None and not self._wire.closed:
                async with asyncio.timeout(TEARDOWN_S):
                    await self.ask("TEARDOWN", self.control_url)
        except (CameraError, TimeoutError):
            pass
        finally:
            self._wire.close()


def _ignore(data: bytes, start: int, stop: int) -> None:
    """Take a packet that nobody needs any more."""


def request_url(address: Address) -> str:
    """The URL of requests: without login, with the query as it was given."""
    scheme = "rtsps" if address.scheme == "rtsps" else "rtsp"
    return f"{scheme}://{address.authority}{address.target}"


def check(response: Response, method: str) -> Response:
    """`response` where it is a success, else the CameraError that says what to do."""
    status = response.status
    if 200 <= status < 300:
        return response
    said = f"{status} {_plain(response.reason)}".strip()
    match status:
        case 403:
            raise LoginRefused(f"the camera forbids this user to look ({said})")
        case 404 | 410:
            raise NotFound(f"the camera has no such stream ({said}): is the path right?")
        case 406 | 415 | 451 | 457 | 459 | 460:
            raise NotSupported(f"the camera cannot do what {method} asked ({said})")
        case 405 | 501 | 505:
            raise WrongProtocol(f"it does not know {method} ({said}): is it a camera?")
        case 453 | 503:
            raise StreamBroken(f"the camera is busy ({said}): is something else watching it?")
        case _:
            raise StreamBroken(f"the camera answered {method} with {said}")


def _plain(reason: str) -> str:
    """A camera's reason, where it is one: some repeat there what they were asked, with the login
    that it held."""
    return reason if _REASON.fullmatch(reason) else ""
