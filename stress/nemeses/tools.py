"""Tracers, profilers and monitoring tools that come and go."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from random import Random

from ..harness.nemesis import Nemesis, Stage, Step

_TOOL = 3


def ignore(*_: object) -> None:
    """A trace function that wants nothing."""


class Tools(Nemesis):
    name = "tools"
    title = "sys.settrace, sys.setprofile and sys.monitoring switched on and off"

    def steps(self, rng: Random) -> Iterator[Step]:
        kinds = ("trace", "profile", "lines", "everywhere", "restart")
        while True:
            yield Step(0.005 + 0.03 * rng.random(), rng.choice(kinds), rng.randrange(5))

    def act(self, stage: Stage, step: Step) -> None:
        pause = step.number / 1000
        match step.what:
            case "trace":
                threading.settrace_all_threads(ignore)
                time.sleep(pause)
                threading.settrace_all_threads(None)
            case "profile":
                threading.setprofile_all_threads(ignore)
                time.sleep(pause)
                threading.setprofile_all_threads(None)
            case "restart":
                sys.monitoring.restart_events()
            case _:
                self._monitor(stage, step.what, pause)

    @staticmethod
    def _monitor(stage: Stage, what: str, pause: float) -> None:
        monitoring = sys.monitoring
        monitoring.use_tool_id(_TOOL, "ftjit stress")
        try:
            monitoring.register_callback(_TOOL, monitoring.events.LINE, ignore)
            if what == "everywhere":
                monitoring.set_events(_TOOL, monitoring.events.LINE)
            else:
                for function in stage.functions:
                    monitoring.set_local_events(_TOOL, function.__code__, monitoring.events.LINE)
            time.sleep(pause)
            monitoring.set_events(_TOOL, 0)
            for function in stage.functions:
                monitoring.set_local_events(_TOOL, function.__code__, 0)
        finally:
            monitoring.free_tool_id(_TOOL)
