"""Floats, ints and bools together: conversions, NaN, infinities, signed zeros, comparisons of huge values."""

# ruff: noqa  (odd code is what these are for)

import math

from support.case import case

INF, NAN = math.inf, math.nan
FLOATS = [0.0, -0.0, 1.0, -1.5, 1e308, -1e308, 5e-324, INF, -INF, NAN]
SOME = [(a, b) for a in FLOATS for b in (0.0, -0.0, 2.5, -3.0, INF, NAN)]
HUGE = [2**53, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 2**64, 10**400, -(10**400)]
MIXED = [(i, float(f)) for i in HUGE for f in (2**53, 2**63, INF, -INF, NAN, 1e300)] + [
    (float(2**53), 2**53 + 1),
    (1.0, True),
]


@case((1.5, 2.5), [*SOME, (1, 2.5), (1.5, 2), (True, 0.5), (10**400, 1.0), ("a", 1.0)])
def sums(a, b):
    return (a + b, a - b, a * b)


@case((1.5, 2.5), [*SOME, (1, 2.5), (1.5, 2), (1.5, 0), (1, 0.0), (10**400, 1.0)])
def divide(a, b):
    return a / b


@case((7.5, 2.0), [*SOME, (-7.5, 2.0), (7.5, -2.0), (7, 2.5), (7.5, 2), (-0.0, 2.0), (1e308, 1e-308)])
def floor_divide(a, b):
    return a // b


@case((7.5, 2.0), [*SOME, (-7.5, 2.0), (7.5, -2.0), (7, 2.5), (7.5, 2), (-0.0, 2.0), (-1e-20, 1.0)])
def modulo(a, b):
    return a % b


@case((2.0, 3.0), [*SOME, (2.0, 0.5), (-2.0, 0.5), (-8.0, 1 / 3), (2, 0.5), (0.0, -1.0), (1e200, 2.0)])
def power(a, b):
    return a**b


@case((2.5,), [(x,) for x in FLOATS] + [(3,), (True,), (10**400,)])
def unary(a):
    return (-a, abs(a), not a)


@case((2.0, 3.0), SOME + MIXED + [(1, 1), (True, 1), (True, 1.0), ("a", 1.0), (2, "b")])
def compare_order(a, b):
    return (a < b, a <= b, a > b, a >= b)


@case((2.0, 3.0), SOME + MIXED + [(1, 1), (True, 1), ("a", 1.0), (None, None)])
def compare_equal(a, b):
    return (a == b, a != b)


@case((2, 3.0), MIXED + [(2, 2.0), (3, 2.5), (0, -0.0), (1.0, 1), (2, 3)])
def branch_int_float(a, b):
    if a < b:
        return "less"
    if a == b:
        return "equal"
    return "greater or neither"


@case((2.0, 3.0), SOME)
def branch_all(a, b):
    found = []
    found.append("lt" if a < b else "not lt")
    found.append("le" if a <= b else "not le")
    found.append("gt" if a > b else "not gt")
    found.append("ge" if a >= b else "not ge")
    found.append("eq" if a == b else "not eq")
    found.append("ne" if a != b else "not ne")
    return found


@case((2.0, 3.0), SOME)
def negated_branches(a, b):
    n = 0
    if not a < b:
        n += 1
    if not a <= b:
        n += 2
    if not a > b:
        n += 4
    if not a >= b:
        n += 8
    return n


@case((True, False), [(True, True), (False, False), (1, True), (True, 2), (1.5, True), (None, True)])
def bool_arithmetic(a, b):
    return (a + b, a - b, a * b, -a, ~int(a), a & b, a | b, a ^ b, a == b, a < b, a + 1, a * 1.5)


@case((True, 10), [(False, 10), (1, 10), ([], 3), ("x", 3), (0.0, 3), (NAN, 3), (None, 3)])
def truth_in_loop(flag, n):
    total = 0
    for i in range(n):
        if flag and i % 2 == 0:
            total += i
        elif not flag:
            total -= 1
    return total


