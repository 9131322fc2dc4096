"""Conway's game of life on a set of tuples; ``size`` is the number of generations."""

SIZES = {"quick": 60, "full": 300}
AROUND = [(dx, dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy]

type Cells = set[tuple[int, int]]


def next_generation(cells: Cells) -> Cells:
    neighbours: dict[tuple[int, int], int] = {}
    for x, y in cells:
        for dx, dy in AROUND:
            place = (x + dx, y + dy)
            neighbours[place] = neighbours.get(place, 0) + 1
    return {place for place, count in neighbours.items() if count == 3 or (count == 2 and place in cells)}


def run(size: int) -> int:
    """A hash of what an R-pentomino and a glider have become."""
    cells = {(1, 0), (2, 0), (0, 1), (1, 1), (1, 2), (20, 20), (21, 21), (21, 22), (20, 22), (19, 22)}
    for _ in range(size):
        cells = next_generation(cells)
    return sum((x * 31 + y * 17) % 1009 for x, y in cells) * 1000 + len(cells)


if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from script import main

    raise SystemExit(main(run, SIZES))
