"""while, for, break, continue, else, nesting; ranges of every step and size."""

# ruff: noqa  (odd code is what these are for)

from support.case import case


@case((10,), [(0,), (1,), (100,), (-1,), (2.5,), (True,)])
def count_down(n):
    steps = 0
    while n > 0:
        n -= 1
        steps += 1
    return steps, n


@case((10, 5), [(10, 50), (0, 0), (10, 0), (10, 9)])
def while_else(n, stop):
    i = 0
    while i < n:
        if i == stop:
            how = "broke"
            break
        i += 1
    else:
        how = "ran out"
    return how, i


@case((10, 5), [(10, 50), (0, 0), (10, 9), (10, 5.0), (10, None)])
def for_else(n, stop):
    for i in range(n):
        if i == stop:
            break
    else:
        return "ran out"
    return "broke", i


@case((10,), [(0,), (1,), (30,)])
def continue_in_both(n):
    out = []
    for i in range(n):
        if i % 3 == 0:
            continue
        j = i
        while j > 0:
            j -= 1
            if j % 2:
                continue
            out.append((i, j))
    return out


@case((6,), [(0,), (1,), (12,)])
def triple_nest(n):
    total = 0
    for i in range(n):
        for j in range(i, n):
            for k in range(j, i - 1, -1):
                if (i + j + k) % 5 == 0:
                    break
                total += i * j - k
            else:
                total += 1000
    return total


@case((5, 7), [(0, 7), (5, 0), (1, 1), (5.0, 7)])
def nested_break_out(n, m):
    for i in range(n):
        for j in range(m):
            if i * j > 10:
                break
        else:
            continue
        break
    return i, j


@case(
    (0, 10, 2),
    [
        (10, 0, -1),
        (10, 0, -3),
        (0, 10, 3),
        (5, 5, 1),
        (0, -5, 1),
        (0, 10, 0),
        (-3, 4, 7),
        (0, 1, 100),
        (0, 5, True),
        (0, 5, 1.0),
    ],
)
def range_with_steps(start, stop, step):
    return [i for i in range(start, stop, step)], sum(i * 2 for i in range(start, stop, step))


@case(
    (0, 10),
    [
        (5, 5),
        (9, 2),
        (-4, 3),
        (2**63 - 3, 2**63 - 1),
        (2**63 - 2, 2**63 + 2),
        (-(2**63), -(2**63) + 3),
        (2**64, 2**64 + 2),
        (0.0, 3),
    ],
)
def range_bounds(start, stop):
    total, last = 0, None
    for i in range(start, stop):
        total += i
        last = i
    return total, last


@case((20,), [(0,), (1,), (2,), (3,)])
def step_two(n):
    total = 0
    for i in range(0, n, 2):
        total += i
    for i in range(n, 0, -2):
        total = total * 3 - i
    for i in range(n - 1, -1, -1):
        total ^= i
    return total


@case((2**63 - 30, 2**63 - 1), [(2**63 - 8, 2**63 - 1), (2**63 - 3, 2**63)])
def step_seven_to_the_top(start, stop):
    seen = []
    for i in range(start, stop, 7):
        seen.append(i)
    return seen


@case((10,), [(0,), (3,)])
def bounds_change_inside(n):
    seen = []
    for i in range(n):
        n = 3
        seen.append(i)
        i = 100
        seen.append(i)
    return seen, n


@case((10,), [(0,), (1,)])
def variable_after_the_loop(n):
    for i in range(n):
        pass
    return i


@case((5,), [(0,), (2,)])
def same_range_twice(n):
    numbers = range(n)
    out = []
    for i in numbers:
        for j in numbers:
            out.append(i * n + j)
    return out, numbers


@case((10,), [(4,), (0,)])
def shared_iterator(n):
    iterator = iter(range(n))
    out = []
    for i in iterator:
        out.append(i)
        for j in iterator:
            out.append(j * 10)
            break
    return out


@case((8,), [(0,), (3,), (20,)])
def iterator_seen_while_running(n):
    numbers = iter(range(n))
    out = []
    for i in numbers:
        out.append((i, numbers.__length_hint__()))
        if i == 5:
            break
    return out, list(numbers)


@case((3, 100), [(0, 5), (50, 60), (1, 1)])
def two_loops_one_variable(n, m):
    for i in range(n):
        pass
    for i in range(m):
        if i > n:
            return i
    return -1


@case((30,), [(100,), (0,)])
def many_variables(n):
    a = b = c = d = e = f = g = h = 1
    x = y = z = w = 0.5
    for i in range(n):
        a, b, c, d = b, c, d, (a + b + i) & 0xFFFF
        e, f, g, h = h ^ a, e, f + 1, g & d
        x, y, z, w = y * 0.5, z + a, w - x, x + 0.25
    return a, b, c, d, e, f, g, h, x, y, z, w


@case((30,), [(100,), (0,), (7,)])
def rotations(n):
    a, b, c = 1, 2, 3
    x, y = 1.5, 2.5
    for i in range(n):
        a, b, c = b, c, a
        x, y = y, x
        if i % 4 == 0:
            a, b = b, a
    return a, b, c, x, y


@case((100,), [(1000,), (2,)])
def sieve(limit):
    flags = [True] * limit
    count = 0
    for i in range(2, limit):
        if flags[i]:
            count += 1
            for j in range(i * i, limit, i):
                flags[j] = False
    return count


@case((10,), [(100,), (-1,)])
def loop_forever_until_return(n):
    i = 0
    while True:
        i += 1
        if i > n:
            return i


@case(([3, 1, 2],), [([],), ([1],), ([5, 4, 3, 2, 1],), ([1.5, 1, True],), (["b", "a"],), ([1, "a"],)])
def bubble_sort(xs):
    n = len(xs)
    for i in range(n):
        for j in range(n - 1 - i):
            if xs[j] > xs[j + 1]:
                xs[j], xs[j + 1] = xs[j + 1], xs[j]
    return xs


@case((10,), [(20,), (0,), (5,)])
def unbound_sometimes(n):
    for i in range(n):
        if i == 7:
            found = i
    return found


@case((10, False), [(10, True), (0, True), (3, False)])
def delete_in_loop(n, early):
    x = 1
    for i in range(n):
        if early and i == 5:
            del x
        x = x + 1
    return x


@case((20,), [(3,), (0,)])
def countdown_with_compare_chain(n):
    i, out = 0, []
    while 0 <= i < n and len(out) < 10:
        out.append(i)
        i += 1 if i % 2 else 2
    return out
