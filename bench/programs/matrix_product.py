"""The product of two square matrices held as lists of rows.

``size`` is the number of rows and columns.
"""

SIZES = {"quick": 120, "full": 180}

type Matrix = list[list[float]]


def make_matrix(size: int, seed: int) -> Matrix:
    """A matrix of numbers between -0.5 and 0.5 that depends on ``seed`` alone."""
    rows = []
    for _ in range(size):
        row = []
        for _ in range(size):
            seed = (seed * 1103515245 + 12345) % 2147483648
            row.append(seed / 2147483648 - 0.5)
        rows.append(row)
    return rows


def multiply(a: Matrix, b: Matrix) -> Matrix:
    """a times b."""
    size = len(a)
    product = []
    for i in range(size):
        row_of_a = a[i]
        row = []
        for j in range(size):
            total = 0.0
            for k in range(size):
                total += row_of_a[k] * b[k][j]
            row.append(total)
        product.append(row)
    return product


def run(size: int) -> float:
    """The elements of the product, each weighted by where it stands."""
    product = multiply(make_matrix(size, 1), make_matrix(size, 2))
    checksum = 0.0
    for i in range(size):
        for j in range(size):
            checksum += product[i][j] * (i - 2 * j + 1)
    return checksum


if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from script import main

    raise SystemExit(main(run, SIZES))
