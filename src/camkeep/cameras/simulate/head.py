"""Where a simulated camera looks to: what its motors do over time. Pure, but for the time it is
told."""

from __future__ import annotations

SPEED = 0.5
"""Of the half way from the middle to an end, per second."""
STEP = 0.05


class Head:
    """Pan and tilt from -1 to 1, right and down. Times are seconds, and never go back."""

    def __init__(self) -> None:
        self._x = self._y = 0.0
        self._x_speed = self._y_speed = 0.0
        self._patrol = False
        self._since = 0.0
        self._presets: dict[int, tuple[float, float]] = {}

    def at(self, now: float) -> tuple[float, float]:
        """Where it looks to."""
        passed = now - self._since
        return (
            self._one(self._x, self._x_speed * passed),
            self._one(self._y, self._y_speed * passed),
        )

    def move(self, x: int, y: int, now: float, *, patrol: bool = False) -> None:
        """Begin to move, -1, 0 or 1 each way; 0, 0 stops. A patrol turns round at the ends."""
        self._x, self._y = self.at(now)
        self._x_speed, self._y_speed = x * SPEED, y * SPEED
        self._patrol, self._since = patrol, now

    def step(self, x: int, y: int, now: float) -> None:
        """Move one step and stop."""
        self.move(0, 0, now)
        self._x, self._y = _clamp(self._x + x * STEP), _clamp(self._y + y * STEP)

    def centre(self, now: float) -> None:
        """Look straight on."""
        self.move(0, 0, now)
        self._x = self._y = 0.0

    def set_preset(self, n: int, now: float) -> None:
        """Keep where it looks to."""
        self._presets[n] = self.at(now)

    def go_to_preset(self, n: int, now: float) -> None:
        """Look there again; the middle, where none was set."""
        self.move(0, 0, now)
        self._x, self._y = self._presets.get(n, (0.0, 0.0))

    def _one(self, start: float, way: float) -> float:
        if not self._patrol:
            return _clamp(start + way)
        turn = (start + way + 1) % 4  # 0 to 2 there, 2 to 4 back
        return turn - 1 if turn <= 2 else 3 - turn


def _clamp(value: float) -> float:
    return max(-1.0, min(1.0, value))
