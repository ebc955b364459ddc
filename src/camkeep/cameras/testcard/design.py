"""What the test card looks like: its colours, where everything is, and how it is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from camkeep.cameras.testcard import number as numbers
from camkeep.cameras.testcard.canvas import Arc, Canvas, Colour, Line, Path, colour
from camkeep.cameras.testcard.glyphs import HEIGHT, word, word_width
from camkeep.cameras.testcard.jpeg import EDGE

INK = colour(0x11141A)
PAPER = colour(0xF5F4F0)
FAINT = colour(0x3A414D)
QUIET = colour(0x8B94A3)
SIGNAL = colour(0xFF5A3C)
BLACK, WHITE = colour(0x000000), colour(0xFFFFFF)
BARS = tuple(
    colour(rgb) for rgb in (0xE9E7E1, 0xF0C24B, 0x49BFC6, 0x55B56B, 0xC159A3, 0xDF5148, 0x3B62D0)
)
GREYS = tuple(colour(0x010101 * round(n * 25.5)) for n in range(11))
DIGITS = 7
LAP = 120
"""Frames that the dot takes for a turn."""
AIM_STEP = 4
"""Pixels by which the cross hairs move at least."""
AIM_REACH = 0.8
"""How far they go: this part of the way to the edge."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


class Layout(NamedTuple):
    """Where everything is. Pixels, unless named in tiles."""

    width: int
    height: int
    bars_bottom: int
    panel_top: int
    digits_left: int
    digits_top: int
    digit_width: int
    digit_height: int
    """Of a digit with the room around it, in whole tiles."""
    ring: Arc
    line: float
    """The width of a fine line."""


