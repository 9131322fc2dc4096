"""What compiled code relies on changes: versions of classes, key sets of globals and builtins."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from random import Random
from typing import Any

from ..harness.nemesis import Nemesis, Stage, Step

_MARK = "stress_deopt_storm"
_HEAP_TYPE, _IMMUTABLE_TYPE = 1 << 9, 1 << 8  # Py_TPFLAGS_*


class DeoptStorm(Nemesis):
    """Nothing that it changes means anything to the program: only the guards notice."""

    name = "deopt_storm"
    title = "classes, globals and builtins get and lose attributes, so that guards fail"

    def steps(self, rng: Random) -> Iterator[Step]:
        while True:
            what = rng.choice(("class", "class", "globals", "builtins"))
            yield Step(0.001 + 0.02 * rng.random(), what, rng.randrange(1 << 16))

    def act(self, stage: Stage, step: Step) -> None:
        match step.what:
            case "class":
                for kind in {type(stage.world), *map(type, self._parts(stage.world))}:
                    if kind.__flags__ & (_HEAP_TYPE | _IMMUTABLE_TYPE) == _HEAP_TYPE:  # the program's, not a built-in
                        setattr(kind, _MARK, step.number)
                        if step.number & 1:
                            delattr(kind, _MARK)
            case "globals":
                for function in stage.functions:
                    space = function.__globals__
                    space[f"{_MARK}_{step.number % 7}"] = step.number
                    if step.number & 8:
                        space.pop(f"{_MARK}_{(step.number + 1) % 7}", None)
            case _:
                setattr(builtins, f"{_MARK}_{step.number % 7}", step.number)
                if step.number & 8:
                    vars(builtins).pop(f"{_MARK}_{(step.number + 1) % 7}", None)

    @staticmethod
    def _parts(world: Any) -> list[Any]:
        """What the world holds, one level deep."""
        return list(getattr(world, "__dict__", {}).values())

    def finish(self, stage: Stage) -> None:
        for space in (vars(builtins), *(function.__globals__ for function in stage.functions)):
            for number in range(7):
                space.pop(f"{_MARK}_{number}", None)
