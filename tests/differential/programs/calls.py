"""Calls of every shape, closures, recursion, inlined helpers and what goes wrong in them."""

# ruff: noqa  (odd code is what these are for)

import _thread
import functools
import signal
import sys

from support.case import case, script


def add(a, b):
    return a + b


def divide(a, b):
    return a / b


def pick(xs, i):
    return xs[i]


def clamp(x, low, high):
    if x < low:
        return low
    if x > high:
        return high
    return x


def nested_helper(a, b):
    return add(divide(a, b), clamp(a, 0, b))


def no_result(x):
    x = x + 1


def many(a, b=2, /, c=3, *args, d=4, **kwargs):
    return a, b, c, args, d, kwargs


class Callable:
    def __call__(self, x):
        return x * 2


@case((1, 10), [(1.5, 10), (2**62, 10), ("a", 2), (None, 1), (1, 0)])
def call_helper(a, n):
    total = a
    for _ in range(n):
        total = add(total, a)
    return total


@case((1, 10), [(1, 0), (0, 3), (1.5, 3), (2**70, 3), ("a", 2)])
def helper_divides(a, n):
    total = 0
    for i in range(-n, n):
        total += divide(a, i + 100)
    return total + divide(a, n)


@case((5, 2), [(5, 0), (5.0, 2), ("a", 1), (2**63, 3), (-5, 2)])
def helpers_in_helpers(a, b):
    total = 0
    for i in range(5):
        total += nested_helper(a + i, b)
    return total


@case(([1, 2, 3], 3), [([1, 2, 3], 5), ([1.5] * 5, 5), ((1, 2, 3), 3), ([], 1), ([None] * 3, 3)])
def helper_indexes(xs, n):
    total = 0
    for i in range(n):
        total += pick(xs, i)
    return total


@case((30,), [(5,), (0,)])
def helper_branches(n):
    out = []
    for i in range(-n, n):
        out.append(clamp(i, -3, 3))
        out.append(clamp(i * 0.5, -3, 3))
    return out


@case((5,), [("a",), (1.5,)])
def helper_returns_none(x):
    out = None
    for _ in range(5):
        out = no_result(x)
    return out


@case((3,), [(0,), (1.5,), ("x",)])
def every_shape(a):
    out = []
    for _ in range(5):
        out.append(many(a))
        out.append(many(a, 1, 2))
        out.append(many(a, 1, 2, 3, 4))
        out.append(many(a, c=5))
        out.append(many(a, d=6, e=7))
    return out


@case(((1, 2), {"d": 3}), [((), {}), ((1,), {"a": 2}), ((1, 2, 3, 4), {"c": 1}), ([1], {"z": 0})], machine=False)
def star_calls(args, kwargs):
    return many(*args, **kwargs), many(0, *args), many(0, **kwargs)


@case((3,), [("a",)])
def wrong_counts(a):
    out = []
    for wrong in (lambda: add(a), lambda: add(a, a, a), lambda: add(a, c=1), lambda: add()):
        try:
            wrong()
        except TypeError as error:
            out.append(str(error))
    return out


@case(
    (add, 3),
    [
        (divide, 3),
        (max, 3),
        (lambda a, b: (a, b), 3),
        (functools.partial(many, 1), 3),
        (int, 3),
        (5, 3),
        (None, 1),
    ],
)
def call_what_is_given(function, n):
    out = []
    for i in range(n):
        out.append(function(i + 1, 2))
    return out


@case((Callable(), 3), [(abs, 3), (str, 2), (lambda x: -x, 5), ("a", 1)])
def call_objects(c, n):
    return [c(i) for i in range(n)]


@case((15,), [(1,), (0,), (18,), (10.0,)])
def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


@case((2, 3), [(0, 5), (2, 5), (1, 0)])
def ackermann(m, n):
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann(m - 1, 1)
    return ackermann(m - 1, ackermann(m, n - 1))


def is_even(n):
    if n == 0:
        return True
    return is_odd(n - 1)


