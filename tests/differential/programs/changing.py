"""What a hot function relies on changes: globals, builtins, functions, defaults, code."""

# ruff: noqa  (odd code is what these are for)

import builtins
import threading

from support.case import script

STEP = 1
OPTIONAL = 5


def helper(x):
    return x + 1


def other(x):
    return x * 0.5


def reads_global(n):
    total = 0
    for i in range(n):
        total += STEP * i
    return total


def reads_global_straight(a):
    return a * STEP + STEP


def calls_helper(n):
    total = 0
    for i in range(n):
        total += helper(i)
    return total


def calls_deep(n):
    total = 0
    for i in range(n):
        total += middle(i) - helper(i)
    return total


def middle(x):
    return helper(x) * helper(x + 1)


def uses_len(xs, n):
    total = 0
    for _ in range(n):
        total += len(xs)
    return total


def uses_abs(n):
    total = 0
    for i in range(n):
        total += abs(-i)
    return total


def uses_range(n):
    seen = []
    for i in range(n):
        seen.append(i)
    return seen


def uses_optional(n):
    total = 0
    for _ in range(n):
        total += OPTIONAL
    return total


def writes_global(n):
    global COUNTER
    COUNTER = 0
    for i in range(n):
        COUNTER += i
    return COUNTER


def with_default(n, d=2, *, k=3):
    total = 0
    for i in range(n):
        total += i * d + k
    return total


def calls_default(n):
    total = 0
    for i in range(n):
        total += scaled(i)
    return total


def scaled(x, factor=2):
    return x * factor


@script(hot=[reads_global, reads_global_straight])
def a_global_changes(run):
    global STEP
    for value in (1, 2, 0.5, 2**62, "ab", None, 1):
        STEP = value
        if value == 1:
            run.warm(reads_global, 20)
            run.warm(reads_global_straight, 7)
        run.call(reads_global, 20, times=15)
        run.call(reads_global_straight, 7, times=15)
    STEP = 1


@script(hot=[reads_global])
def globals_grow(run):
    run.warm(reads_global, 20)
    for i in range(200):
        globals()[f"new_{i}"] = i
    run.call(reads_global, 20, times=15)
    for i in range(200):
        del globals()[f"new_{i}"]
    run.call(reads_global, 20, times=15)


@script(hot=[calls_helper])
def a_function_is_redefined(run):
    global helper
    original = helper
    try:
        run.warm(calls_helper, 20)
        helper = other
        run.call(calls_helper, 20, times=15)
        helper = lambda x: "no"
        run.call(calls_helper, 20, times=15)
        helper = abs
        run.call(calls_helper, 20, times=15)
        helper = 5
        run.call(calls_helper, 20, times=15)
    finally:
        helper = original
    run.call(calls_helper, 20, times=15)


@script(hot=[calls_deep])
def an_inner_function_is_redefined(run):
    global helper
    original = helper
    try:
        run.warm(calls_deep, 20)
        helper = other
        run.call(calls_deep, 20, times=15)
    finally:
        helper = original
    run.call(calls_deep, 20, times=15)


@script(hot=[calls_helper])
def the_code_of_a_function_is_replaced(run):
    def replaced(x):
        return x * 1000

    original = helper.__code__
    run.warm(calls_helper, 20)
    helper.__code__ = replaced.__code__
    run.call(calls_helper, 20, times=15)
    helper.__code__ = original
    run.call(calls_helper, 20, times=15)


@script(hot=[uses_len, uses_abs, uses_range])
def builtins_are_shadowed(run):
    run.warm(uses_len, [1, 2, 3], 10)
    run.warm(uses_abs, 10)
    run.warm(uses_range, 10)
    here = globals()
    try:
        here["len"] = lambda xs: 100
        here["abs"] = lambda x: x - 1
        here["range"] = lambda n: [n, n]
        run.call(uses_len, [1, 2, 3], 10, times=15)
        run.call(uses_abs, 10, times=15)
        run.call(uses_range, 10, times=15)
    finally:
        del here["len"], here["abs"], here["range"]
    run.call(uses_len, [1, 2, 3], 10, times=15)
    run.call(uses_abs, 10, times=15)
    run.call(uses_range, 10, times=15)


