"""A nemesis: a disturbance beside the actors, whose schedule is a pure function of the seed."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from typing import Any

from .machine_code import Machine
from .messages import Disturbance

SHOWN = 20  # steps of a schedule that are kept for the report


@dataclass(frozen=True, slots=True)
class Step:
    """`after` seconds after the step before: `what`, with a number to choose by."""

    after: float
    what: str
    number: int = 0

    def __str__(self) -> str:
        return f"+{1000 * self.after:.1f} ms {self.what} {self.number}"


@dataclass(slots=True)
class Stage:
    """What a nemesis may touch: the machine, the actors' functions of this variant, the world of this turn."""

    machine: Machine
    targets: list[Any] = field(default_factory=list)  # functions in machine code
    swapped: list[Any] = field(default_factory=list)  # those that are to be swapped
    functions: list[Any] = field(default_factory=list)  # every actor's
    world: Any = None
    problems: list[str] = field(default_factory=list)
    memory_was_short: bool = False
    children: int = 0  # that were forked, and
    children_lost: int = 0  # to the interpreter: children.py
    calm: Any = field(default_factory=threading.Lock)  # held while the harness works that must not run out of memory


class Nemesis:
    """Base: subclasses say what their steps are and carry one out. `steps` uses nothing but its generator."""

    name = ""
    title = ""
    needs_machine_code = False
    not_with: tuple[str, ...] = ()  # nemeses that the stock interpreter does not bear beside this one

    def steps(self, rng: Random) -> Iterator[Step]:
        """The schedule: endless, the same for the same seed."""
        raise NotImplementedError

    def why_not(self) -> str | None:
        """Why it cannot run here."""
        return None

    def prepare(self, stage: Stage) -> None:
        """In the main thread, before the first step."""

    def act(self, stage: Stage, step: Step) -> None:
        """In the nemesis's own thread."""
        raise NotImplementedError

    def finish(self, stage: Stage) -> None:
        """In the main thread, after the last step: everything as it was."""


def opening(nemesis: Nemesis, seed: str) -> list[str]:
    """How the schedule of a seed begins, for people."""
    return [str(step) for step in islice(nemesis.steps(Random(seed)), SHOWN)]


# Seconds. A fork waits for the compiler threads and then for its child, each up to ten, and for a processor.
PATIENCE = 60.0


class Running:
    """A nemesis at work in a thread of its own, until `stop`."""

    def __init__(self, nemesis: Nemesis, stage: Stage, seed: str) -> None:
        self.nemesis = nemesis
        self.stage = stage
        self.seed = seed
        self.done = 0
        self.stopping = threading.Event()
        nemesis.prepare(stage)
        self.thread = threading.Thread(target=self.work, daemon=True, name=f"nemesis {nemesis.name}")
        self.thread.start()

    def work(self) -> None:
        try:
            for step in self.nemesis.steps(Random(self.seed)):
                if self.stopping.wait(step.after):
                    return
                try:
                    self.nemesis.act(self.stage, step)
                except MemoryError, OSError, RuntimeError:
                    if not self.stage.memory_was_short:
                        raise
                self.done += 1
        except Exception:
            self.stage.problems.append(f"nemesis {self.nemesis.name}: {traceback.format_exc()}")

    def stop(self) -> Disturbance:
        """End it; what it did. RuntimeError when it does not end."""
        self.stopping.set()
        self.thread.join(PATIENCE)
        if self.thread.is_alive():
            raise RuntimeError(f"nemesis {self.nemesis.name} does not end")
        self.nemesis.finish(self.stage)
        return Disturbance(self.nemesis.name, self.done, opening(self.nemesis, self.seed))
