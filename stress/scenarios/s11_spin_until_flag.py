"""`while not done: pass` ends when another thread sets `done`: nothing shared is taken out of a loop.

The flag is an attribute, a global, an item of a list, a value in a dict, a variable of an enclosing function.
A loop that never ends is a hang, which the time limit of the run reports.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from ..harness.scenario import Actor, Counts, Scenario, acceptable

DONE = False


def cell() -> tuple[Callable[[], bool], Callable[[], None]]:
    done = False

    def get() -> bool:
        return done

    def put() -> None:
        nonlocal done
        done = True

    return get, put


class Flags:
    def __init__(self, rng: Random) -> None:
        global DONE
        DONE = False
        self.attribute = False
        self.item = [False]
        self.value = {"done": False}
        self.get, self.put = cell()
        self.waiting = 0
        self.pause = rng.randrange(200, 4000)


def wait(flags: Flags, _: int) -> Counts:
    item, value, get = flags.item, flags.value, flags.get
    flags.waiting = 1
    while not flags.attribute:
        pass
    flags.waiting = 2
    while not DONE:
        pass
    flags.waiting = 3
    while not item[0]:
        pass
    flags.waiting = 4
    while not value["done"]:
        pass
    flags.waiting = 5
    while not get():
        pass
    return {"ended": 5}


def set_flags(flags: Flags, _: int) -> None:
    global DONE
    for step in range(1, 6):
        while flags.waiting < step:
            pass
        for _ in range(flags.pause):
            pass
        if step == 1:
            flags.attribute = True
        elif step == 2:
            DONE = True
        elif step == 3:
            flags.item[0] = True
        elif step == 4:
            flags.value["done"] = True
        else:
            flags.put()


SCENARIO = Scenario(
    world=Flags,
    actors=(Actor(wait), Actor(set_flags)),
    outcomes=(acceptable("ended", "each loop ends when its flag is set"),),
)
