"""A child process that plays one program after the other: `python -m support.serve plain|ftjit`.

Each line on stdin is a JSON object {"source", "hot", "warm", "then"}: a module's source, the function to
get hot, and expressions for its argument tuples. The answer, a line on the file descriptor that stdout was,
is what `drive` writes of a case.
"""

from __future__ import annotations

import copy
import faulthandler
import json
import math
import os
import sys
from typing import Any

from support.case import Case, Run
from support.drive import play_hot, play_plain

REPEATS = 10


class Box:
    """An object with attributes, for programs to work on."""

    def __init__(self, n: Any) -> None:
        self.n = n
        self.m = 1


def _case(request: dict[str, Any]) -> Case:
    space = {"Box": Box, "inf": math.inf, "nan": math.nan}
    exec(compile(request["source"], "generated.py", "exec"), space)
    function = space[request["hot"]]
    warm, then = eval(request["warm"], space), [eval(text, space) for text in request["then"]]
    kept = {name: value for name, value in space.items() if name.startswith("g")}

    def one(*arguments: Any) -> Any:
        """The function, with the module's own variables as they were at first."""
        space.update(copy.deepcopy(kept))
        return function(*arguments)

    def play(run: Run) -> None:
        run.warm(one, *warm)
        for times in (1, REPEATS):
            for arguments in then:
                run.call(one, *arguments, times=times)
            run.warm(one, *warm)

    return Case(request["hot"], play, (function,), False)


def main(mode: str) -> None:
    """Serve until stdin ends."""
    faulthandler.enable()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if mode == "ftjit":
        import ftjit
        from support.heating import enable

        enable()
    for line in sys.stdin:
        case = _case(json.loads(line))
        played = play_hot(case) if mode == "ftjit" else play_plain(case)
        if mode == "ftjit":
            played["compile_errors"] = ftjit.stats().compile_errors
        answers.write(json.dumps({"machine": False, **played}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
