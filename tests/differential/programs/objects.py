"""New instances and their first attributes, classes and methods called from loops, defaults, globals that are stored,
what modules have: each as it is, and as it changes under machine code."""

# ruff: noqa  (odd code is what these are for)

import math
import sys
import types

from support.case import case, script

TALLY = 0
LONG = "too long to be inlined: " * 2


class Node:
    """Plain."""

    kind = "node"

    def __init__(self, value, after=None):
        self.value = value
        self.after = after
        self.flag = False
        self.zero = 0
        self.far = 1000
        self.half = 0.5
        self.text = "constant"

    def far_method(self, x, y=3):
        """Calls out, so that it is not inlined."""
        return (self.value, [x, y], self.kind)


class Slots:
    __slots__ = ("first", "later", "never")

    def __init__(self, first):
        self.first = first
        self.later = 0


class Backwards:
    """The order of the attributes is not that of the class's other instances."""

    def __init__(self, turned, x):
        if turned:
            self.b = x
            self.a = 2.5 * x
        else:
            self.a = x
            self.b = True


class Refuses:
    def __init__(self, what):
        self.what = what
        if what == "raise":
            raise ValueError(LONG)
        if what == "return":
            return 5


class Ends:
    def __init__(self, log, name):
        self.log = log
        self.name = name

    def __del__(self):
        self.log.append(self.name)


class Child(Node):
    def __init__(self, value):
        super().__init__(value)
        self.extra = value


class Meta(type):
    def __call__(cls, *arguments):
        return "made by the metaclass", arguments


class Made(metaclass=Meta):
    def __init__(self, x):
        self.x = x


class News:
    def __new__(cls, x):
        return x if x % 2 else object.__new__(cls)

    def __init__(self, x):
        self.x = x


def fields(instance):
    return list(vars(instance).items())


@case((20,), [(0,), (1,)])
def new_instances(n):
    out = []
    for i in range(n):
        node = Node(i, i * 0.5)
        out.append(fields(node))
    return out


@case((20, 1), [(20, 2.5), (20, 2**70), (20, "text"), (20, None), (20, True)])
def new_instances_of_values(n, x):
    out = []
    for i in range(n):
        out.append(fields(Node(x, after=x)))
        out.append(fields(Node(x)))
    return out


@case((20,), [(3,)])
def chained(n):
    head = None
    for i in range(n):
        node = Node(i)
        node.after = head
        head = node
    total = 0
    while head is not None:
        total += head.value
        head = head.after
    return total


class Limits:
    low = 3
    high = 2.5
    on = True
    nothing = None
    name = "limits"
    things = [1]


@case((Limits(), 20), [(Limits(), 3), (Node(1), 3)])
def what_the_class_has(one, n):
    out = []
    for i in range(n):
        if one.on:
            out.append((one.low + i, one.high * i, one.nothing, one.name, one.things))
    return out


@script()
def what_the_class_has_changes(run):
    class Thing:
        limit = 1000
        on = True

    def use(thing, n, change):
        out = []
        for i in range(n):
            if i == 12:
                change(thing)
            out.append((thing.limit + i, thing.on))
        return out

    def nothing(thing):
        pass

    def of_the_class(thing):
        Thing.limit = 2000.5

    def of_the_instance(thing):
        thing.limit = -1

    def a_property(thing):
        Thing.on = property(lambda self: "asked")

    def gone(thing):
        del Thing.limit

    run.warm(use, Thing(), 8, nothing)
    for change in (of_the_instance, of_the_class, a_property, gone):
        for _ in range(8):
            run.call(lambda: use(Thing(), 20, change))
            Thing.limit = 1000
            Thing.on = True


@case((20,), [(3,)])
def with_slots(n):
    out = []
    for i in range(n):
        one = Slots(i * 1.5)
        one.never = i
        out.append((one.first, one.later, one.never))
        del one.never
        one.never = 1.5
        out.append(one.never)
    return out


@case((20, False), [(20, True), (20, False)])
def in_another_order(n, turned):
    out = []
    for i in range(n):
        out.append(fields(Backwards(turned, i)))
    return out


@case((20,), [(3,)])
def deleted_and_set_again(n):
    out = []
    for i in range(n):
        node = Node(i)
        del node.value
        node.value = i + 0.5
        out.append(fields(node))
        del node.flag
        try:
            node.flag
        except AttributeError as error:
            out.append(str(error))
        node.more = i
        out.append(fields(node))
    return out


