"""Which programs there are, and what kind each is."""

import importlib
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True)
class Program:
    """One file of ``programs/``: its name, its kind ("numeric", "objects" or "cold") and a few words for people."""

    name: str
    kind: str
    title: str


PROGRAMS = (
    Program("mandelbrot", "numeric", "escape times on a grid; float loops and calls"),
    Program("sieve", "numeric", "prime sieve; a list of flags, while loops"),
    Program("spectral_norm", "numeric", "power iteration; a small function in the inner loop"),
    Program("matrix_product", "numeric", "triple loop over lists of lists of floats"),
    Program("int_recurrence", "numeric", "whole-number sequences; + * % // & ^ >>"),
    Program("float_recurrence", "numeric", "logistic map; float arithmetic with branches"),
    Program("nbody", "objects", "planet orbits; tuple unpacking over lists"),
    Program("fannkuch", "objects", "permutations; element swaps and slices"),
    Program("shared_class", "objects", "attributes and methods of one class in all threads"),
    Program("cold", "cold", "much code that runs a handful of times"),
)
BY_NAME = {program.name: program for program in PROGRAMS}
HOT_PROGRAMS = tuple(program for program in PROGRAMS if program.kind != "cold")


def load(name: str) -> ModuleType:
    """Import the program called ``name``: a module with ``SIZES`` and ``run``."""
    return importlib.import_module(f".programs.{BY_NAME[name].name}", __package__)
