"""The functions whose IR is kept in `ir/`. Small and typical: change one only with its text."""


def sum_of_range(n):
    total = 0
    for i in range(n):
        total += i * 2
    return total


def newton(x, turns):
    guess = x
    while turns > 0:
        guess = (guess + x / guess) * 0.5
        turns -= 1
    return guess


def dot(xs, ys):
    total = 0.0
    for i in range(len(xs)):
        total += xs[i] * ys[i]
    return total


def clamp(x, low, high):
    return low if x < low else high if x > high else x


def clamp_all(n):
    total = 0
    for i in range(n):
        total += clamp(i, 3, 7)
    return total


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y


def move(point, n):
    for _ in range(n):
        point.x += point.y
    return point.x


def swap_ends(xs):
    i, j = 0, len(xs) - 1
    while i < j:
        xs[i], xs[j] = xs[j], xs[i]
        i += 1
        j -= 1
    return xs


def two_names(n):
    """Making a list runs nobody's code: the two names of one number go home only if it fails, to one box."""
    made = None
    for i in range(n):
        s = i * 0.5
        t = s
        made = [i, n]
        if t is not s:
            return None
    return made


CALLS = {
    "sum_of_range": (sum_of_range, (50,)),
    "newton": (newton, (2.0, 20)),
    "dot": (dot, ([1.5, 2.5, 3.5], [2.0, 3.0, 4.0])),
    "clamp_all": (clamp_all, (20,)),
    "move": (move, (Point(1, 2), 20)),
    "swap_ends": (swap_ends, ([1, 2, 3, 4, 5, 6],)),
    "two_names": (two_names, (50,)),
}
