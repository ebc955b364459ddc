"""Figures as Prometheus reads them: the text format 0.0.4. Pure.

Written by hand, because it is a page of code and the client library keeps global state that we
would have to feed twice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Exposition:
    """A page of figures: families, in the order in which they were added."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._family = ""
        self._names: set[str] = set()

    def family(self, name: str, kind: str, told: str) -> None:
        """What `add` adds to from here on. `kind` is "counter", "gauge" or "histogram"."""
        if name in self._names:
            raise ValueError(f"{name} is on the page already")
        if kind == "counter" and not name.endswith("_total"):
            raise ValueError(f"{name}: a counter's name ends in _total")
        self._names.add(name)
        self._family = name
        told = told.replace("\\", "\\\\").replace("\n", "\\n")
        self._lines += [f"# HELP {name} {told}", f"# TYPE {name} {kind}"]

    def add(self, value: float | None, **labels: str) -> None:
        """One figure of the family; nothing where it is not known."""
        if value is not None:
            self._put(self._family, value, labels)

    def histogram(
        self, bounds: Sequence[float], counts: Sequence[int], sum: float, **labels: str
    ) -> None:
        """A histogram of the family: how many were in each bucket, one more than `bounds`."""
        total = 0
        for bound, count in zip((*bounds, math.inf), counts, strict=True):
            total += count
            self._put(f"{self._family}_bucket", total, {**labels, "le": _number(bound)})
        self._put(f"{self._family}_sum", sum, labels)
        self._put(f"{self._family}_count", total, labels)

    def one(self, name: str, kind: str, told: str, value: float | None) -> None:
        """A family of one figure without labels; nothing where it is not known."""
        if value is not None:
            self.family(name, kind, told)
            self.add(value)

    def text(self) -> str:
        """The page."""
        return "\n".join(self._lines) + "\n"

    def _put(self, name: str, value: float, labels: dict[str, str]) -> None:
        shown = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        self._lines.append(
            f"{name}{{{shown}}} {_number(value)}" if shown else f"{name} {_number(value)}"
        )


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return text.encode(errors="replace").decode()


def _number(value: float) -> str:
    if isinstance(value, bool | int):
        return str(int(value))
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value)
