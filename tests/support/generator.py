"""Whole small Python functions, as a Hypothesis strategy: loops, branches, calls, subscripts, handlers.

The grammar is typed so that most programs compute something; variables change their type now and then, and
subscripts and divisions may fail. Every program ends: loops have counters of their own and a multiplication
inside a loop has a small right side. The function is `hot(a, b, x, p, xs, o)`: two ints, a float, a bool, a
list and a `Box`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

INTS = [
    "0",
    "1",
    "-1",
    "2",
    "3",
    "-7",
    "10",
    "255",
    "1000003",
    "2**31 - 1",
    "2**62",
    "2**63 - 1",
    "-(2**63)",
    "2**64",
]
FLOATS = ["0.0", "-0.0", "0.5", "1.0", "-2.5", "1e300", "1e-5", "3.0"]
ARGUMENTS = [
    "(0, 0, 0.0, False, [], Box(0))",
    "(-3, 7, -0.0, True, [5, -4, 3, 2, 1, 0], Box(-1))",
    "(2**62, 2**62 - 1, 1e300, True, [2**62, 1, 2, 3], Box(2**62))",
    "(2**63 - 1, -(2**63), -1e300, False, [2**63 - 1, -(2**63), 0], Box(2**63 - 1))",
    "(2**64, 3, inf, True, [2**70, -(2**70)], Box(2**64))",
    "(1.5, 2, 3, True, [1.5, 2.5, -0.0], Box(0.5))",
    "(True, False, 2.5, 1, [True, 2, 3.5], Box(True))",
    "(3, 1.25, nan, 0, (1, 2, 3), Box(nan))",
    "(4, 5, 'x', None, [1, 'two', 3], Box(None))",
    "(None, 3, 1.0, 'yes', [None], Box('s'))",
    "(7, 3, 2.5, False, 'text', 5)",
]
WARM = [
    "(5, 3, 1.5, True, [1, 2, 3, 4], Box(3))",
    "(5, 3, 1.5, True, [1.5, 2.5, 0.5], Box(2.5))",
    "(100, -3, -2.5, False, [1, 2], Box(1))",
]
_HEAD = """\
g0 = 3
g1 = 0.25
"""


@dataclass
class Program:
    """Source of a module and what to call `hot` with (expressions)."""

    source: str
    warm: str
    then: list[str]

    def __repr__(self) -> str:
        return f"{self.source}\nwarm {self.warm}\nthen {self.then}"


@dataclass
class Writer:
    """Draws a program line by line."""

    draw: st.DrawFn
    limit: int
    lines: list[str] = field(default_factory=list)
    ints: list[str] = field(default_factory=lambda: ["a", "b", "c"])
    floats: list[str] = field(default_factory=lambda: ["x", "y"])
    helpers: int = 0
    loops: int = 0
    counters: int = 0
    in_helper: bool = False

    def pick(self, options: list[str]) -> str:
        return self.draw(st.sampled_from(options))

    def chance(self, one_in: int) -> bool:
        return self.draw(st.integers(0, one_in - 1)) == one_in - 1

    # ---- expressions ---------------------------------------------------------------------------------------

    def int(self, depth: int = 2) -> str:
        forms = ["variable", "variable", "constant"]
        if depth:
            forms += ["add", "add", "multiply", "divide", "bits", "shift", "unary", "choice"]
            if not self.in_helper:
                forms += ["item", "length", "attribute", "global"] + ["call"] * bool(self.helpers)
        match self.pick(forms):
            case "variable":
                return self.pick(self.ints)
            case "constant":
                return f"({self.pick(INTS)})"
            case "add":
                return f"({self.int(depth - 1)} {self.pick(['+', '-'])} {self.int(depth - 1)})"
            case "multiply":
                left, right = self.int(depth - 1), self.int(depth - 1)
                return f"({left} * ({right} & 255))" if self.loops or self.in_helper else f"({left} * {right})"
            case "divide":
                return f"({self.int(depth - 1)} {self.pick(['//', '%'])} {self.int(depth - 1)})"
            case "bits":
                return f"({self.int(depth - 1)} {self.pick(['&', '|', '^'])} {self.int(depth - 1)})"
            case "shift":
                return f"({self.int(depth - 1)} {self.pick(['<<', '>>'])} ({self.int(depth - 1)} & 15))"
            case "unary":
                return f"{self.pick(['-', '~', 'abs', 'int'])}({self.int(depth - 1)})"
            case "choice":
                return f"({self.int(depth - 1)} if {self.bool(depth - 1)} else {self.int(depth - 1)})"
            case "item":
                return f"xs[{self.int(depth - 1)}{self.pick(['', ' % 3', ' & 1', ' % len(xs)'])}]"
            case "length":
                return "len(xs)"
            case "attribute":
                return self.pick(["o.n", "o.m"])
            case "global":
                return "g0"
            case _:
                number = self.draw(st.integers(0, self.helpers - 1))
                return f"h{number}({self.int(depth - 1)}, {self.int(depth - 1)})"

    def float(self, depth: int = 2) -> str:
        forms = ["variable", "variable", "constant"]
        if depth:
            forms += ["arithmetic", "arithmetic", "divide", "mixed", "unary", "convert", "choice"] + ["global"] * (
                not self.in_helper
            )
        match self.pick(forms):
            case "variable":
                return self.pick(self.floats)
            case "constant":
                return self.pick(FLOATS)
            case "arithmetic":
                return f"({self.float(depth - 1)} {self.pick(['+', '-', '*'])} {self.float(depth - 1)})"
            case "divide":
                return f"({self.float(depth - 1)} {self.pick(['/', '//', '%'])} {self.float(depth - 1)})"
            case "mixed":
                return f"({self.int(depth - 1)} {self.pick(['+', '*', '/', '-'])} {self.float(depth - 1)})"
            case "unary":
                return f"{self.pick(['-', 'abs'])}({self.float(depth - 1)})"
            case "convert":
                return f"float({self.int(depth - 1)})"
            case "global":
                return "g1"
            case _:
                return f"({self.float(depth - 1)} if {self.bool(depth - 1)} else {self.float(depth - 1)})"

    def bool(self, depth: int = 2) -> str:
        compare = self.pick(["<", "<=", ">", ">=", "==", "!="])
        forms = (
            ["ints", "floats", "mixed"] + (["not", "and", "chain"] if depth > 0 else []) + ["p"] * (not self.in_helper)
        )
        depth = max(depth - 1, 0)
        match self.pick(forms):
            case "ints":
                return f"({self.int(depth)} {compare} {self.int(depth)})"
            case "floats":
                return f"({self.float(depth)} {compare} {self.float(depth)})"
            case "mixed":
                return f"({self.int(depth)} {compare} {self.float(depth)})"
            case "not":
                return f"(not {self.bool(depth)})"
            case "and":
                return f"({self.bool(depth)} {self.pick(['and', 'or'])} {self.bool(depth)})"
            case "chain":
                return f"({self.int(depth)} <= {self.int(depth)} < {self.int(depth)})"
            case _:
                return "p"

    # ---- statements ----------------------------------------------------------------------------------------

    def put(self, indent: int, text: str) -> None:
        self.lines.append("    " * indent + text)

    def block(self, indent: int, size: int) -> None:
        for _ in range(self.draw(st.integers(1, size))):
            self.statement(indent)

    def statement(self, indent: int) -> None:
        forms = ["int", "int", "float", "bool", "augment", "store", "append", "attribute", "swap", "global"]
        forms += ["spread", "spread", "chain", "comprehension", "none"]
        if indent < 4 and len(self.lines) < self.limit:
            forms += ["if", "if", "for", "while", "each", "try", "leave"]
        match self.pick(forms):
            case "int":
                value = self.float() if self.chance(8) else self.int()
                self.put(indent, f"{self.pick(['a', 'b', 'c'])} = {value}")
            case "float":
                self.put(indent, f"{self.pick(['x', 'y'])} = {self.float()}")
            case "bool":
                self.put(indent, f"p = {self.bool()}")
            case "augment":
                self.put(indent, f"{self.pick(['a', 'b', 'c', 'y'])} {self.pick(['+=', '-='])} {self.int(1)}")
            case "store":
                index = f"{self.int(1)}{self.pick(['', ' % 3', ' & 1'])}"
                self.put(indent, f"xs[{index}] = {self.pick([self.int(1), self.float(1), self.bool(1)])}")
            case "append":
                self.put(indent, "if len(xs) < 12:")
                self.put(indent + 1, f"xs.append({self.int(1)})")
            case "attribute":
                self.put(indent, f"o.n {self.pick(['=', '=', '+='])} {self.pick([self.int(1), self.float(1)])}")
            case "swap":
                self.put(indent, self.pick(["a, b = b, a", "a, b, c = c, a, b", "x, y = y, x", "b, c = c, b + 1"]))
            case "spread":  # the same number under several names, other ones on other ways
                values = [self.pick([*self.ints, "0", "7"]) for _ in range(3)]
                self.put(indent, f"a, b, c = {', '.join(values)}")
            case "chain":
                self.put(
                    indent, f"{self.pick(['a = b', 'b = c', 'a = c', 'x = y'])} = {self.pick([self.int(1), 'o.n'])}"
                )
            case "comprehension":
                name = self.pick(["a", "b", "x", "z"])
                items = self.pick(["range(3)", f"range({self.pick(self.ints)} & 3)", "xs"])
                self.put(indent, f"c = len([{name} for {name} in {items}])")
            case "none":
                self.put(indent, f"if {self.pick(['o.n', 'xs.sort()', 'p'])} {self.pick(['is', 'is not'])} None:")
                self.put(indent + 1, "c = 1")
            case "global":
                self.put(indent, f"c = c + g0 {self.pick(['+', '-', '*'])} g1")
            case "if":
                self.put(indent, f"if {self.bool()}:")
                self.block(indent + 1, 2)
                if self.chance(2):
                    self.put(indent, "else:")
                    self.block(indent + 1, 2)
            case "try":
                self.put(indent, "try:")
                self.block(indent + 1, 2)
                caught = self.pick(["ZeroDivisionError", "IndexError", "(TypeError, ArithmeticError)"])
                self.put(indent, f"except {caught} as e:")
                self.put(indent + 1, "c = len(e.args)")
                if self.chance(3):
                    self.put(indent, "finally:")
                    self.put(indent + 1, f"y = {self.float(1)}")
            case "leave":
                options = ["return (a, b)"] + ["break", "continue"] * bool(self.loops)
                self.put(indent, f"if {self.bool(1)}:")
                self.put(indent + 1, self.pick(options))
            case kind:
                self.loop(kind, indent)

    def loop(self, kind: str, indent: int) -> None:
        self.counters += 1
        name = f"i{self.counters}"
        if kind == "while":
            self.put(indent, f"{name} = 0")
            self.put(indent, f"while {name} < {self.draw(st.integers(1, 8))} and {self.bool(1)}:")
            self.put(indent + 1, f"{name} += 1")
        elif kind == "each":
            source = self.pick(["list(xs)", "xs[:]", "[a, b, c]", "(x, y)", "xs"])
            self.put(indent, f"for {name} in {source}:")
            if source == "xs":
                self.put(indent + 1, "if len(xs) > 12:")
                self.put(indent + 2, "break")
        else:
            bounds = self.pick(
                [
                    "6",
                    "len(xs)",
                    "1, 5",
                    "5, -1, -1",
                    "0, 9, 2",
                    "c & 7",
                    "-3, 4",
                    "8, 0, -3",
                    "a & 3, b & 7",
                    "o.m, 4",
                ]
            )
            if self.chance(4):
                name_twice = self.pick(self.ints)
                bounds = f"{name_twice} & 3, {name_twice} & 7"
                if name_twice.startswith("i"):  # a loop's own counter: small
                    bounds = self.pick(
                        [f"{name_twice}, {name_twice}", f"{name_twice}, 6", f"{name_twice}, {name_twice} + 2"]
                    )
            self.put(indent, f"for {name} in range({bounds}):")
        self.ints.append(name)
        self.loops += 1
        self.block(indent + 1, 3)
        self.loops -= 1
        self.ints.remove(name)
        if self.chance(6):
            self.put(indent, "else:")
            self.put(indent + 1, f"y = {self.float(1)}")

    # ---- the whole -----------------------------------------------------------------------------------------

    def helper(self) -> None:
        self.in_helper = True
        ints, floats = self.ints, self.floats
        self.ints, self.floats = ["a", "b"], ["a", "b"]
        self.put(0, f"def h{self.helpers}(a, b):")
        if self.chance(2):
            self.put(1, f"if {self.bool(1)}:")
            self.put(2, f"return {self.int(1)}")
        self.put(1, f"return {self.int(2)}")
        self.ints, self.floats = ints, floats
        self.in_helper = False
        self.helpers += 1


@st.composite
def programs(draw: st.DrawFn, limit: int = 60) -> Program:
    """A whole module, a warm-up and a few other argument tuples. After `limit` lines no new block is begun."""
    writer = Writer(draw, limit)
    for _ in range(draw(st.integers(0, 2))):
        writer.helper()
    writer.put(0, "def hot(a, b, x, p, xs, o):")
    writer.put(1, "c = 1")
    writer.put(1, "y = 0.5")
    writer.block(1, 3)
    writer.loop("for", 1)
    writer.block(1, 3)
    writer.put(1, "return a, b, c, x, y, p")
    then = draw(st.lists(st.sampled_from(ARGUMENTS), min_size=2, max_size=4, unique=True))
    return Program(_HEAD + "\n".join(writer.lines) + "\n", draw(st.sampled_from(WARM)), then)
