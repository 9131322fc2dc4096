"""The scenarios there are, in teaching order: the files s01_..., s02_... of `scenarios/`."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from dataclasses import replace
from functools import cache
from types import ModuleType

from .scenario import Scenario


@cache
def modules() -> dict[str, str]:
    """Scenario name -> module name, in order; nothing is imported but the folder."""
    from .. import scenarios

    found = sorted(module.name for module in pkgutil.iter_modules(scenarios.__path__) if module.name[0] == "s")
    return {name.partition("_")[2]: f"{scenarios.__name__}.{name}" for name in found}


def load(name: str) -> Scenario:
    """A scenario by its name, or by `module:NAME` for one that is not in the catalogue. KeyError, ImportError."""
    module_name, _, attribute = name.partition(":") if ":" in name else (modules()[name], "", "SCENARIO")
    return described(importlib.import_module(module_name), attribute, name)


def described(module: ModuleType, attribute: str, name: str) -> Scenario:
    """The scenario with the name, title (first line) and lesson (the rest) of its module's docstring."""
    title, _, lesson = inspect.cleandoc(module.__doc__ or name).partition("\n")
    scenario: Scenario = getattr(module, attribute)
    return replace(scenario, name=name, title=title.strip(), lesson=lesson.strip())
