"""When operands end, and in which order: their finalisers run at the bytecode and in the turn that the interpreter has."""

# ruff: noqa  (odd code is what these are for)

import sys

from support.case import case


class Ends:
    """Says so in the log."""

    def __init__(self, name, log, value=None):
        self.name = name
        self.log = log
        self.value = value

    def __del__(self):
        self.log.append(self.name)

    def __index__(self):
        return self.value

    def __lt__(self, other):
        return Truth("result", self.log)


class Truth(Ends):
    def __bool__(self):
        self.log.append("asked")
        return True


class Dictionary(dict):
    def __missing__(self, key):
        return 1

    def __del__(self):
        self["log"].append("dictionary")


class Container(Ends):
    def __getitem__(self, key):
        return 1

    def __setitem__(self, key, value):
        pass


@case((20,), [(0,)])
def operands_end_before_the_result_is_asked(n):
    log = []
    for _ in range(n):
        if Ends("left", log) < Ends("right", log):
            log.append("yes")
    return log


@case((20,), [(0,)])
def operands_end_after_a_comparison_that_nobody_asks(n):
    log = []
    for _ in range(n):
        result = Ends("left", log) < Ends("right", log)
        log.append("compared")
        del result
    return log


@case((20,), [(0,)])
def bounds_of_a_slice_end(n):
    log = []
    xs = [1, 2, 3]
    for _ in range(n):
        xs[Ends("start", log, 0) : Ends("stop", log, 2)]
        log.append("loaded")
        xs[Ends("start", log, 0) : Ends("stop", log, 2)] = [1, 2]
    return log


@case((20,), [(0,)])
def a_sliced_container_ends(n):
    log = []
    for _ in range(n):
        Container("container", log)[Ends("start", log, 0) : Ends("stop", log, 2)]
        log.append("loaded")
        Container("container", log)[Ends("start", log, 0) : Ends("stop", log, 2)] = Ends("value", log)
        log.append("stored")
    return log


@case((20,), [(0,)])
def slices_that_raise(n):
    log = []
    for _ in range(n):
        try:
            Ends("container", log)[Ends("start", log, 0) : Ends("stop", log, 2)]
        except TypeError as error:
            log.append(str(error))
    return log


@case((20,), [(0,)])
def a_subscript_that_is_never_specialised(n):
    log = []
    for _ in range(n):
        log.append(Dictionary(log=log)[Ends("key", log)])
    return log


@case((20,), [(0,)])
def a_subscript_of_a_dict(n):
    log = []
    for i in range(n):
        log.append({i: Ends("value", log), "a": 1}["a"])
        log.append("loaded")
    return log


@case((20,), [(0,)])
def stores_by_a_method(n):
    log = []
    for _ in range(n):
        Container("container", log)[Ends("key", log)] = Ends("value", log)
        log.append("stored")
    return log


class Writes:
    """At its end it changes a local of whoever drops it."""

    def __init__(self, name, value):
        self.name = name
        self.value = value

    def __del__(self):
        if self.name:
            sys._getframe(1).f_locals[self.name] = self.value


@case((None, 40), [("k", 12), ("k", 3), (None, 5)])
def the_old_value_changes_what_is_loaded_next(name, n):
    k = -1
    x = None
    y = None
    ys = []
    for i in range(n):
        x = Writes(name if i == n - 3 else None, 1000 + i)
        y = k  # fmt: skip  (one line: one bytecode for both)
        ys.append(y)
    return ys


@case((40,), [(3,)])
def a_constant_is_one_object(n):
    same = 0
    for _ in range(n):
        a = b = 1234.5
        c = d = 100_000
        t = (a, b, c, d)
        same += (a is b) + (a is a) + (t[0] is t[1]) + (c is d) + (t[2] is t[3])
    return same


@case((40,), [(3,)])
def constants_that_are_equal_are_two(n):
    out = []
    for _ in range(n):
        zero = 0.0
        minus = -0.0
        one = 1
        true = True
        real = 1.0
        out.append((str(zero), str(minus), type(one), type(true), type(real), zero is minus, one is real))
    return out
