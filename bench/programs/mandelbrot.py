"""The Mandelbrot set on a square grid: after how many steps each point escapes.

``size`` is the number of points along each side.
"""

SIZES = {"quick": 200, "full": 370}
STEP_LIMIT = 100


def escape_time(real: float, imaginary: float, limit: int) -> int:
    """The number of steps of z -> z*z + c that stay within distance 2 of zero, at most ``limit``."""
    x = 0.0
    y = 0.0
    steps = 0
    while steps < limit:
        x_squared = x * x
        y_squared = y * y
        if x_squared + y_squared > 4.0:
            break
        y = 2.0 * x * y + imaginary
        x = x_squared - y_squared + real
        steps += 1
    return steps


def run(size: int) -> int:
    """A running hash of the escape time of every point."""
    checksum = 0
    for row in range(size):
        imaginary = 2.4 * row / size - 1.2
        for column in range(size):
            real = 3.0 * column / size - 2.1
            checksum = (checksum * 31 + escape_time(real, imaginary, STEP_LIMIT)) % 1_000_000_007
    return checksum


if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from script import main

    raise SystemExit(main(run, SIZES))
