"""try, except, else, finally and with, inside and outside loops; tracebacks out of machine code."""

# ruff: noqa  (odd code is what these are for)

from support.case import case


class Trouble(Exception):
    pass


class Manager:
    def __init__(self, log, swallow=False):
        self.log = log
        self.swallow = swallow

    def __enter__(self):
        self.log.append("in")
        return self

    def __exit__(self, kind, value, traceback):
        self.log.append(kind.__name__ if kind else "out")
        return self.swallow


@case((10,), [(0,), (5,), (100,)])
def try_in_loop(n):
    caught = 0
    for i in range(n):
        try:
            1 // (i % 5)
        except ZeroDivisionError:
            caught += 1
    return caught


@case((10, 3), [(10, 0), (10, 20), (0, 0), (10, "a"), (10, 1.0)])
def loop_in_try(n, k):
    total = 0
    try:
        for i in range(n):
            total += 100 // (k - i)
    except ZeroDivisionError as error:
        return str(error), total, i
    except TypeError as error:
        return type(error).__name__, total
    else:
        return "fine", total
    finally:
        total += 1000


@case(([1, 2, 3], 3), [([1, 2, 3], 5), ([1, "a"], 2), ([], 1), ([1.5, None], 2), ((1, 2), 2)])
def raises_out_of_a_loop(xs, n):
    total = 0
    for i in range(n):
        total += xs[i]
    return total


@case((10, 50), [(10, 5), (10, 0), (10, 9), (0, 5)])
def raises_on_purpose(n, at):
    total = 0
    for i in range(n):
        if i == at:
            raise Trouble(i, total)
        total += i * 2
    return total


@case((10, 50), [(10, 5), (10, 0), (10, 9)])
def nested_handlers(n, at):
    log = []
    for i in range(n):
        try:
            try:
                if i == at:
                    raise Trouble(i)
                log.append(i)
            except ValueError:
                log.append("never")
            finally:
                log.append("f")
        except Trouble as error:
            log.append(error.args)
            if at == 9:
                raise RuntimeError("again") from error
    return log


@case((10,), [(0,), (3,)])
def finally_and_continue(n):
    log = []
    for i in range(n):
        try:
            if i % 2:
                continue
            if i == 6:
                break
            log.append(i)
        finally:
            log.append(-i)
    return log


@case((10,), [(0,), (3,), ("a",)])
def return_in_finally_path(n):
    try:
        for i in range(n):
            if i == 5:
                return i
    finally:
        n = "done"
    return n


@case((10, 3), [(10, 20), (0, 0), (10, None)])
def assertion(n, limit):
    total = 0
    for i in range(n):
        if i >= 8:
            assert i < limit, f"{i} too large"
        total += i
    return total


@case((1, 2), [(1, "a"), (None, 1), ([], ()), (1, 0), ({}, 1), (2**63, 2.0)])
def several_lines(a, b):
    # fmt: off
    x = a + b
    y = (
        a
        - b
    )
    z = a // b
    return (x,
            y, z)
    # fmt: on


def inner(a, b):
    c = a - b
    return a / c


@case((5, 3), [(5, 5), (5, "a"), (5.0, 5.0), (2**70, 2**70)])
def error_in_inlined_callee(a, b):
    total = 0
    for _ in range(3):
        total += inner(a, b)
    return total


@case((5,), [(0,), (50,)])
def with_statement(n):
    log = []
    for i in range(n):
        with Manager(log):
            log.append(i)
    return log


@case((5, False), [(5, True), (50, True), (0, True), (50, False)])
def with_that_swallows(n, swallow):
    log = []
    for i in range(n):
        with Manager(log, swallow) as manager:
            if i == 7:
                raise Trouble("seven")
            manager.log.append(i)
    return log


@case((5,), [(0,), (20,)])
def loop_inside_with(n):
    log = []
    with Manager(log), Manager(log, True):
        for i in range(n):
            log.append(10 // (10 - i))
    return log


@case((10,), [(0,), (4,)])
def exception_variable_goes(n):
    for i in range(n):
        try:
            raise Trouble(i)
        except Trouble as e:
            kept = e.args
    try:
        e
    except UnboundLocalError as error:
        return kept if n else None, str(error)


@case((3, 5), [(3, 0), (0, 0), (3, "a")])
def reraise(n, d):
    total = 0
    for i in range(n):
        try:
            total += 10 // d
        except ZeroDivisionError:
            total += 1
            raise
    return total


@case((3,), [(0,), (30,)])
def groups(n):
    out = []
    for i in range(n):
        try:
            if i % 2:
                raise ExceptionGroup("two", [ValueError(i), TypeError(i)])
        except* ValueError as group:
            out.append(len(group.exceptions))
        except* TypeError:
            out.append("type")
    return out


@case(({"a": 1}, "a"), [({"a": 1}, "b"), ({}, "a"), ({}, []), (None, 1)])
def key_errors(d, key):
    total = 0
    for _ in range(5):
        total += d[key]
    return total


@case((10,), [(2,), (0,)])
def stop_iteration(n):
    iterator = iter(range(n))
    out = []
    while True:
        try:
            out.append(next(iterator))
        except StopIteration:
            return out


@case((20,), [(3,), (0,)])
def exception_in_condition(n):
    i, hits = 0, 0
    xs = [1, 2, 3, 4, 5]
    while i < n:
        try:
            if xs[i] > 2:
                hits += 1
        except IndexError:
            hits -= 1
        i += 1
    return hits


@case((5,), [(0,), (1,)])
def unbound_error(n):
    if n > 3:
        value = n
    return value


@case((5,), [(0,), (1,)])
def name_error(n):
    if n <= 3:
        return never_defined_anywhere + n
    return n


@case(([1, 2, 3, 4, 5, 6, 7, 8, 9, 0],), [([1, 2, 0, 3],), ([1, "a"],), ([],)])
def context_chain(xs):
    total = 0
    for x in xs[:-1]:
        try:
            total += 10 // x
        except ZeroDivisionError:
            total += None
    return total


@case((20,), [(0,)])
def names_in_name_errors(n):
    def inner():
        return cell

    names = []
    for i in range(n):
        try:
            never_defined_anywhere
        except NameError as error:
            names.append((error.name, str(error)))
        try:
            inner()
        except NameError as error:
            names.append((error.name, str(error)))
    cell = 1
    return names


@case((20,), [(0,)], machine=False)
def empty_cells(n):
    def inner(m):
        names = []
        for i in range(m):
            try:
                cell
            except NameError as error:
                names.append((error.name, str(error)))
        return names

    found = inner(n)
    cell = 1
    return found
