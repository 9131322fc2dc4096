"""Functions that run in their caller's frame: loops, stores, exits and exceptions in the middle of them."""

# ruff: noqa  (odd code is what these are for)

import sys

from support.case import case


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y
        self.moves = 0

    def move(self, dx, dy):
        self.x += dx
        self.moves += 1
        self.y += dy
        return self.moves

    def move_twice(self, dx):
        self.move(dx, 1)
        return self.move(dx, 2)

    def far(self, limit):
        return self.x > limit.x and self.y > limit.y

    def step(self, limit):
        old = self.x
        self.x = old + 1
        if self.far(limit):
            self.x = -self.x
        return old


def count_down(n):
    steps = 0
    while n > 0:
        n -= 3
        steps += 1
    return steps


def total_of(items, n):
    total = 0
    for i in range(n):
        total += items[i]
    return total


def put(items, i, value):
    items[i] = value
    return value


def both(n):
    steps = count_down(n)
    return steps + count_down(steps)


def checked(x, limit):
    if x > limit:
        raise ValueError("beyond")
    return x * 2


def unequal_kinds(n):
    x = 0
    for i in range(n):
        x = x + 0.5 if i & 1 else x
    return x


def swap(a, b):
    return b - a


@case((20, 9), [(5, 0), (5, -3), (20, 1.5), (20, -(2**70)), (3, "a"), (0, None)])
def loop_inside(rounds, n):
    total = 0
    for i in range(rounds):
        total += count_down(n) + i
    return total


@case((20, 9), [(5, 0), (20, 1.5), (20, -(2**65))])
def loops_two_deep(rounds, n):
    total = 0
    for i in range(rounds):
        total = total + both(n + i)
    return total


@case(([1, 2, 3, 4], 12), [([1, 2, 3], 5), ([1, 2.5, 3, "a"], 5), ([1, 2.5, 2**70, 4], 5), ((1, 2, 3, 4), 5)])
def range_inside(items, rounds):
    total = 0
    for _ in range(rounds):
        total += total_of(items, 4)
    return total


@case((30, 3), [(30, 2.5), (30, "a"), (30, None), (10, 2**62), (4, 2**63)])
def several_effects(rounds, d):
    point = Point(0, 0)
    seen = []
    try:
        for i in range(rounds):
            seen.append(point.move(d, i))
    except TypeError as error:
        seen.append(str(error))
    return seen, point.x, point.y, point.moves


@case((30, 3), [(30, 2.5), (30, "a")])
def effects_two_deep(rounds, d):
    point = Point(0, 0)
    last = None
    try:
        for _ in range(rounds):
            last = point.move_twice(d)
    except TypeError as error:
        last = str(error)
    return last, point.x, point.y, point.moves


@case((40, 1.0), [(40, 2), (40, 10**30)])
def effects_change_type(rounds, change):
    point = Point(0, 0)
    for i in range(rounds):
        point.move(change if i == rounds - 3 else 1, 1)
    return point.x, point.y, point.moves


LIMIT = Point(7, 9)


@case((30, 5), [(30, 50), (30, 0.5), (30, "a")])
def rarely_taken_path(rounds, y):
    point = Point(0, y)
    found = []
    try:
        for i in range(rounds):
            point.y = y if i < 11 else 20
            found.append(point.step(LIMIT))
    except TypeError as error:
        found.append(str(error))
    return found, point.x


@case(([0, 0, 0], 9), [([0.0, None, "x"], 9), ([], 9), ([0], 9)])
def store_inside(items, rounds):
    total = 0
    try:
        for i in range(rounds):
            total += put(items, i % 3, i)
    except IndexError as error:
        return total, str(error), items
    return total, items


@case((20, 100), [(20, 10), (20, 0), (20, 15.5)])
def raises_inside(rounds, limit):
    total = 0
    line = None
    for i in range(rounds):
        total += checked(i, limit)
    return total


@case((20, 100), [(20, 10), (20, 0)])
def raises_inside_a_handler(rounds, limit):
    total = 0
    lines = []
    for i in range(rounds):
        try:
            total += checked(i, limit)
        except ValueError as error:
            entry = error.__traceback__
            while entry:
                lines.append((entry.tb_frame.f_code.co_name, entry.tb_lineno, sorted(entry.tb_frame.f_locals)))
                entry = entry.tb_next
            total -= 1
    return total, lines


@case((12, 9), [(12, 0), (3, 1)])
def changing_kinds_inside(rounds, n):
    return [unequal_kinds(n + i) for i in range(rounds)]


@case((10, 3, 4), [(10, 3.5, 4), (10, "a", "b"), (10, 3, 2**64)])
def below_on_the_stack(rounds, a, b):
    total = 0
    for i in range(rounds):
        total = (i, a, total + i * swap(a, b))[2]
    return total


@case((10, 2**60), [(10, 2**62), (10, -(2**63)), (10, 1.5)])
def overflow_inside(rounds, n):
    total = 0
    for i in range(rounds):
        total ^= swap(-n, n)
    return total


@case(([1, 2, 3, 4], 100), [([1, 2, 30], 10), ([30], 10), ([], 10), ([1, "a"], 10)])
def raises_in_a_comprehension(xs, limit):
    """Below the call that raises the stack has an empty place: the variable of the comprehension, put aside."""
    log = []
    try:
        return sum([checked(x, limit) for x in xs]), log
    except ValueError as error:
        log.append(str(error))
    except TypeError:
        log.append("type")
    finally:
        log.append("finally")
    return log


@case(([1, 2, 3, 4], 100), [([1, 2, 30], 10), ([30, 30], 10)])
def raises_below_a_pending_call(xs, limit):
    total = 0
    for x in xs:
        try:
            total += max(checked(x, limit), len(xs))
        except ValueError:
            total -= 1
    return total
