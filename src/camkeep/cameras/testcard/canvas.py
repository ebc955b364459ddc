"""Drawing with anti-aliased strokes on a canvas that is cut into tiles afterwards.

Everything is a stroke: lines and arcs with round ends. A disc is a line of no length.
Coordinates are pixels of the whole picture, y downwards, angles in degrees clockwise from the
right. Nothing here is fast; each thing is drawn once and kept as tiles.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from camkeep.cameras.testcard.jpeg import EDGE, Tile, make_tile

Colour = tuple[int, int, int]
"""Y, Cb, Cr, full range (JFIF)."""


def colour(rgb: int) -> Colour:
    """0xRRGGBB as JFIF has it."""
    r, g, b = rgb >> 16, rgb >> 8 & 255, rgb & 255
    y = 0.299 * r + 0.587 * g + 0.114 * b
    return round(y), round(128 + (b - y) * 0.564), round(128 + (r - y) * 0.713)


class Path(Protocol):
    """A line without width."""

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        ...

    def distance(self, x: float, y: float) -> float:
        """How far the point is from it."""
        ...

    def placed(self, x: float, y: float, scale: float) -> Path:
        """The same, scaled and then moved."""
        ...


class Line(NamedTuple):
    """From one point to another."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        return (
            min(self.x0, self.x1),
            min(self.y0, self.y1),
            max(self.x0, self.x1),
            max(self.y0, self.y1),
        )

    def distance(self, x: float, y: float) -> float:
        dx, dy = self.x1 - self.x0, self.y1 - self.y0
        px, py = x - self.x0, y - self.y0
        length = dx * dx + dy * dy
        t = min(1.0, max(0.0, (px * dx + py * dy) / length)) if length else 0.0
        return math.sqrt((px - t * dx) ** 2 + (py - t * dy) ** 2)

    def placed(self, x: float, y: float, scale: float) -> Line:
        return Line(*(v * scale + move for v, move in zip(self, (x, y, x, y), strict=True)))


class Arc(NamedTuple):
    """Part of a circle, clockwise from `start` over `sweep` degrees."""

    x: float
    y: float
    radius: float
    start: float = 0.0
    sweep: float = 360.0

    @property
    def box(self) -> tuple[float, float, float, float]:
        r = self.radius
        return self.x - r, self.y - r, self.x + r, self.y + r

    def distance(self, x: float, y: float) -> float:
        dx, dy = x - self.x, y - self.y
        if self.sweep < 360 and (math.degrees(math.atan2(dy, dx)) - self.start) % 360 > self.sweep:
            return min(
                math.dist((x, y), self.point(self.start)),
                math.dist((x, y), self.point(self.start + self.sweep)),
            )
        return abs(math.sqrt(dx * dx + dy * dy) - self.radius)

    def point(self, angle: float) -> tuple[float, float]:
        """The point of the whole circle at `angle`."""
        turn = math.radians(angle)
        return self.x + self.radius * math.cos(turn), self.y + self.radius * math.sin(turn)

    def placed(self, x: float, y: float, scale: float) -> Arc:
        return Arc(
            self.x * scale + x, self.y * scale + y, self.radius * scale, self.start, self.sweep
        )


