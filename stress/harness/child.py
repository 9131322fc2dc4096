"""The process of one run: `python -m ftjit_stress.harness.child REQUEST` prints one line of JSON, last."""

from __future__ import annotations

from . import children  # noqa: F401  # isort: skip  # before anything that imports `threading`
import faulthandler
import resource
import sys
import time

from .catalogue import load
from .messages import Answer, Request


def main() -> int:
    began = time.monotonic()
    request = Request.from_json(sys.argv[1])
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    faulthandler.dump_traceback_later(request.limit, exit=True)
    scenario = load(request.scenario)
    answer = Answer(request={})
    reason = scenario.skip() if scenario.skip else None
    if reason:
        answer.skipped = reason
    elif sys._is_gil_enabled():
        answer.problems.append("the GIL is on: this needs a free-threaded Python with the GIL off")
    else:
        from .engine import Engine

        answer = Engine(scenario, request).run()
    answer.wall_seconds = round(time.monotonic() - began, 3)
    faulthandler.cancel_dump_traceback_later()
    sys.stdout.write("\n" + answer.to_json() + "\n")
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
