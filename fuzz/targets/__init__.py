"""One module for each target: `one_input(data)` and `seeds()`. None of them needs atheris.

`one_input` makes sense of any bytes, hands them to a parser, and raises where the parser does
what it must not: any exception but a documented one, or a result that is not well-formed.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple


class Target(NamedTuple):
    """One thing that is fuzzed."""

    name: str
    one_input: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]


def names() -> list[str]:
    """All targets."""
    return sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def load(name: str) -> Target:
    """The target called `name`."""
    module = importlib.import_module(f"fuzz.targets.{name}")
    return Target(name, module.one_input, module.seeds)
