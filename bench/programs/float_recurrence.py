"""The logistic map x -> r x (1 - x) over a range of r, counting how the orbits swing around one half.

``size`` is the number of values of r.
"""

SIZES = {"quick": 4_500, "full": 18_000}
STEPS = 400


def run(size: int) -> float:
    """The mean height of all orbits, plus the number of times they crossed one half."""
    total = 0.0
    crossings = 0
    for index in range(size):
        r = 2.8 + 1.2 * index / size
        x = 0.5
        above = False
        height = 0.0
        for _ in range(STEPS):
            x = r * x * (1.0 - x)
            if x > 0.5:
                if not above:
                    crossings += 1
                    above = True
                height += x
            else:
                if above:
                    crossings += 1
                    above = False
                height += x * x
        total += height / STEPS
    return total / size + crossings


if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from script import main

    raise SystemExit(main(run, SIZES))