@script(hot=[uses_len, uses_abs])
def builtins_are_replaced(run):
    run.warm(uses_len, [1, 2, 3], 10)
    run.warm(uses_abs, 10)
    real_len, real_abs = builtins.len, builtins.abs
    here = threading.get_ident()  # everybody else, the compiler's threads too, gets what they expect
    try:
        builtins.abs = lambda x: x * 2.5 if threading.get_ident() == here else real_abs(x)
        run.call(uses_abs, 10, times=15)
        builtins.len = lambda xs: real_len(xs) + (xs == [1, 2, 3] and threading.get_ident() == here)
        run.call(uses_len, [1, 2, 3], 10, times=15)
    finally:
        builtins.len, builtins.abs = real_len, real_abs
    run.call(uses_len, [1, 2, 3], 10, times=15)
    run.call(uses_abs, 10, times=15)


@script(hot=[uses_optional])
def a_global_disappears(run):
    global OPTIONAL
    run.warm(uses_optional, 10)
    del OPTIONAL
    run.call(uses_optional, 10, times=15)
    OPTIONAL = 2.5
    run.call(uses_optional, 10, times=15)
    OPTIONAL = 5


@script(hot=[writes_global], machine=False)
def a_global_is_written(run):
    run.warm(writes_global, 10)
    run.call(writes_global, 30, times=15)


@script(hot=[with_default])
def defaults_change(run):
    run.warm(with_default, 10)
    with_default.__defaults__ = (1.5,)
    run.call(with_default, 10, times=15)
    with_default.__kwdefaults__ = {"k": "x"}
    run.call(with_default, 10, times=15)
    with_default.__defaults__ = ()
    run.call(with_default, 10, times=15)
    run.call(with_default, 10, 7, times=15)
    with_default.__defaults__, with_default.__kwdefaults__ = (2,), {"k": 3}
    run.call(with_default, 10, times=15)


@script(hot=[calls_default])
def defaults_of_a_callee_change(run):
    run.warm(calls_default, 10)
    scaled.__defaults__ = (5,)
    run.call(calls_default, 10, times=15)
    scaled.__defaults__ = (0.5,)
    run.call(calls_default, 10, times=15)
    scaled.__defaults__ = None
    run.call(calls_default, 10, times=15)
    scaled.__defaults__ = (2,)
    run.call(calls_default, 10, times=15)


@script()
def a_global_changes_inside_the_loop(run):
    def use(n):
        global STEP
        total = []
        for i in range(n):
            if i == 10:
                STEP = 5
            if i == 15:
                STEP = 0.25
            total.append(i * STEP)
        STEP = 1
        return total

    run.warm(use, 8)
    run.call(use, 20, times=15)


@script()
def a_callee_redefines_the_next(run):
    def use(n):
        global helper
        original = helper
        out = []
        try:
            for i in range(n):
                out.append(helper(i))
                if i == 10:
                    helper = other
        finally:
            helper = original
        return out

    run.warm(use, 8)
    run.call(use, 20, times=15)


@script()
def own_code_is_replaced(run):
    def first(n):
        total = 0
        for i in range(n):
            total += i
        return total

    def second(n):
        total = 1.0
        for i in range(n):
            total -= i
        return total

    run.warm(first, 20)
    code = first.__code__
    first.__code__ = second.__code__
    run.call(first, 20, times=15)
    first.__code__ = code
    run.call(first, 20, times=15)


@script()
def exec_in_other_globals(run):
    source = "def f(n):\n    t = 0\n    for i in range(n):\n        t += g(i) + K\n    return t\n"
    spaces = [{"g": helper, "K": 1}, {"g": other, "K": 2**63}, {"g": abs, "K": "x"}]
    code = compile(source, __file__, "exec")
    for space in spaces:
        exec(code, space)
    shared = [type(spaces[0]["f"])(spaces[0]["f"].__code__, space) for space in spaces]
    run.warm(shared[0], 20)
    for function in shared:
        run.call(function, 20, times=15)
    run.call(shared[0], 20, times=15)
