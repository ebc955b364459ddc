"""What camkeep must keep and be able to read itself (the passwords of cameras), sealed with a key.

The key is a file of its own beside the database: whoever gets hold of the database alone, say of
a backup without the key, reads no secret. It does not protect from somebody who reads both.

AES-256-GCM with a random nonce. Where a value stands (table and row) is authenticated with it, so
that one cannot be put in the place of another.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from camkeep.archive.disk import create_error
from camkeep.errors import UsageError

_KEY_BYTES = 32
_NONCE_BYTES = 12
_FORM = b"\x01"  # of a sealed value, so that there can be another


class Secrets:
    """Seals and unseals with one key. Any thread."""

    def __init__(self, key: bytes) -> None:
        """`key` is 32 bytes."""
        self._cipher = AESGCM(key)

    def seal(self, text: str, place: str) -> bytes:
        """`text`, sealed for the one `place` where it will stand: "cameras/k3v9..."."""
        nonce = os.urandom(_NONCE_BYTES)
        return _FORM + nonce + self._cipher.encrypt(nonce, text.encode(), place.encode())

    def unseal(self, sealed: bytes, place: str) -> str:
        """What was sealed for that `place`. Raises UsageError where it is not that."""
        nonce, rest = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            if sealed[:1] != _FORM:
                raise InvalidTag
            return self._cipher.decrypt(nonce, rest, place.encode()).decode()
        except (InvalidTag, ValueError):
            raise UsageError(
                f"the secret of {place} cannot be read: it was sealed with another key, or is "
                "damaged; set it anew"
            ) from None


def read_key(path: Path) -> bytes | None:
    """The key in the file; None where there is no file. Raises UsageError or NotWritable."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:  # a backup was restored without its mode
                with suppress(OSError):
                    os.fchmod(file.fileno(), 0o600)
            text = file.read(1000)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"the key {path} cannot be read: {error.strerror}") from error
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise UsageError(f"the file {path} holds no key: restore it from a backup")
    return key


def make_key(path: Path) -> bytes:
    """A new key, in a file that only this user can read, in place of what is there.

    Whoever calls sees to it that no other process does the same at that moment. Raises
    NotWritable or DiskFull.
    """
    key = secrets.token_bytes(_KEY_BYTES)
    part = path.with_name(f".{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(fd, 0o600)
            os.write(fd, key.hex().encode() + b"\n")
            os.fsync(fd)
        finally:
            os.close(fd)
        part.rename(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise create_error(error, path) from error
    return key


def _sync_folder(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
