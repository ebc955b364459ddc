"""The code with which the first account is made on the page, where that is not on loopback.

The service shows it on its console, to whoever started it, and nowhere else. In memory stands its
digest. It is good for a quarter of an hour, five tries, and one account.
"""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256

from camkeep.clock import Clock

VALID_S = 15 * 60
TRIES = 5
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # nothing that can be mistaken for another
_LENGTH = 12  # 60 bits


class OneTimeCode:
    """One code, as long as it is good. Use `make_code`."""

    def __init__(self, clock: Clock, salt: bytes, digest: bytes) -> None:
        self._clock = clock
        self._salt = salt
        self._digest = digest
        self._until = clock.mono() + VALID_S * 1_000_000_000
        self._tries = TRIES

    @property
    def over(self) -> bool:
        """Whether no try is left, or its time is over: make another."""
        return self._tries <= 0 or self._clock.mono() >= self._until

    def accepts(self, text: str) -> bool:
        """Whether `text` is the code, which is then used up. A wrong one costs a try."""
        if self.over:
            return False
        self._tries -= 1
        right = hmac.compare_digest(_digest(self._salt, text), self._digest)
        if right:
            self._tries = 0
        return right


def make_code(clock: Clock) -> tuple[OneTimeCode, str]:
    """A new code, and how to write it: ABCD-EFGH-JKLM."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    salt = secrets.token_bytes(16)
    shown = "-".join(letters[start : start + 4] for start in range(0, _LENGTH, 4))
    return OneTimeCode(clock, salt, _digest(salt, letters)), shown


def _digest(salt: bytes, text: str) -> bytes:
    """Of what was typed, in whatever case, with or without what stands between the letters."""
    plain = "".join(char for char in text[:100].upper() if char.isalnum())
    return hmac.digest(salt, plain.encode(), sha256)
