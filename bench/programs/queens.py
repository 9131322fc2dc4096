"""Queens that do not attack each other, by generators and sets; ``size`` is the board's side."""

from collections.abc import Iterator

SIZES = {"quick": 7, "full": 9}


def placements(side: int, row: int, columns: set[int], up: set[int], down: set[int]) -> Iterator[tuple[int, ...]]:
    """All ways to put a queen into each row from ``row`` on: their columns."""
    if row == side:
        yield ()
        return
    for column in range(side):
        if column in columns or row + column in up or row - column in down:
            continue
        for rest in placements(side, row + 1, columns | {column}, up | {row + column}, down | {row - column}):
            yield (column, *rest)


def run(size: int) -> int:
    """A number made of all solutions."""
    checksum = 0
    for solution in placements(size, 0, set(), set(), set()):
        for column in solution:
            checksum = (checksum * 31 + column) % 1_000_000_007
    return checksum


if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from script import main

    raise SystemExit(main(run, SIZES))
