"""A program that replaces builtins gets what the interpreter gives it: the compiler does not ask them."""

from __future__ import annotations

import builtins
import importlib.util
import pkgutil
import sys
from types import FunctionType
from typing import Any

from fresh_process import fresh_process
from machine import entered, switch_on

import ftjit

FAKES: dict[str, Any] = {
    "abs": lambda x: 1, "all": lambda x: True, "any": lambda x: "any", "bool": lambda *a: True, "dict": lambda *a: {},
    "enumerate": lambda *a: [], "frozenset": lambda *a: set(), "getattr": lambda *a: None, "hasattr": lambda *a: True,
    "id": lambda x: 5, "int": lambda *a: 1, "isinstance": lambda *a: True, "iter": lambda *a: [], "len": lambda x: 3,
    "list": lambda *a: [7], "max": lambda *a, **k: 7, "min": lambda *a, **k: 0, "next": lambda *a: 9,
    "range": lambda *a: [], "reversed": lambda x: [], "set": lambda *a: {1}, "sorted": lambda *a, **k: [],
    "sum": lambda *a: 1,
    "tuple": lambda *a: "tuple", "type": lambda x: None, "zip": lambda *a, **k: [],
}  # fmt: skip
SOURCE = """
def f(xs, n):
    total = 0.5
    i = 0
    while i < n:
        total += xs[i & 3] * 3
        i += 1
    return total
"""


@fresh_process(cases=list(FAKES), seconds=30)
def test_what_the_compiler_uses_is_replaced(case: str) -> None:
    scope: dict[str, Any] = {}
    exec(SOURCE, scope)
    f, is_compiled, real = scope["f"], ftjit.is_compiled, getattr(builtins, case)
    ftjit.jit(f)
    expected = f([1, 2, 3, 4], 1000)
    switch_on()
    setattr(builtins, case, FAKES[case])
    try:
        got, turns = [], 0
        while turns < 20_000 and not is_compiled(f):
            turns += 1
            got.append(f([1, 2, 3, 4], 1000))
        compiled = is_compiled(f)
    finally:
        setattr(builtins, case, real)
    assert compiled, ftjit.explain(f)
    assert set(got) == {expected}
    with entered():
        assert f([1, 2, 3, 4], 1000) == expected
    assert ftjit.stats().compile_errors == 0


@fresh_process()
def test_every_function_of_the_compiler_keeps_its_builtins() -> None:
    found = 0
    for module in [module for name, module in sys.modules.items() if name.startswith("ftjit.") and module]:
        if module.__name__.startswith(("ftjit.own_builtins", "ftjit._core")):
            continue
        for value in vars(module).values():
            functions = [value] if isinstance(value, FunctionType) else []
            if isinstance(value, type):
                functions = [each for each in vars(value).values() if isinstance(each, FunctionType)]
            for function in functions:
                if function.__globals__ is vars(module):
                    found += 1
                    assert function.__builtins__ is not vars(builtins), function
    assert found > 300


def test_nothing_stays_in_the_path_of_imports() -> None:
    assert not any("ftjit" in type(finder).__module__ for finder in sys.meta_path)
    for module in pkgutil.iter_modules(ftjit.__path__, "ftjit."):
        assert importlib.util.find_spec(module.name) is not None
