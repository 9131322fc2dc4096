"""Ints: every operator, signs, and the way into big ints at each boundary."""

# ruff: noqa  (odd code is what these are for)

from support.case import case

M62, M63, M64 = 2**62, 2**63, 2**64
PAIRS = [
    (7, 3), (-7, 3), (7, -3), (-7, -3), (0, 5), (0, -5), (6, 3), (-6, 3), (1, 0), (-1, 0), (0, 0),
    (M62, M62), (M63 - 1, 1), (-M63, 1), (-M63, -1), (M63, 1), (-M63 - 1, 1), (M64, 3), (2**30, 2**30), (2**31, 2**32),
    (True, 2), (2, False), (1.5, 2), (3, -0.5), (M63 - 1, 2.0), ("a", 2), (None, 1),
]  # fmt: skip
EDGES = [
    (0,),
    (1,),
    (-1,),
    (M62,),
    (-M62,),
    (M63 - 1,),
    (-M63,),
    (M63,),
    (-M63 - 1,),
    (M64,),
    (2**30,),
    (2**31 - 1,),
]


@case((20, 3), PAIRS)
def add(a, b):
    return a + b + a


@case((20, 3), PAIRS)
def subtract(a, b):
    return a - b - b


@case((20, 3), PAIRS)
def multiply(a, b):
    return a * b


@case((20, 3), PAIRS)
def floor_divide(a, b):
    return a // b


@case((20, 3), PAIRS)
def modulo(a, b):
    return a % b


@case((20, 3), PAIRS)
def true_divide(a, b):
    return a / b


@case((20, 3), PAIRS)
def both_divisions(a, b):
    return a // b * b + a % b


@case(
    (20, 3),
    [
        (1, 0),
        (1, 62),
        (1, 63),
        (1, 64),
        (1, 200),
        (-1, 63),
        (-1, 62),
        (3, 62),
        (0, 500),
        (5, -1),
        (M62, 1),
        (M64, 2),
        (1.0, 2),
    ],
)
def shift_left(a, b):
    return a << b


@case(
    (20, 3),
    [
        (1, 0),
        (-1, 1),
        (-1, 63),
        (-1, 64),
        (-1, 1000),
        (M63 - 1, 62),
        (-M63, 63),
        (-M63, 64),
        (5, -1),
        (M64, 2),
        (1, 2**70),
    ],
)
def shift_right(a, b):
    return a >> b


@case((20, 3), [*PAIRS, (-M63, M63 - 1), (-1, M63), (True, False), (True, True), (False, 1)])
def bitwise(a, b):
    return (a & b, a | b, a ^ b)


@case((20,), [*EDGES, (True,), (1.5,), (0.0,), ("x",)])
def unary(a):
    return (-a, ~a)


@case((20,), [*EDGES, (True,), (-0.0,)], machine=False)
def plus(a):
    return +a


@case((20,), [*EDGES, (True,), (-2.5,), (-0.0,)])
def absolute(a):
    return abs(a)


@case((20,), [*EDGES, (-7,), (-8,), (True,), (2.5,)])
def constant_divisors(a):
    return (
        a // 8,
        a % 8,
        a // 7,
        a % 7,
        a // 1,
        a % 1,
        a // -3,
        a % -3,
        a // -1,
        a % -4,
        a // 1000003,
        a % 1000003,
    )


@case((20,), [*EDGES, (-3,), (2097151,), (2097152,), (3037000499,), (3037000500,), (1.5,)])
def powers(a):
    return (a**1, a**2, a**3, a**4, a**0)


@case((2, 10), [(2, 62), (2, 63), (2, 64), (-2, 63), (0, 0), (2, -1), (0, -1), (2.0, 3), (True, 2)])
def power_of(a, b):
    return a**b


@case((50,), [(62,), (63,), (64,), (130,), (0,)])
def doubling(n):
    x = 1
    for _ in range(n):
        x = x + x
    return x


@case((50,), [(62,), (63,), (64,), (130,)])
def negative_doubling(n):
    x = -1
    for _ in range(n):
        x = x * 2
    return x


@case((15,), [(20,), (21,), (30,), (0,), (1,)])
def factorial(n):
    result = 1
    while n > 1:
        result *= n
        n -= 1
    return result


@case((80,), [(92,), (93,), (94,), (300,)])
def fibonacci(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


@case((M62 - 10, 5), [(M63 - 3, 5), (M63 - 1, 1), (-M63, 3), (M63 - 100, 200)])
def over_the_top_and_back(start, n):
    x = start
    for _ in range(n):
        x += 1
    for _ in range(n):
        x -= 1
    return x


@case((10, 10), [(M63 - 5, 10), (M63 - 11, 10)])
def sum_crosses(start, n):
    total = start
    for i in range(n):
        total += i & 1
    return total, total - start


@case((12345, 50), [(2**61, 20), (-12345, 30), (M64 + 1, 70)])
def collatz_like(x, n):
    steps = 0
    while n > 0:
        n -= 1
        if x % 2 == 0:
            x = x // 2
        else:
            x = 3 * x + 1
        steps += 1
    return x, steps


@case((48, 36), [(0, 5), (5, 0), (-48, 36), (48, -36), (M63 - 1, M62), (M64 * 6, M64 * 4), (2.5, 1)])
def greatest_divisor(a, b):
    while b:
        a, b = b, a % b
    return a


@case((3, 1000, 7), [(2, M62, 1000003), (-3, 55, 10), (5, 0, 7), (5, 3, 0), (5, 3, -7)])
def power_modulo(base, exponent, modulus):
    result = 1
    base %= modulus
    while exponent > 0:
        if exponent & 1:
            result = result * base % modulus
        base = base * base % modulus
        exponent >>= 1
    return result


@case((100,), [(10,), (1000,)])
def xorshift(n):
    x = 88172645463325252
    for _ in range(n):
        x ^= (x << 13) & 0xFFFFFFFFFFFFFFFF
        x ^= x >> 7
        x ^= (x << 17) & 0xFFFFFFFFFFFFFFFF
    return x


@case((100,), [(1000,), (3,)])
def hash_32_bits(n):
    h = 2166136261
    for i in range(n):
        h = ((h ^ (i & 255)) * 16777619) & 0xFFFFFFFF
    return h


@case((1, 2, 3), [(1.0, 2, 3), (1, 2.5, 3), (1, 2, 3.5), (True, True, True), (M62, M62, M62), (M63 - 1, 0, 1)])
def three_sums(a, b, c):
    s = a + b
    t = s + c
    return s, t, s * t
