"""Fannkuch: how many times the front of each permutation must be turned over until a 1 comes first.

``size`` is the number of permutations of 0 to 9 looked at, in the order of the well-known benchmark.
"""

SIZES = {"quick": 125_000, "full": 450_000}
LENGTH = 10


def count_flips(permutation: list[int]) -> int:
    """Reversals of the first k + 1 elements, k being the first element, until that is 0."""
    permutation = permutation[:]
    flips = 0
    first = permutation[0]
    while first:
        low = 0
        high = first
        while low < high:
            permutation[low], permutation[high] = permutation[high], permutation[low]
            low += 1
            high -= 1
        flips += 1
        first = permutation[0]
    return flips


def run(size: int) -> str:
    """The alternating sum of all flips, and the most that one permutation took."""
    permutation = list(range(LENGTH))
    counts = [0] * LENGTH
    checksum = 0
    most = 0
    sign = 1
    for _ in range(size):
        flips = count_flips(permutation)
        if flips > most:
            most = flips
        checksum += sign * flips
        if sign == 1:
            permutation[0], permutation[1] = permutation[1], permutation[0]
        else:
            permutation[1], permutation[2] = permutation[2], permutation[1]
            rank = 2
            while rank < LENGTH - 1:
                if counts[rank] < rank:
                    counts[rank] += 1
                    break
                counts[rank] = 0
                rank += 1
                permutation[: rank + 1] = permutation[1 : rank + 1] + permutation[:1]
        sign = -sign
    return f"{checksum}/{most}"


if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from script import main

    raise SystemExit(main(run, SIZES))
