"""The threads of one variant: every actor's, and the main thread as the first of them, turn after turn."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Sequence
from typing import Any

from .machine_code import Machine
from .messages import add
from .scenario import Actor, World

OUT_OF_MEMORY = "out of memory"  # what an actor shows that met a MemoryError while the memory nemesis is at work


class Crew:
    """`turn(world)` runs every actor once, all at once. Use as a context manager: the threads end with it."""

    def __init__(self, actors: Sequence[Actor], functions: Sequence[Any], machine: Machine) -> None:
        self.machine = machine
        self.parts = [
            (place, function, index)
            for place, (actor, function) in enumerate(zip(actors, functions, strict=True))
            for index in range(actor.count)
        ]
        self.world: World = None
        self.over = False
        self.memory_may_fail = False
        self.entries = [0] * len(actors)
        self.deopts = 0
        self.seen: list[dict[str, int]] = [{} for _ in self.parts]
        self.work_done: list[tuple[int, int]] = [(0, 0) for _ in self.parts]  # entries, deopts of the turn
        self.details: list[str] = []
        self.gate = threading.Barrier(len(self.parts))
        self.threads = [
            threading.Thread(target=self.follow, args=(number,), daemon=True, name=f"{part[1].__name__} {part[2]}")
            for number, part in enumerate(self.parts)
            if number
        ]
        for thread in self.threads:
            thread.start()

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        self.over = True
        self.gate.wait()
        for thread in self.threads:
            thread.join(10)

    def turn(self, world: World) -> dict[str, int]:
        """One turn; what all actors saw. Called by the main thread."""
        self.world = world
        self.gate.wait()
        self.play(0)
        self.gate.wait()
        outcomes: dict[str, int] = {}
        for (place, _, _), seen, (entries, deopts) in zip(self.parts, self.seen, self.work_done, strict=True):
            add(outcomes, seen)
            self.entries[place] += entries
            self.deopts += deopts
        return outcomes

    def follow(self, number: int) -> None:
        """A thread's life."""
        while True:
            self.gate.wait()
            if self.over:
                return
            self.play(number)
            self.gate.wait()

    def play(self, number: int) -> None:
        """One actor's part of one turn. Whatever it raises is something it saw."""
        _, function, index = self.parts[number]
        entries, deopts = self.machine.mine()
        try:
            self.seen[number] = dict(function(self.world, index) or {})
        except BaseException as error:
            self.seen[number] = {self.named(error): 1}
            if hasattr(self.world, "stop"):
                self.world.stop = True  # the others may be waiting for this one
        after, deopts_after = self.machine.mine()
        self.work_done[number] = (after - entries, deopts_after - deopts)

    def named(self, error: BaseException) -> str:
        """An exception as an outcome. Its traceback is kept, of the first few."""
        if isinstance(error, MemoryError) and self.memory_may_fail:
            return OUT_OF_MEMORY
        if len(self.details) < 5:
            self.details.append("".join(traceback.format_exception(error)))
        return f"raised {type(error).__name__}: {error}"[:120]
