"""The words in which scenarios are written: worlds, actors, outcomes, tiers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any

LONG_ENOUGH = 20.0  # seconds to wait for what must happen: a busy machine is no finding

type World = Any  # what the actors of one turn share; a fresh one each turn
type Counts = Mapping[str, int]  # outcome -> how often it was seen


class Grade(StrEnum):
    """What an outcome says of the machine that showed it. One that a scenario does not list is forbidden."""

    ACCEPTABLE = "acceptable"
    INTERESTING = "interesting"  # right, and worth knowing that it happens
    FORBIDDEN = "forbidden"  # the interpreter cannot show it, under any interleaving


class Tier(StrEnum):
    """How an actor's code runs."""

    INTERPRETER = "interpreter"
    EXECUTOR = "executor"  # machine code
    SWAPPED = "swapped"  # machine code that is replaced and taken away all the time


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row of a scenario's table."""

    name: str
    grade: Grade
    why: str


def acceptable(name: str, why: str) -> Outcome:
    return Outcome(name, Grade.ACCEPTABLE, why)


def interesting(name: str, why: str) -> Outcome:
    return Outcome(name, Grade.INTERESTING, why)


def forbidden(name: str, why: str) -> Outcome:
    return Outcome(name, Grade.FORBIDDEN, why)


ALL_TIERS = (Tier.INTERPRETER, Tier.EXECUTOR, Tier.SWAPPED)
INTERPRETED = (Tier.INTERPRETER,)  # for actors that direct a scene and have no hot loop of their own


@dataclass(frozen=True, slots=True)
class Actor:
    """`count` threads that call `run(world, index)` once a turn, index 0..count-1. What it returns, if anything,
    is what it saw. The first actor's first thread is the main thread: signals arrive there.

    `run` must be a plain function, and what is to be hot in it a loop: each tier runs a copy of its code."""

    run: Callable[[World, int], Counts | None]
    count: int = 1
    tiers: tuple[Tier, ...] = ALL_TIERS


@dataclass(frozen=True, slots=True)
class Scenario:
    """One rule, and threads that would break it."""

    world: Callable[[Random], World]
    actors: tuple[Actor, ...]
    outcomes: tuple[Outcome, ...]
    check: Callable[[World], Counts | None] | None = None  # after the actors' turn, by the main thread alone
    hot: tuple[Callable[..., Any], ...] = ()  # compiled besides the actors: functions they call
    needs_deopts: bool = False  # a run in which no guess went wrong has shown nothing
    brief: bool = False  # stays in machine code are too short to be met: executors replaced count, inside or not
    nemeses: tuple[str, ...] = ()  # those it is run with when nobody says otherwise
    not_with: tuple[str, ...] = ()  # nemeses that the stock interpreter does not bear here
    skip: Callable[[], str | None] | None = None  # why it cannot run here
    environment: Mapping[str, str] | None = None  # of the process it runs in
    long: bool = False  # too long for the quick tests
    name: str = ""  # these three are filled in from the module
    title: str = ""
    lesson: str = ""

    def grade(self, outcome: str) -> Outcome:
        """The row of an outcome; unlisted is forbidden."""
        for row in self.outcomes:
            if row.name == outcome:
                return row
        return forbidden(outcome, "not in the scenario's table")
