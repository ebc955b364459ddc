"""Keeps passwords out of the process list.

A password typed into a URL stands in the command line, which everybody on the machine can
read. So before anything else, camkeep runs itself again with the secrets replaced by ``***``
and reads the true arguments from an inherited pipe.
"""

from __future__ import annotations

import json
import os
import re
import sys

_FD = "CAMKEEP_ARGV_FD"
_USERINFO = re.compile(r"(?<=://)([^/?#@\s:]*):(\S*)(?=@)")  # up to the last @, whatever is in it


def redact(argument: str) -> str:
    """`argument` with the password of a URL, and what looks like one in its path or query,
    replaced."""
    from camkeep.cameras.address import redact_path, redact_query

    shown = _USERINFO.sub(r"\1:***", argument)
    head, mark, query = shown.partition("?")
    if "://" not in head:
        return shown
    return redact_path(head) + mark + redact_query(query)


def true_arguments() -> list[str]:
    """The arguments of this process, without its name. Runs the process anew where its
    arguments hold a secret; then it does not return."""
    passed = os.environ.pop(_FD, None)
    if passed is not None and passed.isdigit():
        with open(int(passed), encoding="utf-8") as pipe:  # noqa: PTH123 - a descriptor
            told = json.load(pipe)
        return [str(argument) for argument in told]
    arguments = sys.argv[1:]
    shown = [redact(argument) for argument in arguments]
    if shown == arguments or os.name != "posix" or not sys.executable:
        return arguments
    original = sys.orig_argv[: len(sys.orig_argv) - len(arguments)]
    readable, writable = os.pipe()
    secret = json.dumps(arguments).encode()
    if len(secret) > 4096:  # more than a pipe is sure to take at once
        os.close(readable)
        os.close(writable)
        return arguments
    os.write(writable, secret)
    os.close(writable)
    os.set_inheritable(readable, True)
    os.environ[_FD] = str(readable)
    return os.execv(sys.executable, [*original, *shown])
