"""Takes secrets out of text before anybody reads it. Pure but for the list of known secrets.

Two nets, one behind the other. Patterns catch what looks like a secret whoever wrote it: a login
in a URL, `password=...`, an Authorization or Cookie header, a token of ours, the secret of a
share link. And `learn` tells of those that look like nothing: the passwords of cameras. Where it
is not certain that something is harmless, it goes: a log is read to find a fault, not a value.
"""

from __future__ import annotations

import json
import re
import threading
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

KNOWN_SECRETS = 2000
"""How many are remembered; those that were learned first go."""
SHORTEST = 4
"""A shorter one is in every second word: to take it out would tell more than it hides."""
LONGEST = 1000
HIDDEN = "***"

_QUOTED = r"b?\"(?:[^\"\\]|\\.)*\"|b?'(?:[^'\\]|\\.)*'"
_KEY = (
    r"pass\w{0,16}|pwd|pas|secret\w{0,16}|tokens?|key|auth|credentials?|"
    r"sig|signature|nonce|response|session|camkeep|csrf\w{0,16}"
)
_PATTERNS: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = (
    # Each with what a text, in lower case, must hold before the pattern is tried: most hold none.
    # Whatever stands before the last @ of a URL: a password may hold / and @, too
    (("://",), re.compile(r"://[^\s\"'<>]{1,512}@"), f"://{HIDDEN}@"),
    # A header, as text or in the repr of a list of pairs: all the rest of the line
    (
        ("authorization", "cookie", "authenticate", "api-key"),
        re.compile(
            r"\b((?:proxy-)?authorization|(?:set-)?cookie|www-authenticate|x-api-key)"
            r"(?:b?[\"'])?\s{0,8}[:=,][^\r\n]*",
            re.IGNORECASE,
        ),
        rf"\1: {HIDDEN}",
    ),
    (
        ("basic", "bearer"),
        re.compile(r"\b(basic|bearer)\s{1,8}[\w+/=.~-]{8,}", re.IGNORECASE),
        rf"\1 {HIDDEN}",
    ),
    # password=..., also inside a path or query; with ":" only where the name is quoted as in JSON
    (("=",), re.compile(rf"({_KEY})=(?:{_QUOTED}|[^\s&]*)", re.IGNORECASE), rf"\1={HIDDEN}"),
    (
        ('"', "'"),
        re.compile(
            rf"({_KEY})([\"'])\s{{0,8}}[:,]\s{{0,8}}(?:{_QUOTED}|[^\s,}}\]]*)", re.IGNORECASE
        ),
        rf"\1\2: {HIDDEN}",
    ),
    (("ck_",), re.compile(r"\bck_[A-Za-z0-9_-]{4,}"), f"ck_{HIDDEN}"),
    (("/s",), re.compile(r"(/(?:shared?|shares|s)/)[A-Za-z0-9_.~-]{12,}"), rf"\1{HIDDEN}"),
)


class Redactor:
    """Knows secrets, and takes them out of texts. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, None] = OrderedDict()
        self._longest_first: tuple[str, ...] = ()

    def learn(self, secret: str, user: str | None = None) -> None:
        """`secret` is never to be seen, also as it is written in a URL or JSON, nor with the
        name of its `user` as HTTP's Basic login has it."""
        if not SHORTEST <= len(secret) <= LONGEST:
            return
        with self._lock:
            for text in _spellings(secret, user):
                self._known[text] = None
                self._known.move_to_end(text)
            while len(self._known) > KNOWN_SECRETS:
                self._known.popitem(last=False)
            self._longest_first = tuple(sorted(self._known, key=len, reverse=True))

    def __call__(self, text: str) -> str:
        """`text` without secrets."""
        for secret in self._longest_first:  # far faster than one pattern of them all
            if secret in text:
                text = text.replace(secret, HIDDEN)
        lower = text.lower()
        for signs, pattern, instead in _PATTERNS:
            if any(sign in lower for sign in signs):
                text = pattern.sub(instead, text)
        return text

    def __repr__(self) -> str:
        return f"<Redactor of {len(self._known)}>"


def _spellings(secret: str, user: str | None) -> Iterator[str]:
    """As it is, and as it may be written elsewhere."""
    yield from dict.fromkeys(
        (
            secret,
            quote(secret, safe="", errors="surrogatepass"),
            quote(secret, errors="surrogatepass"),
            quote_plus(secret, errors="surrogatepass"),
            json.dumps(secret)[1:-1],
            json.dumps(secret, ensure_ascii=False)[1:-1],
            repr(secret)[1:-1],
            repr(secret.encode(errors="surrogatepass"))[2:-1],
        )
    )
    if user is not None:
        yield b64encode(f"{user}:{secret}".encode(errors="surrogatepass")).decode()


redactor = Redactor()
"""That of this process. Whoever gets to know a secret of another system tells it here."""