@case((20,), [(3,)])
def filled_from_outside(n):
    """No `__init__`: the loop stores the first values."""
    out = []
    for i in range(n):
        one = Empty()
        one.x = i
        one.y = 0.25
        one.z = i * 0.5
        one.x = one.x + 1
        out.append(fields(one))
    return out


class Empty:
    pass


@case((20, "fine"), [(20, "raise"), (20, "return"), (20, "fine")])
def init_that_fails(n, what):
    out = []
    for i in range(n):
        try:
            out.append(fields(Refuses(what)))
        except (ValueError, TypeError) as error:
            out.append(repr(error))
    return out


@case((20,), [(3,)])
def init_called_wrongly(n):
    out = []
    for i in range(n):
        for arguments in (), (1, 2, 3):
            try:
                out.append(Node(*arguments).value)
            except TypeError as error:
                out.append(str(error))
        try:
            out.append(Backwards(i))
        except TypeError as error:
            out.append(str(error))
    return out


@case((20,), [(3,)])
def instances_end(n):
    log = []
    for i in range(n):
        Ends(log, i)
        kept = Ends(log, "kept")
    del kept
    return log


@case((20,), [(3,)])
def other_classes(n):
    out = []
    for i in range(n):
        out.append(fields(Child(i)))
        out.append(Made(i))
        made = News(i)
        out.append(made if i % 2 else made.x)
        out.append(int(i * 1.5))
    return out


@script()
def a_class_gets_another_init(run):
    class Thing:
        def __init__(self, x):
            self.x = x

    def use(n):
        out = []
        for i in range(n):
            out.append(fields(Thing(i)))
        return out

    def other(self, x):
        self.y = x
        self.x = -x

    run.warm(use, 20)
    first = Thing.__init__
    Thing.__init__ = other
    run.call(use, 20, times=15)
    Thing.__init__ = first
    run.call(use, 20, times=15)
    Thing.__new__ = lambda cls, x: object.__new__(cls)
    run.call(use, 20, times=15)
    del Thing.__init__
    run.call(lambda: repr(vars(Thing(3))), times=3)


@script()
def a_class_changes_in_its_init(run):
    class Thing:
        def __init__(self, x):
            self.x = x
            if x == 13:
                Thing.__init__ = other

    def other(self, x):
        self.y = x

    def use(n):
        out = []
        for i in range(n):
            out.append(fields(Thing(i)))
        return out

    run.warm(use, 8)
    first = Thing.__init__
    for _ in range(10):
        run.call(use, 20)
        Thing.__init__ = first


@case((20,), [(3,)])
def methods_that_are_not_inlined(n):
    node = Node(7)
    out = []
    for i in range(n):
        out.append(node.far_method(i))
        out.append(node.far_method(i, 4))
        out.append(node.far_method(y=i, x=1))
        try:
            out.append(node.far_method())
        except TypeError as error:
            out.append(str(error))
    return out


@script()
def methods_change(run):
    class Thing:
        def method(self, x):
            return [1, x]

    def use(thing, n):
        out = []
        for i in range(n):
            out.append(thing.method(i))
        return out

    run.warm(use, Thing(), 20)
    first = Thing.method
    Thing.method = lambda self, x: ("another", x)
    run.call(use, Thing(), 20, times=15)
    Thing.method = first
    run.call(use, Thing(), 20, times=15)
    shadowed = Thing()
    shadowed.method = lambda x: ("of its own", x)
    run.call(lambda: use(shadowed, 20), times=15)
    run.call(use, Thing(), 20, times=15)

    class Under(Thing):
        def method(self, x):
            return super().method(x) + [2]

    run.call(use, Under(), 20, times=15)


@script()
def a_method_replaces_itself(run):
    class Thing:
        def method(self, x):
            if x == 12:
                Thing.method = other
            return [x]

    def other(self, x):
        return {x}

    def use(thing, n):
        out = []
        for i in range(n):
            out.append(thing.method(i))
        return out

    run.warm(use, Thing(), 8)
    first = Thing.method
    for _ in range(10):
        run.call(use, Thing(), 20)
        Thing.method = first


def defaults(a, b=2, c=None):
    return [a, b, c]


