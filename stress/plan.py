"""Which runs a command line asks for, carried out side by side, in order of the plan."""

from __future__ import annotations

import itertools
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from .harness import processes
from .harness.catalogue import load
from .harness.grading import Verdict, grade
from .harness.messages import Request

START_SECONDS = {"interpreter": 60.0, "ftjit": 90.0, "eager": 150.0}  # allowed for all but the turns, on a busy machine
INTERPRETER_SHARE = 0.5  # of the seconds, where the interpreter only shows what to compare with


@dataclass(frozen=True, slots=True)
class Plan:
    """`mode`: interpreter, ftjit, eager, or both (the interpreter, then ftjit). `nemeses`: None for each
    scenario's own. `shard`: (this one, of how many), counted from one. `runs`: of each, with seeds from `seed` on."""

    scenarios: tuple[str, ...]
    mode: str
    seconds: float
    seed: int
    nemeses: tuple[str, ...] | None = None
    shard: tuple[int, int] = (1, 1)
    jobs: int = 1
    runs: int = 1

    def requests(self) -> list[Request]:
        """Every run, in order."""
        index, shards = self.shard
        modes = ("interpreter", "ftjit") if self.mode == "both" else (self.mode,)
        found = []
        for name, mode in itertools.product(self.scenarios[index - 1 :: shards], modes):
            seconds = self.seconds * (INTERPRETER_SHARE if len(modes) > 1 and mode == "interpreter" else 1)
            for seed in range(self.seed, self.seed + self.runs):
                found.append(Request(name, mode, seconds, seed, self.nemeses, limit(self.seconds, mode)))
        return found


def limit(seconds: float, mode: str) -> float:
    """After how many seconds a run of `seconds` has hung."""
    return 4 * seconds + START_SECONDS[mode]


def seed_of(text: str) -> int:
    """A seed from a word, for those who like words."""
    return int(text) if text.isdigit() else zlib.crc32(text.encode())


def carry_out(requests: Sequence[Request], jobs: int, report: Callable[[int, Request, Verdict], None]) -> list[Verdict]:
    """Run them, `jobs` at a time; `report(number done, request, verdict)` after each, in the order they end. Ctrl-C
    ends those that are under way, and nothing is reported of them."""
    numbers = itertools.count(1)
    one_at_a_time = threading.Lock()
    stopping = False

    def one(request: Request) -> Verdict:
        verdict = run(request)
        with one_at_a_time:
            if not stopping:
                report(next(numbers), request, verdict)
        return verdict

    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(one, request) for request in requests]
        try:
            return [future.result() for future in futures]
        except BaseException:
            stopping = True
            pool.shutdown(wait=False, cancel_futures=True)
            while not all(future.done() for future in futures):  # one may be about to start its process
                processes.end_all()
                time.sleep(0.02)
            raise


def run(request: Request) -> Verdict:
    """One run, judged."""
    scenario = load(request.scenario)
    return grade(scenario, processes.run(request, scenario.environment))
