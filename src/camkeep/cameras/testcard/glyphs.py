"""The letters of the test card: digits, a multiplication sign, and those of its name.

Strokes without width on a grid where a digit is 6 wide and 10 high. Small letters stand on the
digits' base line and are 5 high, without what goes above and below.
"""

from __future__ import annotations

from typing import NamedTuple

from camkeep.cameras.testcard.canvas import Arc, Line, Path

HEIGHT = 10.0
"""From a digit's top to the base line."""


class Glyph(NamedTuple):
    """A character's strokes, and how wide they are together."""

    width: float
    paths: tuple[Path, ...]


GLYPHS = {
    "0": Glyph(
        6, (Arc(3, 3, 3, 180, 180), Arc(3, 7, 3, 0, 180), Line(0, 3, 0, 7), Line(6, 3, 6, 7))
    ),
    "1": Glyph(6, (Line(3.7, 0, 3.7, 10), Line(3.7, 0, 1.2, 2.1))),
    "2": Glyph(6, (Arc(3, 3, 3, 190, 208), Line(5.36, 4.85, 0, 10), Line(0, 10, 6, 10))),
    "3": Glyph(6, (Arc(3, 2.35, 2.35, 195, 255), Arc(3, 7.35, 2.65, 270, 250))),
    "4": Glyph(6, (Line(4.5, 0, 0, 7.2), Line(0, 7.2, 6, 7.2), Line(4.5, 0, 4.5, 10))),
    "5": Glyph(6, (Line(5.4, 0, 1, 0), Line(1, 0, 0.7, 4.83), Arc(3, 6.9, 3.1, 222, 292))),
    "6": Glyph(6, (Arc(3, 6.95, 3.05), Line(0.41, 5.33, 3.74, 0))),
    "7": Glyph(6, (Line(0, 0, 6, 0), Line(6, 0, 1.9, 10))),
    "8": Glyph(6, (Arc(3, 2.3, 2.3), Arc(3, 7.3, 2.7))),
    "9": Glyph(6, (Arc(3, 3.05, 3.05), Line(5.59, 4.67, 2.26, 10))),
    "×": Glyph(4, (Line(0, 4.5, 4, 8.5), Line(0, 8.5, 4, 4.5))),
    "a": Glyph(5, (Arc(2.5, 7.5, 2.5), Line(5, 5, 5, 10))),
    "c": Glyph(4.4, (Arc(2.5, 7.5, 2.5, 45, 270),)),
    "e": Glyph(5, (Arc(2.5, 7.5, 2.5, 45, 315), Line(0, 7.5, 5, 7.5))),
    "k": Glyph(4, (Line(0, 2, 0, 10), Line(0, 7.9, 3.6, 5), Line(1.3, 6.9, 4, 10))),
    "m": Glyph(
        7.6,
        (
            Line(0, 5, 0, 10),
            Arc(1.9, 6.9, 1.9, 180, 180),
            Line(3.8, 6.9, 3.8, 10),
            Arc(5.7, 6.9, 1.9, 180, 180),
            Line(7.6, 6.9, 7.6, 10),
        ),
    ),
    "p": Glyph(5, (Arc(2.5, 7.5, 2.5), Line(0, 5, 0, 13))),
}

GAP = 2.0
"""Between two characters of a word."""


def word(text: str, x: float, y: float, scale: float) -> tuple[Path, ...]:
    """The strokes of `text`, the top of its digits at `y`, each unit `scale` pixels."""
    paths: list[Path] = []
    for letter in text:
        glyph = GLYPHS[letter]
        paths += (path.placed(x, y, scale) for path in glyph.paths)
        x += (glyph.width + GAP) * scale
    return tuple(paths)


def word_width(text: str) -> float:
    """How wide `word` draws it, in units."""
    return sum(GLYPHS[letter].width + GAP for letter in text) - GAP
