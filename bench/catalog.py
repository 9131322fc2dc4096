"""Which programs there are, and what kind each is."""

import importlib
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True)
class Program:
    """One file of ``programs/``: its name, its kind and a few words for people.

    Kinds: "numeric" and "objects" get hot; "ordinary" is text, dicts, sets and small objects, where most of the time
    goes into C functions: little is to be gained, nothing should be lost; "cold" is for what enabling costs.
    """

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
    Program("word_count", "ordinary", "words of a text in a dict"),
    Program("edit_distance", "ordinary", "rows of numbers over two strings"),
    Program("shortest_paths", "ordinary", "a heap and dicts of tuples"),
    Program("json_text", "ordinary", "a hand-written parser, letter by letter"),
    Program("bank", "ordinary", "inheritance, properties, exceptions"),
    Program("least_recently_used", "ordinary", "a dict and a ring of small objects"),
    Program("game_of_life", "ordinary", "a set and a dict of tuples"),
    Program("tokens", "ordinary", "regular expressions and a stack of values"),
    Program("complex_plane", "ordinary", "complex numbers"),
    Program("reports", "ordinary", "formatted text from records"),
    Program("queens", "ordinary", "recursive generators and sets"),
    Program("cold", "cold", "much code that runs a handful of times"),
)
BY_NAME = {program.name: program for program in PROGRAMS}
HOT_PROGRAMS = tuple(program for program in PROGRAMS if program.kind in ("numeric", "objects"))
BY_KIND = {
    kind: [program.name for program in PROGRAMS if program.kind == kind] for kind in ("numeric", "objects", "ordinary")
}


def load(name: str) -> ModuleType:
    """Import the program called ``name``: a module with ``SIZES`` and ``run``."""
    return importlib.import_module(f".programs.{BY_NAME[name].name}", __package__)
