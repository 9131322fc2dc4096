"""The process that ``scaling_cost`` asks: ``python -m ftjit_bench.scaling_child PROGRAM MODE SIZE ROUNDS SECONDS``."""

import hashlib
import math
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from . import catalog, child
from .script import Checksum
from .workers import Workers

WARM_UP_SECONDS = 10.0
YARDSTICK_ROUNDS = 10_000


def yardstick() -> str:
    """Nothing but arithmetic in C: what the machine lets two threads do."""
    return hashlib.pbkdf2_hmac("sha256", b"ftjit", b"bench", YARDSTICK_ROUNDS).hex()


class Pace:
    """A call, repeated so often that it takes some time; in one thread, and in two at once."""

    def __init__(self, call: Callable[[], Checksum], stack: ExitStack) -> None:
        self.call = call
        self.times = 1
        self.one, self.two = (stack.enter_context(Workers(self.repeat, threads)) for threads in (1, 2))

    def repeat(self) -> Checksum:
        for _ in range(self.times - 1):
            self.call()
        return self.call()

    def take(self, seconds: float) -> None:
        """About so many, from now on."""
        self.times = max(1, math.ceil(seconds / self.one.turn().seconds))

    def scaling(self) -> float:
        """The work of two threads to that of one in the same time; one, two, two, one, against drift."""
        first, second, third, fourth = (workers.turn().seconds for workers in (self.one, self.two, self.two, self.one))
        return 2 * (first + fourth) / (second + third)


def measure(name: str, mode: str, size: str, rounds: int, seconds: float) -> dict[str, Any]:
    """``rounds`` scalings of the program, and of the yardstick at the same times."""
    program = catalog.load(name)
    ftjit = child.switch_on(mode) if mode != "interpreter" else None
    checksums: set[str] = set()
    with ExitStack() as stack:
        paces = [Pace(lambda: program.run(program.SIZES[size]), stack), Pace(yardstick, stack)]
        for workers in (paces[0].one, paces[0].two):
            child.get_warm(workers, ftjit, WARM_UP_SECONDS, math.inf, checksums)
        for pace in paces:
            pace.take(seconds)
        pairs = [[pace.scaling() for pace in paces] for _ in range(rounds)]
    entries = ftjit.stats().entries if ftjit is not None else 0
    return {"pairs": pairs, "checksums": sorted(checksums), "entries": entries}


def main() -> int:
    name, mode, size, rounds, seconds = sys.argv[1:]
    return child.answer(measure, name, mode, size, int(rounds), float(seconds))


if __name__ == "__main__":
    raise SystemExit(main())