@case((5, 3), [(0, 3), (5, 0), (0, 0), (0.0, 2), ("", []), (None, 1), (NAN, 0)])
def and_or(a, b):
    return (a and b, a or b, not a, not (a and b), (a or b) and a)


@case((1, 5, 10), [(1, 1, 1), (5.0, 5, 5), (NAN, 1, 2), (2**63, 2**63, 2**64), (1, "a", 2), (3, 2, 1)])
def chained(a, b, c):
    return a < b < c, a <= b <= c, a == b == c, 1 if a < b <= c else 2


@case((10, 0.5), [(10, 1), (10, 0), (10, True), (3, NAN), (3, INF), (3, 10**400)])
def accumulator_turns_float(n, step):
    total = 0
    for _ in range(n):
        total += step
    return total


@case((20,), [(40,), (0,), (1,)])
def kind_changes_in_the_loop(n):
    x = 1
    seen = []
    for i in range(n):
        if i == 10:
            x = x * 0.5
        elif i == 20:
            x = int(x) + 2**62
        elif i == 30:
            x = True
        x = x + x
        seen.append(x)
    return seen


@case(
    (2.7,),
    [
        (-2.7,),
        (0.0,),
        (-0.0,),
        (1e18,),
        (1e19,),
        (-1e19,),
        (9.3e18,),
        (INF,),
        (NAN,),
        (3,),
        (True,),
        ("4",),
        ("x",),
        (2.0**63,),
        (-(2.0**63),),
    ],
)
def to_int(x):
    return int(x)


@case((7,), [(2**53 + 1,), (2**63 - 1,), (10**400,), (-(2**63),), (True,), (1.5,), ("nan",)])
def to_float(x):
    return float(x)


@case(
    (2**53, 3),
    [
        (2**53 + 1, 3),
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -1),
        (1, 3),
        (0, -5),
        (10**400, 10**399),
        (1, 10**400),
    ],
)
def int_true_division(a, b):
    return a / b


@case((30,), [(100,), (1,)])
def float_recurrence(n):
    x = 0.3
    for _ in range(n):
        x = 3.9 * x * (1.0 - x)
    return x


@case((0.1, -0.3, 50), [(2.0, 2.0, 50), (NAN, 0.0, 5), (0, 0, 5), (0.25, 0, 20)])
def mandelbrot_point(cr, ci, n):
    zr = zi = 0.0
    for i in range(n):
        zr, zi = zr * zr - zi * zi + cr, 2.0 * zr * zi + ci
        if zr * zr + zi * zi > 4.0:
            return i
    return n


@case((1.0,), [(0.0,), (-0.0,), (1e-300,), (INF,), (NAN,), (2,)])
def signed_zeros(x):
    a = x * 0.0
    b = -a
    c = 0.0 - a
    d = a * -1
    return a, b, c, d, a + b, a - a, 0 - a, -x


@case((3.0, 4.0), [(NAN, 1.0), (1.0, NAN), (-0.0, 0.0), (0.0, -0.0), (3, 4.0), (2**63, 1.0)])
def smaller_and_larger(a, b):
    return (min(a, b), max(a, b), a if a < b else b, b if a < b else a)


@case((2.0,), [(-1.0,), (0.0,), (-0.0,), (INF,), (NAN,), (4,), (2**64,), ("x",)])
def square_root(x):
    return math.sqrt(x)


@case((1, 2), [(1, 1), (1.0, 1.0), (None, None), (True, True), (2**70, 2**70), ("a", "a")])
def identity(a, b):
    c = a
    return (a is c, a is None, a is not None, a is True, (a is b) or (a == b))


@case((30, 5), [(30, 2**63 - 20), (10, 2**63 - 1), (3, 1.5), (0, 1)])
def zeros_of_both_signs(n, x):
    a = b = c = d = e = None
    for i in range(n):
        a = 0.0
        b = -0.0
        c = 1
        d = True
        e = 1.0
        y = x + i
    return a, b, c, d, e, y if n else None
