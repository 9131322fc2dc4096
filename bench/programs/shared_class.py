"""Balls that bounce in a box: many instances of one class, used by every thread through the same methods.

Every thread has its own balls; the box is one object that all of them read. Positions are whole numbers, so
that the result is exact. ``size`` is the number of time steps.
"""

from dataclasses import dataclass

SIZES = {"quick": 20_000, "full": 80_000}
BALLS = 30


@dataclass(frozen=True)
class Box:
    """What all threads share and only read: the size of the box and the pull of gravity."""

    width: int
    height: int
    gravity: int

    def contains(self, x: int, y: int) -> bool:
        return 0 <= x <= self.width and 0 <= y <= self.height


BOX = Box(width=1000, height=800, gravity=1)


class Ball:
    """A ball with a position, a speed, and the number of times it hit a wall."""

    def __init__(self, x: int, y: int, speed_x: int, speed_y: int) -> None:
        self.x = x
        self.y = y
        self.speed_x = speed_x
        self.speed_y = speed_y
        self.bounces = 0

    def move(self, box: Box) -> None:
        """One time step."""
        self.speed_y -= box.gravity
        x = self.x + self.speed_x
        y = self.y + self.speed_y
        if box.contains(x, y):
            self.x = x
            self.y = y
        else:
            self.bounce(box)

    def bounce(self, box: Box) -> None:
        """Turn round at the wall, at a speed that stays in bounds."""
        self.speed_x = -self.speed_x
        self.speed_y = -self.speed_y if abs(self.speed_y) < box.height // 8 else 0
        self.bounces += 1

    def fingerprint(self) -> int:
        return self.x * 7 + self.y * 11 + self.speed_x * 13 + self.speed_y * 17 + self.bounces


def run(size: int) -> int:
    """A hash of the state of every ball at the end."""
    balls = [Ball(37 * n % BOX.width, 53 * n % BOX.height, n % 9 - 4, n % 7) for n in range(1, BALLS + 1)]
    for _ in range(size):
        for ball in balls:
            ball.move(BOX)
    checksum = 0
    for ball in balls:
        checksum = (checksum * 31 + ball.fingerprint()) % 1_000_000_007
    return checksum


if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from script import main

    raise SystemExit(main(run, SIZES))
