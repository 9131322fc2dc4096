"""The largest singular value of the infinite matrix 1, 1/2, 1/3, 1/4, ... cut to a square, by power iteration.

``size`` is the number of rows and columns.
"""

from math import sqrt

SIZES = {"quick": 210, "full": 400}
ITERATIONS = 5


def eval_A(i: int, j: int) -> float:
    return 1.0 / ((i + j) * (i + j + 1) // 2 + i + 1)


def multiply_by_A(vector: list[float]) -> list[float]:
    result = []
    for i in range(len(vector)):
        total = 0.0
        for j in range(len(vector)):
            total += eval_A(i, j) * vector[j]
        result.append(total)
    return result


def multiply_by_A_transposed(vector: list[float]) -> list[float]:
    result = []
    for i in range(len(vector)):
        total = 0.0
        for j in range(len(vector)):
            total += eval_A(j, i) * vector[j]
        result.append(total)
    return result


def run(size: int) -> float:
    """The spectral norm of the size x size corner of the matrix."""
    u = [1.0] * size
    v = u
    for _ in range(ITERATIONS):
        v = multiply_by_A_transposed(multiply_by_A(u))
        u = multiply_by_A_transposed(multiply_by_A(v))
    numerator = 0.0
    denominator = 0.0
    for i in range(size):
        numerator += u[i] * v[i]
        denominator += v[i] * v[i]
    return sqrt(numerator / denominator)


if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from script import main

    raise SystemExit(main(run, SIZES))