def is_odd(n):
    if n == 0:
        return False
    return is_even(n - 1)


@case((10,), [(11,), (0,), (100,)], hot=[is_even, is_odd])
def mutual_recursion(n):
    return is_even(n), is_odd(n)


@script()
def recursion_error(run):
    def deep(n):
        if n == 0:
            return 0
        return deep(n - 1) + 1

    def probe(n):
        try:
            return deep(n)
        except RecursionError as error:
            return type(error).__name__, str(error)

    run.warm(deep, 50)
    run.call(probe, 200, times=5)
    run.call(probe, 100_000, times=5)
    run.call(probe, 300, times=5)


@case((10, 3), [(10, 0.5), (0, 1), (5, "a")], machine=False)
def closure_reads(n, k):
    def inner(x):
        total = x
        for i in range(n):
            total += k
        return total

    return inner(0), inner(1)


@case((10,), [(0,), (50,)])
def closure_writes(n):
    count = 0

    def bump(by):
        nonlocal count
        count += by
        return count

    out = []
    for i in range(n):
        out.append(bump(i))
    return out, count


@case((10,), [(0,), (3,)])
def cell_in_loop(n):
    functions = []
    for i in range(n):
        functions.append(lambda: i)
    total = 0
    for f in functions:
        total += f()
    return total, i if n else None


@script()
def made_again_and_again(run):
    def make(k):
        def inner(n):
            total = 0
            for i in range(n):
                total += i * k
            return total

        return inner

    one, half, text = make(1), make(0.5), make("ab")
    run.warm(one, 20)
    run.call(half, 20, times=15)
    run.call(text, 20, times=15)
    run.call(one, 20, times=15)


@case((3,), [("a",), (1.5,), (None,)])
def arguments_reassigned(a):
    a = a * 2
    b = a
    a = b * 2
    return a, b


@case((5, 3), [(5, 0), (5, "a"), (2**63, 2)])
def lambdas(n, k):
    f = lambda x: x * k + 1
    total = 0
    for i in range(n if n < 100 else 3):
        total += f(i)
    return total


def doubled(f):
    @functools.wraps(f)
    def wrapper(*args):
        return f(*args), f(*args)

    return wrapper


@doubled
def decorated(x):
    return x + 1


@case((1,), [(1.5,), ("a",)])
def call_decorated(x):
    return [decorated(x) for _ in range(3)]


@case(([3, 1, 2],), [([],), (["b", "a"],), ([1, "a"],)], machine=False)
def callback_from_c(xs):
    return sorted(xs, key=lambda x: -x if isinstance(x, int) else x), list(map(lambda x: (x, x), xs))


@case((3,), [(0,), (2.0,)], machine=False)
def locals_and_frames(n):
    total = 0
    for i in range(int(n)):
        total += i
        seen = dict(locals())
        assert sys._getframe().f_locals["total"] == total
    return total, locals()


@case((2, 3), [(2, 0), ("a", 3), (2.5, 2)], machine=False)
def positional_only_star(a, b):
    def take(x, /, *rest, key=None):
        return x, rest, key

    return take(a), take(a, b), take(a, b, key=b)


@case(
    ((5, 3, 1.5, [1, 2, (3, 4.0)], None),),
    [((),), (5,), ([[[[[]]]]],), ([1, [2.5, ["a"]]],), ((True, 2, "a"),), ({1: 2},), ([2**70, [1]],)],
)
def described(value, depth=0):
    kind = type(value)
    if depth > 3:
        return "..."
    if kind is float:
        return f"float {value}"
    if kind is int:
        return f"int {value if abs(value) < 10**9 else hex(value)}"
    if kind in (bool, str, bytes, type(None), range, slice, complex):
        return repr(value)
    if kind in (list, tuple, set, frozenset):
        parts = [described(item, depth + 1) for item in value]
        return f"{kind.__name__}({', '.join(sorted(parts) if kind in (set, frozenset) else parts)})"
    return kind.__name__


