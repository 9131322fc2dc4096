"""Which actor runs in which tier: copies of the actors' code, and the assignments that one run goes through."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from random import Random
from types import FunctionType
from typing import Any

from .scenario import Actor, Tier


def copy_of(function: Any) -> Any:
    """A function with a code object of its own, so that its tier is its own."""
    assert isinstance(function, FunctionType), f"an actor must be a plain function, not {function!r}"
    assert function.__closure__ is None, f"{function.__qualname__}: an actor must not be a closure"
    return FunctionType(function.__code__.replace(), function.__globals__, function.__name__, function.__defaults__)


def assignments(actors: Sequence[Actor], room: int, rng: Random) -> list[tuple[Tier, ...]]:
    """At most `room` (at least two) assignments of tiers, in the order they are run: all executors, all being
    swapped, then mixed ones in random order. Those without any machine code are left out."""
    every = [tuple(chosen) for chosen in itertools.product(*(actor.tiers for actor in actors))]
    compiled = [chosen for chosen in every if any(tier is not Tier.INTERPRETER for tier in chosen)]
    if not compiled:
        return every[:1]
    first = [tuple(best(actor, wish) for actor in actors) for wish in (Tier.EXECUTOR, Tier.SWAPPED)]
    first = [chosen for chosen in dict.fromkeys(first) if chosen in compiled]
    others = [chosen for chosen in compiled if chosen not in first]
    rng.shuffle(others)
    return [*first, *others][: max(2, room)]


def best(actor: Actor, wish: Tier) -> Tier:
    """What the actor may be that comes closest: the tier itself, else machine code, else the interpreter."""
    for tier in (wish, Tier.EXECUTOR, Tier.SWAPPED):
        if tier in actor.tiers:
            return tier
    return Tier.INTERPRETER