def use_defaults(n):
    out = []
    for i in range(n):
        out.append(defaults(i))
        out.append(defaults(i, 3))
        out.append(defaults(i, 3, 4))
        for wrong in (), (1, 2, 3, 4):
            try:
                defaults(*wrong)
            except TypeError as error:
                out.append(str(error))
        try:
            defaults()
        except TypeError as error:
            out.append(str(error))
    return out


@case((20,), [(3,)], hot=(use_defaults, defaults))
def defaults_are_filled_in(n):
    return use_defaults(n)


@script(hot=(defaults,))
def defaults_change(run):
    def use(n):
        out = []
        for i in range(n):
            out.append(defaults(i))
            if i == 12 and n > 12:
                defaults.__defaults__ = (7, [i])
            if i == 15 and n > 15:
                defaults.__defaults__ = (8,)
                try:
                    defaults(i)
                except TypeError as error:
                    out.append(str(error))
                out.append(defaults(i, 1))
                defaults.__defaults__ = None
                try:
                    defaults(i, 1)
                except TypeError as error:
                    out.append(str(error))
                defaults.__defaults__ = (2, None)
        defaults.__defaults__ = (2, None)
        return out

    run.warm(use, 8)
    run.call(use, 20, times=15)


@case((20, 1), [(20, 0.5), (20, 2**62), (20, 2**70), (3, 1)])
def globals_are_stored(n, step):
    global TALLY
    TALLY = 0
    seen = []
    for i in range(n):
        TALLY += step
        seen.append(TALLY)
    return seen, globals()["TALLY"]


@script()
def a_stored_global_ends_an_object(run):
    def use(n):
        global HELD
        log = []
        for i in range(n):
            HELD = Ends(log, i)
        HELD = None
        return log

    run.warm(use, 20)
    run.call(use, 20, times=5)


@case((20,), [(3,)])
def of_modules(n):
    total = 0.0
    for i in range(n):
        total += math.sqrt(i) * math.pi + math.floor(math.e)
    return total


MODULE = types.ModuleType("of_our_own")
MODULE.number = 3
MODULE.function = defaults


@script()
def modules_change(run):
    def use(n):
        out = []
        for i in range(n):
            if i == 10:
                MODULE.number = 0.5
            if i == 12:
                MODULE.new = 1
            if i == 13:
                del MODULE.number
                try:
                    out.append(MODULE.number)
                except AttributeError as error:
                    out.append(str(error))
                MODULE.number = "again"
            if i == 15:
                MODULE.function = fields
                try:
                    MODULE.function(i)
                except TypeError as error:
                    out.append(str(error))
                MODULE.function = defaults
            out.append((MODULE.number, MODULE.function(i)))
        MODULE.number = 3
        return out

    run.warm(use, 8)
    run.call(use, 20, times=15)
    run.warm(use, 8)


class Moody(types.ModuleType):
    @property
    def number(self):
        return 11


@script()
def not_quite_modules(run):
    def use(n):
        out = []
        for i in range(n):
            out.append(MODULE.number)
        return out

    global MODULE
    first = MODULE
    run.warm(use, 20)
    MODULE = Moody("moody")
    run.call(use, 20, times=15)
    MODULE = Empty()
    MODULE.number = 12
    run.call(use, 20, times=15)
    MODULE = first
    run.call(use, 20, times=15)


@case((20,), [(3,)])
def a_callee_looks_at_its_caller(n):
    out = []
    for i in range(n):
        out.append(looks(i))
    return out


def looks(x, depth=1):
    frame = sys._getframe(depth)
    return frame.f_code.co_name, frame.f_lineno - frame.f_code.co_firstlineno, dict(frame.f_locals).get("i"), x


@case((20,), [(3,)])
def a_callee_writes_its_caller(n):
    out = []
    for i in range(n):
        value = i
        writes(i)
        out.append((i, value))
    return out


def writes(x, step=100):
    if x % 7 == 3:
        sys._getframe(1).f_locals["value"] = x * step
    return [x]


def deep(n, log=None):
    if n == 0:
        if log is not None:
            log.append(len(traceback_of()))
        return 0
    return 1 + deep(n - 1, log)


def traceback_of():
    frames, frame = [], sys._getframe()
    while frame is not None and frame.f_code.co_name != "recursion":
        frames.append(frame.f_code.co_name)
        frame = frame.f_back
    return frames


@case((5,), [(50,), (3,)], hot=(deep,))
def recursion(n):
    log = []
    return [deep(i) for i in range(n)], deep(n, log), log
