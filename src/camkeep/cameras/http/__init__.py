"""The HTTP that cameras speak: `message` reads answers, `client` asks and logs in."""

from camkeep.cameras.http.client import (
    MAX_BODY,
    Exchange,
    HttpClient,
    Response,
    fetch,
    product,
)
from camkeep.cameras.http.message import AnswerReader, Body, Head, ignore

__all__ = [
    "MAX_BODY",
    "AnswerReader",
    "Body",
    "Exchange",
    "Head",
    "HttpClient",
    "Response",
    "fetch",
    "ignore",
    "product",
]
