"""One run, in the process that was started for it: variants one after the other, turns in each, nemeses beside."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from random import Random
from typing import Any

from ..nemeses import NEMESES
from .children import LOST
from .crew import Crew
from .machine_code import Machine, machine
from .messages import Answer, Request, Variant, add
from .nemesis import Nemesis, Running, Stage
from .scenario import Scenario, Tier
from .tiers import assignments, copy_of
from .timeline import Timeline

SECONDS_A_VARIANT = 0.5  # no variant gets less, so a short run has few
# Seconds that a variant goes on until what must have happened has.
PATIENCE = float(os.environ.get("FTJIT_STRESS_PATIENCE", "20"))


class Engine:
    """Carries out one request. `answer` fills up as it goes."""

    def __init__(self, scenario: Scenario, request: Request) -> None:
        self.scenario = scenario
        self.request = request
        self.answer = Answer(request={})
        self.machine: Machine = machine(request.mode)
        self.stage = Stage(self.machine)
        self.rng = Random(f"{request.seed}/{scenario.name}")
        self.variants = 0  # so many are planned
        self.last_swapped = 0  # the number of the last one in which executors are swapped
        self.deopts = 0
        self.compiled: set[str] = set()  # of the scenario's `hot` functions
        self.guards: dict[str, int] = {}
        self.before: dict[str, int] = {}  # the counters when the run began
        chosen = scenario.nemeses if request.nemeses is None else request.nemeses
        self.chosen = [name for name in chosen if self.usable(NEMESES[name])]

    def usable(self, nemesis: Nemesis) -> bool:
        """Whether it can act here."""
        able = self.machine.compiles or not nemesis.needs_machine_code
        return able and nemesis.name not in self.scenario.not_with and nemesis.why_not() is None

    def nemeses_of(self, number: int) -> list[str]:
        """Those of a variant: of two that cannot act beside each other, the one here and the other there."""
        names = list(self.chosen)
        for name in self.chosen:
            for other in NEMESES[name].not_with:
                if name in names and other in names:
                    names.remove(other if number % 2 else name)
        return names

    def run(self) -> Answer:
        actors = self.scenario.actors
        seconds = self.request.seconds
        if self.machine.compiles:
            plan = assignments(actors, int(seconds / SECONDS_A_VARIANT), self.rng)
        else:
            plan = [tuple(Tier.INTERPRETER for _ in actors)]
        self.variants = len(plan)
        self.last_swapped = max((n for n, tiers in enumerate(plan) if Tier.SWAPPED in tiers), default=0)
        for function in self.scenario.hot:
            self.machine.prepare(function, Tier.EXECUTOR)
        before = self.before = self.machine.counters()
        timeline = Timeline(self.machine)
        timeline.start()
        for number, tiers in enumerate(plan):
            self.run_variant(number, tiers, seconds / len(plan))
        self.answer.timeline = timeline.stop()
        after = self.machine.counters()
        self.answer.counters = {name: after[name] - before[name] for name in after}
        self.answer.counters |= {"children_lost": self.stage.children_lost}
        self.answer.counters |= {"deopts": self.deopts, "guards_failed": self.guards}
        self.answer.counters |= self.machine.finish()
        self.answer.problems += self.stage.problems
        self.judge_machine()
        return self.answer

    def run_variant(self, number: int, tiers: Sequence[Tier], seconds: float) -> None:
        """All turns of one assignment of tiers."""
        variant = Variant([str(tier) for tier in tiers])
        self.answer.variants.append(variant)
        functions = [copy_of(actor.run) for actor in self.scenario.actors]
        stage = self.stage
        stage.functions = functions
        stage.targets = [f for f, tier in zip(functions, tiers, strict=True) if tier is not Tier.INTERPRETER]
        swapped = [f for f, tier in zip(functions, tiers, strict=True) if tier is Tier.SWAPPED]
        stage.swapped = [*(swapped or stage.targets), *self.scenario.hot]
        for function, tier in zip(functions, tiers, strict=True):
            self.machine.prepare(function, tier)
        names = list(dict.fromkeys([*self.nemeses_of(number), *(["swap_storm"] if Tier.SWAPPED in tiers else [])]))
        names.sort(key=lambda name: name == "memory")  # last: the others need memory to start
        running: list[Running] = []
        with Crew(self.scenario.actors, functions, self.machine) as crew:
            crew.memory_may_fail = "memory" in names
            start = self.machine.counters()
            began = time.monotonic()
            while (elapsed := time.monotonic() - began) < seconds + PATIENCE:
                if elapsed >= seconds and variant.turns > 1 and not self.missing(tiers, crew, start, running):
                    break
                with stage.calm:
                    world = stage.world = self.scenario.world(self.rng)
                add(variant.outcomes, crew.turn(world))
                with stage.calm:
                    add(variant.outcomes, (self.scenario.check(world) if self.scenario.check else None) or {})
                    self.look_at_guards(functions)
                    self.compiled |= {hot.__qualname__ for hot in self.scenario.hot if self.machine.ready(hot)}
                variant.turns += 1
                if not running:  # beside the first turn nobody disturbs, so that code gets hot
                    running = [self.start(name, number) for name in names]
            variant.seconds = time.monotonic() - began
            for nemesis in reversed(running):
                self.note(nemesis)
            variant.entries = crew.entries
            self.deopts += crew.deopts
            self.answer.details += crew.details
            add(self.answer.outcomes, variant.outcomes)
            if missing := self.missing(tiers, crew, start, running):
                self.answer.vacuous.append(f"variant {', '.join(variant.tiers)}: {missing}")
        stage.world = None

    def missing(self, tiers: Sequence[Tier], crew: Crew, start: dict[str, int], running: Sequence[Running]) -> str:
        """What has to happen and has not, so far in this variant; empty when nothing is missing."""
        for actor, tier, entries, function in zip(
            self.scenario.actors, tiers, crew.entries, self.stage.functions, strict=True
        ):
            if tier is not Tier.INTERPRETER and not entries:
                return f"{actor.run.__name__} never entered machine code ({self.machine.why_not(function)})"
        now = self.machine.counters()
        if Tier.SWAPPED in tiers and now["retired"] == start["retired"]:
            return "no executor was replaced"
        inside = now.get("retired_inside", 0) - self.before.get("retired_inside", 0)
        for nemesis in running:
            if not nemesis.done:
                return f"nemesis {nemesis.nemesis.name} did nothing"
        # One variant of them all is enough for these.
        variants = len(self.answer.variants)
        if Tier.SWAPPED in tiers and variants > self.last_swapped and not inside and not self.scenario.brief:
            return "no executor was replaced while somebody was inside"
        left = [hot for hot in self.scenario.hot if hot.__qualname__ not in self.compiled]
        if variants == self.variants and self.machine.compiles and left:
            return f"{left[0].__qualname__} was never compiled ({self.machine.why_not(left[0])})"
        if variants == self.variants and self.machine.compiles and self.scenario.needs_deopts and not self.guards:
            return "no guess went wrong"
        return ""

    def look_at_guards(self, functions: Sequence[Any]) -> None:
        """Which guesses went wrong so far: the most that any executor says of itself, for each reason."""
        for function in (*functions, *self.scenario.hot):
            for reason, taken in self.machine.guards_failed(function).items():
                self.guards[reason] = max(taken, self.guards.get(reason, 0))

    def start(self, name: str, number: int) -> Running:
        return Running(NEMESES[name], self.stage, f"{self.request.seed}/{self.scenario.name}/{number}/{name}")

    def note(self, nemesis: Running) -> None:
        """Stop a nemesis, and add up what it did."""
        done = nemesis.stop()
        known = next((other for other in self.answer.nemeses if other.name == done.name), None)
        if known is None:
            self.answer.nemeses.append(done)
        else:
            known.steps += done.steps

    def judge_machine(self) -> None:
        """What must hold of ftjit after every run."""
        if self.stage.children_lost > 2 + self.stage.children // 5:
            self.answer.problems.append(f"{self.stage.children_lost} of {self.stage.children} children: {LOST}")
        if not sum(self.answer.outcomes.values()):
            self.answer.vacuous.append("no outcome was seen")
        if sys._is_gil_enabled():
            self.answer.problems.append("the GIL is on: something in this run has switched it on")
        if not self.machine.compiles:
            return
        counters = self.answer.counters
        if counters["retired_in_all"] != counters["freed_in_all"] or counters["limbo_executors"]:
            self.answer.problems.append(
                f"{counters['retired_in_all']} executors retired, {counters['freed_in_all']} freed, "
                f"{counters['limbo_executors']} in limbo after everything was switched off"
            )
        if counters["freed_ages"]["0-1"]:
            self.answer.problems.append(f"executors were freed too early: {counters['freed_ages']}")
        if counters["compile_errors"] and "memory" not in self.chosen:
            self.answer.problems.append(f"the compiler failed {counters['compile_errors']} times")
