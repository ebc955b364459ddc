"""Login challenges: what is answered is one line, whatever was asked."""

from __future__ import annotations

from collections.abc import Iterable

from camkeep.cameras.address import Credentials
from camkeep.cameras.login import Login, parse_challenges
from camkeep.errors import LoginRefused
from fuzz.reading import Reader, chunks, long, records


def one_input(data: bytes) -> None:
    text = b"".join(chunks(data))[: 64 * 1024]  # what a head may hold
    for challenge in parse_challenges([text.decode("latin-1")]):
        assert challenge.scheme == challenge.scheme.lower() != ""
        assert all(name == name.lower() != "" for name in challenge.parameters)
    login = Login(Credentials("user", "Zx9-very-secret"))
    for record in Reader(text).records():
        try:
            login.challenged([part.decode("latin-1") for part in record.split(b"\n")])
        except LoginRefused as error:
            _hides(str(error))
            return
        answer = login.header("GET", "/video?x=1")
        assert answer is not None
        assert answer.startswith(("Basic ", "Digest ")), answer
        _hides(answer + login.scheme)
        if record[-1:] == b"+":
            login.accepted()


def _hides(text: str) -> None:
    assert "very-secret" not in text


def seeds() -> Iterable[bytes]:
    digest = b'Digest realm="a, \\"b", nonce="1f", qop="auth,auth-int", algorithm=SHA-256'
    for text in (
        b'Basic realm="x"',
        digest,
        b'Digest realm=x, nonce="2", opaque="q", stale=TRUE',
        b'Negotiate, Basic realm="x", Digest nonce=3,algorithm=md5',
    ):
        yield b"\0" + text
        yield b"\0" + records([text, digest + b"+", text + b"\n" + digest])
    yield long(b"", b'"\\')
    yield long(b'Digest a="', b'a=\\"')
    yield long(b"Digest a=1, ", b"a")
    yield long(b"Digest a=1, ", b", ")
    yield long(b"Digest ", b" ", b"=")