def layout(width: int, height: int) -> Layout:
    """The layout of a card of this size; from the foot upwards, what is left is for the bars."""
    columns = width // EDGE  # whole tiles: the rest is cropped
    large = width >= 320 and height >= 240
    digit_columns = max(1, min(round(width / 200), height // 120))
    digit_rows = max(2, round(digit_columns * 5 / 3))
    panel_rows = digit_rows + 2 * max(1, digit_columns // 2) if large else digit_rows
    panel_row = numbers.cells(width, height).top // EDGE - panel_rows
    bars_bottom = panel_row * EDGE - (panel_rows * EDGE // 5 // 8 * 8 if large else 8)
    margin = max(1, columns // 20) if large else 0
    return Layout(
        width=width,
        height=height,
        bars_bottom=bars_bottom,
        panel_top=panel_row * EDGE,
        digits_left=(columns - margin - DIGITS * digit_columns) * EDGE,
        digits_top=(panel_row + (panel_rows - digit_rows) // 2) * EDGE,
        digit_width=digit_columns * EDGE,
        digit_height=digit_rows * EDGE,
        ring=Arc(width // 2, bars_bottom // 2, round(min(bars_bottom * 0.36, width * 0.3))),
        line=max(1.0, min(width, height) / 240),
    )


def draw_still(canvas: Canvas, place: Layout) -> None:
    """All that does not move."""
    wide, high = canvas.columns * EDGE, canvas.rows * EDGE
    canvas.rectangle(0, 0, wide, high, INK)
    _steps(canvas, BARS, place.width, 0, place.bars_bottom)
    _steps(canvas, GREYS, place.width, place.bars_bottom, place.panel_top)
    _draw_lens(canvas, place)
    if place.width >= 320:
        _draw_corners(canvas, place)
        _draw_name(canvas, place)
    else:
        _draw_mark(canvas, place)


def _steps(canvas: Canvas, fills: Sequence[Colour], width: int, y0: int, y1: int) -> None:
    """Bars side by side over `width`, the last up to the edge of the canvas."""
    edges = [round(n * width / len(fills) / 2) * 2 for n in range(len(fills))]
    for fill, x0, x1 in zip(fills, edges, [*edges[1:], canvas.columns * EDGE], strict=True):
        canvas.rectangle(x0, y0, x1, y1, fill)


def _draw_lens(canvas: Canvas, place: Layout) -> None:
    """A dark lens with a ring and twelve marks in the middle of the bars."""
    ring, line = place.ring, place.line
    canvas.stroke([Line(ring.x, ring.y, ring.x, ring.y)], ring.radius * 2 + line * 18, INK)
    canvas.stroke([ring], line * 1.5, QUIET)
    if ring.radius < 50:
        return
    for hour in range(12):
        outer = ring._replace(radius=ring.radius - line * 8).point(hour * 30)
        inner = ring._replace(radius=ring.radius - line * 14).point(hour * 30)
        canvas.stroke([Line(*outer, *inner)], line, QUIET)


def _draw_corners(canvas: Canvas, place: Layout) -> None:
    """What a viewfinder has in its corners."""
    inset, arm = place.line * 9, place.line * 16
    right, bottom = place.width - inset, place.bars_bottom - inset
    for x, along_x in ((inset, arm), (right, -arm)):
        for y, along_y in ((inset, arm), (bottom, -arm)):
            corner: list[Path] = [Line(x, y, x + along_x, y), Line(x, y, x, y + along_y)]
            canvas.stroke(corner, place.line * 1.5, INK)


def _draw_name(canvas: Canvas, place: Layout) -> None:
    """Name and size, left of the number, as large as there is room."""
    digits_right = place.digits_left + DIGITS * place.digit_width
    margin = max(EDGE, place.width // EDGE * EDGE - digits_right)
    room = place.digits_left - 1.5 * margin
    scale = min(place.digit_height / 26, room / word_width("camkeep"))
    middle = place.digits_top + place.digit_height / 2
    name = word("camkeep", margin, middle - 11.5 * scale, scale)
    canvas.stroke(name, max(1.2, scale), PAPER)
    small = scale * 0.72
    size = word(f"{place.width}×{place.height}", margin, middle + 5.5 * scale, small)
    canvas.stroke(size, max(1.0, small * 0.9), QUIET)


def _draw_mark(canvas: Canvas, place: Layout) -> None:
    """Where there is no room for a name: the sign for recording."""
    x, y = place.digits_left / 2, place.digits_top + place.digit_height / 2
    canvas.stroke([Arc(x, y, 9)], 2, PAPER)
    canvas.stroke([Line(x, y, x, y)], 8, SIGNAL)


# what moves: each function draws one thing at one place


def aim_point(place: Layout, aim: tuple[float, float]) -> tuple[int, int]:
    """Where the cross hairs are for `aim`, right and down from -1 to 1."""
    x, y = (
        round(middle * (1 + max(-1.0, min(1.0, part)) * AIM_REACH) / AIM_STEP) * AIM_STEP
        for middle, part in zip((place.ring.x, place.ring.y), aim, strict=True)
    )
    return x, y


def aim_box(place: Layout, x: float, y: float) -> Box:
    """What `draw_aim` covers."""
    size = place.ring.radius / 3 + place.line * 2 + 2
    return x - size, y - size, x + size, y + size


def draw_aim(canvas: Canvas, place: Layout, x: float, y: float) -> None:
    """Cross hairs: where a camera that can be moved looks to."""
    size = place.ring.radius / 3
    inner = size * 0.4
    hairs = [
        Line(x - size, y, x - inner, y),
        Line(x + inner, y, x + size, y),
        Line(x, y - size, x, y - inner),
        Line(x, y + inner, x, y + size),
    ]
    middle = Line(x, y, x, y)
    canvas.stroke(hairs, place.line * 4, INK)  # seen on the bars, and not in the lens
    canvas.stroke([middle], place.line * 6, INK)
    canvas.stroke(hairs, place.line * 1.5, PAPER)
    canvas.stroke([middle], place.line * 3, PAPER)


def dot_point(place: Layout, step: int) -> tuple[float, float]:
    """Where the dot is, one turn in LAP steps from the top; in quarters of a pixel, so that it
    does not depend on how a machine rounds its cosines."""
    x, y = place.ring.point(step * 360 / LAP - 90)
    return round(x * 4) / 4, round(y * 4) / 4


def dot_box(place: Layout, x: float, y: float) -> Box:
    """What `draw_dot` covers."""
    reach = place.line * 7 + 2
    return x - reach, y - reach, x + reach, y + reach


def draw_dot(canvas: Canvas, place: Layout, x: float, y: float) -> None:
    """The dot that runs around the ring."""
    canvas.stroke([Line(x, y, x, y)], place.line * 14, INK)
    canvas.stroke([Line(x, y, x, y)], place.line * 9, SIGNAL)


def digit_box(place: Layout, column: int) -> Box:
    """What `draw_digit` covers."""
    left = place.digits_left + column * place.digit_width
    return left, place.digits_top, left + place.digit_width, place.digits_top + place.digit_height


def draw_digit(canvas: Canvas, place: Layout, column: int, digit: str) -> None:
    """One digit of the number; a space is a faint zero."""
    left, top, right, bottom = digit_box(place, column)
    scale = min(place.digit_width * 0.66 / 6, place.digit_height * 0.8 / HEIGHT)
    x, y = (left + right - 6 * scale) / 2, (top + bottom - HEIGHT * scale) / 2
    ink = FAINT if digit == " " else PAPER
    canvas.stroke(word(digit.replace(" ", "0"), x, y, scale), scale * 1.15, ink)
