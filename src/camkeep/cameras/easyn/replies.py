"""What the CGI programs of EasyN and Foscam cameras answer: lines of JavaScript. Pure."""

from __future__ import annotations

import re

from camkeep.errors import LoginRefused, MediaError, NotSupported

MAX_REPLY = 256 * 1024
# Possessive throughout: what is no such line is given up at once, instead of after every way to
# share its blanks out.
_line = re.compile(
    r"""(?:\bvar\s++|^\s*+|;\s*+)([A-Za-z_]\w{0,63})\s*+=\s*+
        (?:'((?:[^'\\]|\\.)*+)'|"((?:[^"\\]|\\.)*+)"|([^;'"\r\n]*+))\s*+(?:;|$)""",
    re.MULTILINE | re.VERBOSE | re.ASCII,
)
_refused = re.compile(r"auth(?:entication)?[ _]*fail|illegal user|check_user *fail", re.IGNORECASE)


def parse_reply(body: bytes) -> dict[str, str]:
    """Names and values of ``var name='text';`` and ``var n=1;`` lines; other lines are passed over.

    Raises MediaError where the reply is absurdly long.
    """
    if len(body) > MAX_REPLY:
        raise MediaError("the camera's reply is far too long")
    found = {}
    for line in _text(body).splitlines():
        for match in _line.finditer(line):
            quoted = match[2] if match[2] is not None else match[3]
            if quoted is not None:
                found[match[1]] = re.sub(r"\\(.)", r"\1", quoted)
            else:
                found[match[1]] = match[4].strip()
    return found


def check_reply(body: bytes, what: str) -> None:
    """Raise where a reply with status 200 is an error after all.

    LoginRefused, or NotSupported with `what` the camera was asked for ("brightness 300").
    """
    text = _text(body[:4096]).strip()
    if _refused.search(text):
        raise LoginRefused("the camera refused the user or password")
    if text.lower().startswith("error") or re.search(r"result\s*=\s*['\"]?error", text):
        raise NotSupported(f"the camera refuses {what}: this model may not have it")


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("latin-1")
