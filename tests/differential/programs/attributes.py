"""Instances: attribute load and store, __slots__, properties, methods, inheritance."""

# ruff: noqa  (odd code is what these are for)

from support.case import case, script


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def length2(self):
        return self.x * self.x + self.y * self.y

    def move(self, dx):
        self.x += dx

    def set_x(self, x):
        self.x = x

    def shifted(self, d):
        return Point(self.x + d, self.y + d)


class Slotted:
    __slots__ = ("unset", "x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y


class Child(Point):
    z = 10

    def length2(self):
        return super().length2() + self.z


class Computed:
    def __init__(self):
        self._x = 1

    @property
    def x(self):
        return self._x * 2

    @x.setter
    def x(self, value):
        if value < 0:
            raise ValueError(f"negative {value}")
        self._x = value


class Anything:
    def __init__(self):
        self.y = 5

    def __getattr__(self, name):
        if name.startswith("__"):  # copying looks for these
            raise AttributeError(name)
        return f"got {name}"


class Empty:
    pass


def with_extra():
    point = Point(1, 2)
    point.extra = 1
    return point


def without_x():
    point = Point(1, 2)
    del point.x
    return point


def with_own_length2():
    point = Point(1, 2)
    point.length2 = lambda: "own"
    return point


POINTS = [
    (Point(1.5, 2),),
    (Point("a", "b"),),
    (Slotted(3, 4),),
    (Child(1, 2),),
    (Computed(),),
    (Anything(),),
    (Empty(),),
    (5,),
    (with_extra(),),
    (without_x(),),
    (Point(2**63, 2**63 - 1),),
]


@case((Point(1, 2),), POINTS)
def load(p):
    return p.x


@case((Point(1, 2),), POINTS)
def load_two(p):
    return p.x + p.y


@case((Slotted(1, 2),), POINTS)
def load_slots(p):
    return p.x, p.y


@case((Slotted(1, 2),), [])
def load_unset_slot(p):
    try:
        return p.unset
    except AttributeError as error:
        return str(error)


@case(
    (Point(1, 2), 7),
    [
        (Point(1, 2), 1.5),
        (Point(1, 2), None),
        (Slotted(1, 2), 7),
        (Computed(), 7),
        (Computed(), -1),
        (Empty(), 7),
        (5, 7),
        (Child(1, 2), 2**70),
        (without_x(), 3),
        (Point(1, 2), True),
    ],
)
def store(p, value):
    p.x = value
    return p


@case(
    (Point(1, 2), 10),
    [
        (Point(1.5, 2), 10),
        (Slotted(1, 2), 10),
        (Computed(), 3),
        (Point(2**63 - 5, 0), 10),
        (Point("a", 0), 1),
        (Empty(), 1),
        (Child(1, 2), 3),
        (without_x(), 2),
    ],
)
def count_in_attribute(p, n):
    for _ in range(n):
        p.x += 1
    return p.x


@case(
    (Slotted(1, 2), 10),
    [(Slotted(1.5, 2), 10), (Point(1, 2), 3), (Slotted(2**63 - 5, 0), 10), (Slotted(None, 1), 2)],
)
def count_in_slot(p, n):
    for _ in range(n):
        p.x += 1
        p.y = p.x
    return p


@case(
    (Point(1, 2), 10),
    [
        (Point(1.5, 2), 10),
        (Child(1, 2), 5),
        (with_own_length2(), 3),
        (Point("a", 2), 1),
        (Slotted(1, 2), 1),
        (Empty(), 0),
    ],
)
def call_method(p, n):
    total = 0
    for _ in range(n):
        total += p.length2()
    return total


@case(
    (Point(1, 2), 10),
    [(Point(1.5, 2), 10), (Child(1, 2), 5), (Point("a", 2), 1), (Point(2**63 - 3, 0), 5), (Slotted(1, 2), 1)],
)
def call_moving_method(p, n):
    for i in range(n):
        p.move(i)
    return p


@case((Point(1, 2), 10), [(Point(1.5, 2), 3), (Child(1, 2), 5), (Slotted(1, 2), 1)])
def call_setter(p, n):
    for i in range(n):
        p.set_x(i)
    return p


@case((Point(1, 2), 5), [(Point(1.5, 2), 3), (Child(1, 2), 0)])
def make_instances(p, n):
    for i in range(n):
        p = p.shifted(i)
    return p


@case(
    ([Point(1, 2), Point(3, 4)],),
    [
        ([],),
        ([Point(1, 2), Slotted(3, 4)],),
        ([Point(1, 2), Child(1, 2), Point(0.5, 1)],),
        ([Point(1, 2), None],),
        ([Empty()],),
    ],
)
def sum_over_objects(points):
    total = 0
    for p in points:
        total += p.x * p.y
    return total


@case(([Point(1, 2), Point(3, 4)],), [([Point(1.5, 2), Slotted(1, 2)],), ([Computed()],)])
def store_over_objects(points):
    for i, p in enumerate(points):
        p.x = i
        p.y = p
        p.y = i * 0.5
    return points


@case((Computed(), 5), [(Computed(), -5), (Point(1, 2), 3)])
def through_property(c, n):
    for i in range(abs(n)):
        c.x = n + i
    return c.x


@case((Child(1, 2),), [(Point(1, 2),), (Child(1.5, 2),), (Child("a", 1),)])
def super_call(p):
    return p.length2(), p.x


@case((Child(1, 2),), [(Point(1, 2),), (Anything(),), (Child(0.5, 1),)])
def class_attribute(p):
    p.w = p.z + 1
    return p.z, p.w


@case((Point(Point(Point(1, 2), 3), 4),), [(Point(Point(1, 2), 3),), (Point(Point(Slotted(1.5, 2), 3), 4),)])
def chain(p):
    return p.x.x.x + p.y


@script()
def a_method_is_replaced(run):
    class Box:
        def __init__(self, x):
            self.x = x

        def get(self):
            return self.x + 1

    def use(box, n):
        total = 0
        for _ in range(n):
            total += box.get()
        return total

    run.warm(use, Box(1), 20)
    Box.get = lambda self: self.x * 100
    run.call(use, Box(1), 20, times=20)
    run.warm(use, Box(1), 20)
    Box.get = lambda self: 0.5
    run.call(use, Box(1), 20, times=20)
    del Box.get
    run.call(use, Box(1), 20, times=3)
    run.call(use, Box(1), 0)


@script()
def a_class_attribute_becomes_a_property(run):
    class Box:
        def __init__(self):
            self.x = 1

    def use(box, n):
        total = 0
        for _ in range(n):
            total += box.x
        return total

    run.warm(use, Box(), 20)
    Box.x = property(lambda self: 7, lambda self, value: None)
    run.call(use, Box(), 20, times=20)
    del Box.x
    run.call(use, Box(), 20, times=20)
    Box.__getattribute__ = lambda self, name: object.__getattribute__(self, name) if name.startswith("__") else 3
    run.call(use, Box(), 20, times=20)


@script()
def the_class_of_an_instance_changes(run):
    class Cat:
        sound = "meow"

        def __init__(self):
            self.n = 1

    class Dog(Cat):
        sound = "woof"

    def use(animal, n):
        out = []
        for i in range(n):
            if i == 7:
                animal.__class__ = Dog
            out.append(animal.sound * animal.n)
        return out

    run.warm(use, Cat(), 5)
    run.call(use, Cat(), 12, times=15)
    run.call(use, Dog(), 12, times=15)


@script()
def setattr_hook_appears(run):
    class Box:
        def __init__(self):
            self.__dict__["x"] = 0

    def use(box, n):
        for i in range(n):
            box.x = i
        return box.x

    run.warm(use, Box(), 20)

    def refuse(self, name, value):
        raise AttributeError(f"no {name} for {value}")

    Box.__setattr__ = refuse
    run.call(use, Box(), 20, times=20)
    del Box.__setattr__
    run.call(use, Box(), 20, times=20)


@script()
def dict_is_taken_out(run):
    def use(p, n):
        for i in range(n):
            if i == 5:
                p.__dict__["x"] = 100
            if i == 8:
                p.__dict__ = {"x": 0.5, "y": 1}
            p.x = p.x + p.y
        return p.x

    run.warm(use, Point(1, 2), 4)
    run.call(use, Point(1, 2), 7, times=15)
    run.call(use, Point(1, 2), 12, times=15)


@script()
def finalisers_run_where_they_should(run):
    def use(n):
        log = []

        class Loud:
            def __init__(self, i):
                self.i = i

            def __del__(self):
                log.append(self.i)

        x = None
        for i in range(n):
            x = Loud(i)
            log.append("made")
            x = i
            log.append("overwritten")
        return log, x

    run.warm(use, 5)
    run.call(use, 20, times=15)