@case((4, 3), [(0, 0), (2.5, 1), ("a", 2), (5, 5)], machine=False)
def permutations(n, k):
    def walk(chosen, left, depth=0, *, step=1):
        if depth >= k:
            return [chosen]
        out = []
        for i in left:
            out += walk([*chosen, i], [x for x in left if x != i], depth + step)
        return out

    return walk([], list(range(n)))


class Tree:
    def __init__(self, value, left=None, right=None):
        self.value = value
        self.left = left
        self.right = right

    def total(self, weight=1):
        result = self.value * weight
        if self.left is not None:
            result += self.left.total(weight + 1)
        if self.right is not None:
            result += self.right.total(weight * 2)
        return result


@case(
    (Tree(1, Tree(2), Tree(3, Tree(4))),),
    [(Tree(0.5, Tree(1)),), (Tree(2**62, Tree(2**62), Tree(2**63)),), (Tree(1, Tree("a")),), (Tree(None),)],
    hot=[Tree.total],
)
def walk_tree(tree):
    return tree.total(), tree.total(3)


class Ends:
    def __init__(self, name, log):
        self.name = name
        self.log = log

    def __del__(self):
        self.log.append(self.name)

    def __add__(self, other):
        return 1

    def __eq__(self, other):
        return True

    def __contains__(self, item):
        return True


def lets_go(x, log):
    del x
    log.append("after")


def rebinds(x, log):
    x = None
    log.append("after")
    return x


@case((20,), [(0,)])
def arguments_end_in_the_callee(n):
    log = []
    for i in range(n):
        lets_go(Ends("end", log), log)
        rebinds(Ends("end too", log), log)
    return log


def lets_go_of_first(x, log, note="after", *rest, **more):
    del x
    log.append(note)


def lets_go_of_rest(log, *rest, **more):
    del rest, more
    log.append("after")


def lets_go_and_yields(x, log):
    del x
    yield log.append("after")


@case((20,), [(0,)])
def arguments_end_in_a_callee_of_any_kind(n):
    log = []
    for i in range(n):
        lets_go_of_first(Ends("default", log), log)
        lets_go_of_first(log=log, x=Ends("named", log))
        lets_go_of_first(Ends("more", log), log, "after", i, most=i)
        lets_go_of_rest(log, Ends("rest", log), Ends("rest", log))
        lets_go_of_rest(log, first=Ends("kept by name", log))
        list(lets_go_and_yields(Ends("in a generator", log), log))
        try:
            lets_go(Ends("too many", log), log, i)
        except TypeError as error:
            log.append(str(error))
        try:
            lets_go(Ends("unknown", log), nothing=log)
        except TypeError as error:
            log.append(str(error))
    return log


class LetsGo:
    def method(self, x, log):
        del x
        log.append("after")


@case((20,), [(0,)])
def arguments_end_in_a_bound_method(n):
    log = []
    bound = LetsGo().method
    for i in range(n):
        bound(Ends("end", log), log)
        bound(log=log, x=Ends("named", log))
        LetsGo().method(Ends("of a new one", log), log)
        try:
            bound(Ends("missing", log))
        except TypeError as error:
            log.append(str(error))
    return log


class SendsItself(int):
    send = property(_thread.interrupt_main)  # C throughout: what it leaves pending waits for the call that comes next


@script()
def arguments_end_in_the_callee_with_a_signal_pending(run):
    def calls(n):
        log = []
        signal.signal(signal.SIGUSR1, lambda *ignored: log.append("signal"))
        for i in range(n):
            lets_go(Ends("end", log), log if i % 2 else [log, number.send][0])
        return log

    number = SendsItself(signal.SIGUSR1)
    before = signal.getsignal(signal.SIGUSR1)
    run.warm(calls, 20)
    signal.signal(signal.SIGUSR1, before)


@case((20,), [(0,)])
def operands_end_in_order(n):
    log = []
    for i in range(n):
        Ends("left", log) + Ends("right", log)
        Ends("left", log) == Ends("right", log)
        Ends("item", log) in Ends("container", log)
    return log
