"""The distance of pairs of strings in single-letter edits (Wagner and Fischer); ``size`` is their length."""

SIZES = {"quick": 160, "full": 500}


def distance(first: str, second: str) -> int:
    above = list(range(len(second) + 1))
    for row, letter in enumerate(first, 1):
        current = [row]
        for column, other in enumerate(second, 1):
            if letter == other:
                current.append(above[column - 1])
            else:
                current.append(1 + min(above[column], current[-1], above[column - 1]))
        above = current
    return above[-1]


def strand(length: int, seed: int) -> str:
    letters = []
    for _ in range(length):
        seed = (seed * 69069 + 1) % 4294967296
        letters.append("acgt"[seed >> 20 & 3])
    return "".join(letters)


def run(size: int) -> int:
    """The sum of the distances of five pairs."""
    return sum(distance(strand(size, number), strand(size, number + 9)) for number in range(5))


if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from script import main

    raise SystemExit(main(run, SIZES))
