"""How a picture of the test card is put together.

A `Card` is one size of it. Its still parts are drawn and coded once, row by row; the parts that
move are *sprites*, drawn over the still parts and kept as tiles, too. A picture is the still
rows as they are, and the few rows with sprites in them joined anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

from camkeep.cameras.testcard import design
from camkeep.cameras.testcard import number as numbers
from camkeep.cameras.testcard.canvas import Canvas
from camkeep.cameras.testcard.jpeg import EDGE, Tile, head, join_row
from camkeep.errors import UsageError

SMALLEST = (160, 128)
LARGEST = (1920, 1088)
_MAX_SPRITES = 4096

Sprite = tuple[int, int, list[list[Tile]]]
"""Its column and row, in tiles, and its rows of tiles."""


class Card:
    """The test card at one size."""

    def __init__(self, width: int, height: int) -> None:
        self._layout = design.layout(width, height)
        self._still = Canvas(0, 0, -(-width // EDGE), -(-height // EDGE))
        design.draw_still(self._still, self._layout)
        self._tiles = self._still.tiles()
        self._rows = [self._join(tiles, n) for n, tiles in enumerate(self._tiles)]
        self._joined: dict[int, tuple[dict[int, Tile], bytes]] = {}
        self._sprites: dict[tuple[object, ...], Sprite] = {}
        self._head = head(width, height, numbers.comment(0)).split(numbers.comment(0))

    def picture(self, number: int, aim: tuple[float, float] = (0.0, 0.0)) -> bytes:
        """The JPEG with this number."""
        before, behind = self._head
        parts = [before, numbers.comment(number), behind]
        overlay: dict[int, dict[int, Tile]] = {}
        for column, row, rows in self._moving(number, aim):
            for n, tiles in enumerate(rows, row):
                overlay.setdefault(n, {}).update(enumerate(tiles, column))
        for n, still in enumerate(self._rows):
            parts.append(self._row(n, overlay[n]) if n in overlay else still)
        parts.append(b"\xff\xd9")
        return b"".join(parts)

    def _row(self, n: int, over: dict[int, Tile]) -> bytes:
        """Row `n` with tiles laid over it: as the last time, or joined anew."""
        last = self._joined.get(n)
        if last is not None and last[0] == over:
            return last[1]
        tiles = self._tiles[n].copy()
        for column, tile in over.items():
            tiles[column] = tile
        joined = self._join(tiles, n)
        self._joined[n] = (over, joined)
        return joined

    def _join(self, tiles: list[Tile], n: int) -> bytes:
        """The bytes of a row. The last row does not end in a null: it would be picture data,
        but look like the nulls that some cameras leave before the end marker."""
        joined = join_row(tiles, n)
        if n == self._still.rows - 1 and joined.endswith(b"\0") and joined[-2] != 0xFF:
            last = tiles[-1]._replace(cr=tiles[-1].cr + 1)  # nobody sees it, but bits move
            joined = join_row([*tiles[:-1], last], n)
        return joined

    def _moving(self, number: int, aim: tuple[float, float]) -> Iterator[Sprite]:
        """All sprites of a picture, the upper ones last."""
        place = self._layout
        x, y = design.aim_point(place, aim)
        dot_x, dot_y = design.dot_point(place, number % design.LAP)

        def draw_aim(canvas: Canvas) -> None:
            design.draw_aim(canvas, place, x, y)

        def draw_dot(canvas: Canvas) -> None:
            draw_aim(canvas)  # the two may share tiles
            design.draw_dot(canvas, place, dot_x, dot_y)

        yield self._sprite(("aim", x, y), design.aim_box(place, x, y), draw_aim)
        yield self._sprite(
            ("dot", dot_x, dot_y, x, y), design.dot_box(place, dot_x, dot_y), draw_dot
        )
        for column, digit in enumerate(f"{number % 10**design.DIGITS:{design.DIGITS}d}"):
            yield self._digit(column, digit)
        bits = numbers.bits(number)
        for group in range(numbers.PER_ROW // 4):
            yield self._cells(group, bits)

    def _digit(self, column: int, digit: str) -> Sprite:
        place = self._layout

        def draw(canvas: Canvas) -> None:
            design.draw_digit(canvas, place, column, digit)

        return self._sprite(("digit", column, digit), design.digit_box(place, column), draw)

    def _cells(self, group: int, bits: list[bool]) -> Sprite:
        """Four cells of the upper row and the four below them: whole tiles at every size."""
        place = numbers.cells(self._layout.width, self._layout.height)
        chosen = [row * numbers.PER_ROW + group * 4 + n for row in (0, 1) for n in range(4)]
        shown = tuple(bits[n] for n in chosen)
        left, top = place.at(chosen[0])

        def draw(canvas: Canvas) -> None:
            for n, white in zip(chosen, shown, strict=True):
                x, y = place.at(n)
                fill = design.WHITE if white else design.BLACK
                canvas.rectangle(x, y, x + place.width, y + place.height, fill)

        box = left, top, left + 4 * place.width, top + 2 * place.height
        return self._sprite(("cells", group, shown), box, draw)

    def _sprite(
        self, key: tuple[object, ...], box: design.Box, draw: Callable[[Canvas], None]
    ) -> Sprite:
        """What `draw` draws within `box`; from the second time on without drawing it."""
        known = self._sprites.get(key)
        if known is not None:
            return known
        left, top = max(0, int(box[0] // EDGE)), max(0, int(box[1] // EDGE))
        right = min(self._still.columns, int(-(-box[2] // EDGE)))
        bottom = min(self._still.rows, int(-(-box[3] // EDGE)))
        canvas = self._still.crop(left, top, right - left, bottom - top)
        draw(canvas)
        if len(self._sprites) >= _MAX_SPRITES:
            self._sprites.clear()
        sprite = self._sprites[key] = (left, top, canvas.tiles())
        return sprite


@lru_cache(maxsize=8)
def _card(width: int, height: int) -> Card:
    return Card(width, height)


def check_size(width: int, height: int) -> None:
    """Raise UsageError where the test card has no such size."""
    fits = SMALLEST[0] <= width <= LARGEST[0] and SMALLEST[1] <= height <= LARGEST[1]
    if not fits:
        raise UsageError(
            f"the test card has no size {width}x{height}: choose one from "
            f"{SMALLEST[0]}x{SMALLEST[1]} to {LARGEST[0]}x{LARGEST[1]}"
        )


def picture(
    number: int, width: int = 640, height: int = 480, aim: tuple[float, float] = (0.0, 0.0)
) -> bytes:
    """Picture `number` of the test card: a baseline JPEG, the same bytes for the same arguments.

    It shows the last seven digits of `number`, and carries its last 32 bits for machines
    (`read_number`, `read_number_from_luma`). `aim` says where the cross hairs are, right and
    down, from -1 to 1. Raises UsageError where there is no such size.
    """
    check_size(width, height)
    return _card(width, height).picture(number, aim)