class Canvas:
    """A rectangle of the picture whose corners lie on tiles' corners, in 4:2:0."""

    def __init__(self, column: int, row: int, columns: int, rows: int) -> None:
        self.column, self.row, self.columns, self.rows = column, row, columns, rows
        # one list of pixel rows for each of Y, Cb, Cr
        self.planes = [
            [bytearray(columns * EDGE // step) for _ in range(rows * EDGE // step)]
            for step in _STEPS
        ]

    def rectangle(self, x0: int, y0: int, x1: int, y1: int, fill: Colour) -> None:
        """Fill from x0, y0 up to but without x1, y1: even numbers, inside the canvas."""
        x0, x1 = x0 - self.column * EDGE, x1 - self.column * EDGE
        y0, y1 = y0 - self.row * EDGE, y1 - self.row * EDGE
        for plane, value, step in zip(self.planes, fill, _STEPS, strict=True):
            span = bytes([value]) * ((x1 - x0) // step)
            for line in plane[y0 // step : y1 // step]:
                line[x0 // step : x1 // step] = span

    def stroke(self, paths: Sequence[Path], width: float, ink: Colour) -> None:
        """Draw `paths` as one stroke; what lies outside the canvas is left out."""
        boxes = [path.box for path in paths]
        reach = width / 2 + 2
        left = min(box[0] for box in boxes) - reach - self.column * EDGE
        top = min(box[1] for box in boxes) - reach - self.row * EDGE
        right = max(box[2] for box in boxes) + reach - self.column * EDGE
        bottom = max(box[3] for box in boxes) + reach - self.row * EDGE
        for plane, value, step in zip(self.planes, ink, _STEPS, strict=True):
            cell = _CELL * step
            end_x, end_y = min(len(plane[0]), right / step), min(len(plane), bottom / step)
            for y in range(max(0, int(top) // cell) * _CELL, math.ceil(end_y), _CELL):
                for x in range(max(0, int(left) // cell) * _CELL, math.ceil(end_x), _CELL):
                    self._stroke_cell(paths, width / 2, plane, value, step, x, y)

    def _stroke_cell(
        self,
        paths: Sequence[Path],
        half: float,
        plane: list[bytearray],
        value: int,
        step: int,
        left: int,
        top: int,
    ) -> None:
        """The part of a stroke within one cell of a plane: often none or all of it."""
        zero_x, zero_y = self.column * EDGE, self.row * EDGE
        x, y = zero_x + (left + _CELL / 2) * step, zero_y + (top + _CELL / 2) * step
        away = [path.distance(x, y) for path in paths]
        inside = (half - min(away)) / step
        if inside < -_CELL:
            return
        lines = plane[top : top + _CELL]
        if inside > _CELL:
            for line in lines:
                line[left : left + _CELL] = bytes([value]) * _CELL
            return
        near = half + _CELL * step
        distances = [p.distance for p, far in zip(paths, away, strict=True) if far <= near]
        for n, line in enumerate(lines, top):
            y = zero_y + (n + 0.5) * step
            for column in range(left, left + _CELL):
                x = zero_x + (column + 0.5) * step
                cover = (half - min([distance(x, y) for distance in distances])) / step + 0.5
                if cover > 0:
                    line[column] = round(line[column] + (value - line[column]) * min(1.0, cover))

    def crop(self, column: int, row: int, columns: int, rows: int) -> Canvas:
        """A copy of a part of it; all in tiles."""
        part = Canvas(column, row, columns, rows)
        for own, copy, step in zip(self.planes, part.planes, _STEPS, strict=True):
            x, y = (column - self.column) * EDGE // step, (row - self.row) * EDGE // step
            for n, line in enumerate(copy):
                line[:] = own[y + n][x : x + len(line)]
        return part

    def tiles(self) -> list[list[Tile]]:
        """The canvas, coded, as rows of tiles."""
        return [
            [self._tile(column, row) for column in range(self.columns)] for row in range(self.rows)
        ]

    def _tile(self, column: int, row: int) -> Tile:
        luma, cb, cr = self.planes
        x, y = column * EDGE, row * EDGE
        blocks = [_block(luma, x + dx, y + dy) for dy in (0, 8) for dx in (0, 8)]
        x, y = x // 2, y // 2
        return make_tile(blocks, _block(cb, x, y), _block(cr, x, y))


_STEPS = (1, 2, 2)
"""Pixels of the picture per pixel of a plane, either way."""
_CELL = 8
"""Pixels of a plane along a square that a stroke covers as a whole, or misses, or is looked at."""


def _block(plane: list[bytearray], x: int, y: int) -> bytes:
    return b"".join([line[x : x + 8] for line in plane[y : y + 8]])
