"""Scenarios that are wrong on purpose, to see that the harness notices. Loaded by name: `planted:FORBIDDEN`."""

from __future__ import annotations

import ctypes
import time
from random import Random

from ftjit_stress.harness.scenario import INTERPRETED, Actor, Counts, Scenario, acceptable, forbidden


class World:
    def __init__(self, rng: Random) -> None:
        self.stop = False


def count(world: World, _: int) -> Counts:
    total = 0
    for number in range(30_000):
        total += number & 1
    return {"right": 1} if total == 15_000 else {"wrong": 1}


def lie(world: World, _: int) -> Counts:
    return {"wrong": 2}


def surprise(world: World, _: int) -> Counts:
    return {"never heard of": 3}


def fail(world: World, _: int) -> Counts:
    raise LookupError("planted")


def crash(world: World, _: int) -> Counts:
    ctypes.string_at(8)
    return {}


def hang(world: World, _: int) -> Counts:
    while True:
        time.sleep(0.1)


OUTCOMES = (acceptable("right", "as it should be"), forbidden("wrong", "as it should not be"))


def with_actor(run: object, **more: object) -> Scenario:
    actors = (Actor(run, tiers=INTERPRETED), Actor(count))  # type: ignore[arg-type]
    return Scenario(world=World, actors=actors, outcomes=OUTCOMES, **more)  # type: ignore[arg-type]


HELD = Scenario(world=World, actors=(Actor(count, count=2),), outcomes=OUTCOMES)
FORBIDDEN = with_actor(lie)
UNLISTED = with_actor(surprise)
RAISES = with_actor(fail)
CRASHES = with_actor(crash)
HANGS = with_actor(hang)
# Nothing of it may be compiled, so that no machine code ever runs.
VACUOUS = Scenario(world=World, actors=(Actor(count),), outcomes=OUTCOMES, environment={"FTJIT_ONLY": "nothing"})
NEVER_CALLED = Scenario(world=World, actors=(Actor(count),), outcomes=OUTCOMES, hot=(hang,))
NO_DEOPT = Scenario(world=World, actors=(Actor(count),), outcomes=OUTCOMES, needs_deopts=True)
SKIPPED = Scenario(world=World, actors=(Actor(count),), outcomes=OUTCOMES, skip=lambda: "not today")
STORMY = Scenario(world=World, actors=(Actor(count),), outcomes=OUTCOMES, nemeses=("gc_storm", "deopt_storm"))
