"""Generators, comprehensions, async, strings, matching."""

# ruff: noqa  (odd code is what these are for)

import asyncio

from support.case import case, script


def counting(n):
    total = 0
    for i in range(n):
        total += i
        yield total


def echo(n):
    got = []
    for i in range(n):
        got.append((yield i * 2))
    return got


def delegating(n):
    result = yield from echo(n)
    yield result


def guarded(n):
    i = 0
    try:
        while i < n:
            yield i
            i += 1
    except ValueError as error:
        yield f"caught {error}"
    finally:
        i = -1


@case((20,), [(0,), (1,), (50,), (2.5,), ("a",)], hot=[counting], machine=False)
def consume(n):
    return list(counting(n))


@case((20,), [(0,), (50,)], hot=[counting], machine=False)
def consume_in_a_loop(n):
    total = 0
    for x in counting(n):
        total += x
        if x > 500:
            break
    return total


@case((10,), [(0,), (3,)], hot=[echo], machine=False)
def send_values(n):
    generator = echo(n)
    out = [next(generator, "empty")]
    try:
        for i in range(n):
            out.append(generator.send(i * 0.5))
    except StopIteration as stop:
        out.append(stop.value)
    return out


@case((10,), [(0,), (3,)], hot=[delegating, echo], machine=False)
def delegate(n):
    return list(delegating(n))


@case((10,), [(2,), (50,)], hot=[guarded], machine=False)
def throw_into(n):
    generator = guarded(n)
    out = []
    for i in range(5):
        out.append(next(generator, None))
    try:
        out.append(generator.throw(ValueError("now")))
    except ValueError as error:
        out.append(str(error))
    generator.close()
    return out


@case((10,), [(0,), (3,), (30,)])
def comprehensions(n):
    squares = [i * i for i in range(n)]
    odd = [x for x in squares if x % 2]
    table = {x: x * 0.5 for x in squares}
    unique = {x % 3 for x in squares}
    return squares, odd, table, unique


@case((4,), [(0,), (7,)])
def nested_comprehensions(n):
    return [[i * j for j in range(i)] for i in range(n)], [(i, j) for i in range(n) for j in range(n) if i != j]


@case((5,), [(0,), (9,)])
def comprehension_keeps_outer(n):
    i = "outer"
    x = [i for i in range(n)]
    y = [x.append(i) or i for i in range(3)]
    return i, x, y


@case(([1, 0],), [([1, 2],), ([],), ([1, "a"],)])
def error_in_comprehension(xs):
    return [10 // x for x in xs if x or len(xs) != 2 or xs[0] != 1 or True]


@case((10,), [(0,), (100,)])
def generator_expression(n):
    return (
        sum(i * i for i in range(n)),
        any(i > 50 for i in range(n)),
        max((i % 7 for i in range(n)), default=None),
    )


@case((10,), [(0,), (3,)])
def walrus(n):
    out = []
    while (m := n - len(out)) > 0:
        out.append(m)
    return out, [y for x in range(n) if (y := x * 2) > 4]


@case((10,), [(0,), (3,)])
def build_string(n):
    text = ""
    for i in range(n):
        text += str(i)
        text = text + ","
    return text, len(text), text[-1:], text.split(",")


@case(("hello world", 3), [("", 0), ("äöü€😀", 2), ("aaa", 100), (b"bytes", 1)])
def walk_string(text, n):
    out = []
    for c in text:
        out.append(c)
    i = 0
    while i < n and i < len(text):
        out.append(text[i])
        i += 1
    return out, text[::-1]


@case((3, 1.5), [("a", 0.0), (None, -0.0), (2**70, 1e300)])
def format_strings(a, x):
    out = ""
    for i in range(3):
        out += f"{a}-{i:03d}-{x:.2f}-{a!r:>6}"
    return out


@case(("abc", "abd"), [("a", 1), ("", ""), ("b", "a"), (1, 2), ("x" * 50, "x" * 50)])
def compare_strings(a, b):
    return a == b, a != b, a + "c" if isinstance(a, str) else a, (a < b) if type(a) is type(b) else None


@case((5,), [(-1,), ("a",), ([1, 2],), ([1, 2, 3],), ({"k": 9},), (None,), (2.0,), ((),)])
def matching(value):
    out = []
    for _ in range(3):
        match value:
            case 5 | 6:
                out.append("number")
            case int(x) if x < 0:
                out.append(x)
            case str(s):
                out.append(s * 2)
            case [a, b]:
                out.append((b, a))
            case [_, *rest]:
                out.append(rest)
            case {"k": v}:
                out.append(v)
            case None:
                out.append("none")
            case _:
                out.append("other")
    return out


async def async_sum(n):
    total = 0
    for i in range(n):
        total += i
        await asyncio.sleep(0)
    return total


async def async_numbers(n):
    for i in range(n):
        yield i * 0.5


async def async_walk(n):
    return [x async for x in async_numbers(n)]


@case((10,), [(0,), (3,), ("a",)], hot=[async_sum, async_walk], machine=False)
def run_async(n):
    return asyncio.run(async_sum(n)), asyncio.run(async_walk(n))


@script(hot=[counting], machine=False)
def generators_interleave(run):
    def weave(n):
        first, second = counting(n), counting(n * 2)
        out = []
        for a, b in zip(first, second):
            out.append(a - b)
            if a > 10:
                out.append(next(second))
        return out, list(second)

    run.warm(weave, 10)
    run.call(weave, 30, times=15)
    run.call(weave, 0, times=15)


@case((10,), [(0,), (4,)])
def ternaries(n):
    out = []
    for i in range(n):
        out.append("even" if i % 2 == 0 else "odd" if i > 3 else i)
    return out


@case((10,), [(0,), (3,)], machine=False)
def sets_and_tuples(n):
    seen = set()
    pairs = ()
    for i in range(n):
        seen.add(i % 4)
        pairs = (*pairs, i)
        a, (b, c) = i, (i + 1, i * 0.5)
        pairs += (a, b, c)
    return seen, pairs
