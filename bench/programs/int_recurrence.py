"""Whole-number sequences: a linear congruential generator that seeds Collatz walks and a xorshift hash.

``size`` is the number of walks.
"""

SIZES = {"quick": 28_000, "full": 110_000}


def collatz_length(number: int) -> int:
    """Steps from ``number`` to 1, halving even numbers and taking odd ones to 3n + 1."""
    steps = 0
    while number != 1:
        if number & 1:
            number = 3 * number + 1
        else:
            number = number // 2
        steps += 1
    return steps


def run(size: int) -> int:
    """A 32-bit hash of the length of every walk."""
    state = 12345
    checksum = 2463534242
    for _ in range(size):
        state = (state * 1103515245 + 12345) % 2147483648
        steps = collatz_length((state >> 16) % 1000 + 1)
        checksum = checksum ^ (checksum * 8192 & 0xFFFFFFFF)
        checksum = checksum ^ (checksum >> 17)
        checksum = (checksum + steps) & 0xFFFFFFFF
    return checksum


if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from script import main

    raise SystemExit(main(run, SIZES))
