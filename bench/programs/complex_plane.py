"""Escape times with Python's complex numbers; ``size`` is the grid's side."""

SIZES = {"quick": 70, "full": 220}
LIMIT = 60


def escape_time(c: complex) -> int:
    z = 0j
    for step in range(LIMIT):
        z = z * z + c
        if abs(z) > 2.0:
            return step
    return LIMIT


def run(size: int) -> int:
    """The sum of the escape times on the grid."""
    total = 0
    for row in range(size):
        for column in range(size):
            total += escape_time(complex(column * 3.0 / size - 2.0, row * 2.0 / size - 1.0))
    return total


if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from script import main

    raise SystemExit(main(run, SIZES))
