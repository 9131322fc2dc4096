"""A child process that plays one program module: `python -m support.drive plain|ftjit MODULE FILE [CASE]`.

FILE gets one JSON object a line: {"begin": case}, then {"case", "recorded", "entries", "compiled",
"explain"}, and at the end {"end": statistics}. So a crash shows which case was being played.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import sys
from typing import Any, TextIO

from support.case import CASES, Case, Run


def _write(file: TextIO, record: dict[str, Any]) -> None:
    file.write(json.dumps(record) + "\n")
    file.flush()


def play_plain(case: Case) -> dict[str, Any]:
    """Play it in the interpreter alone."""
    from support.heating import heat_nothing

    run = Run(case, heat_nothing)
    case.play(run)
    return {"recorded": run.recorded}


def play_hot(case: Case) -> dict[str, Any]:
    """Play it with ftjit, which is enabled."""
    import ftjit
    from support.heating import heat

    before = ftjit.stats().entries
    run = Run(case, heat)
    case.play(run)
    return {
        "recorded": run.recorded,
        "entries": ftjit.stats().entries - before,
        "compiled": run.compiled,
        "explain": "\n".join(str(ftjit.explain(function)) for function in case.hot),
    }


def main(mode: str, module: str, path: str, only: str = "") -> None:
    """Play every case of the module, in order (or only the one of this name)."""
    faulthandler.enable()
    importlib.import_module(module)
    with open(path, "w") as file:
        if mode == "ftjit":
            import ftjit
            from support.heating import enable

            enable()
        for case in CASES[module]:
            if only not in ("", case.name):
                continue
            _write(file, {"begin": case.name})
            played = play_hot(case) if mode == "ftjit" else play_plain(case)
            _write(file, {"case": case.name, "machine": case.machine, **played})
        _write(file, {"end": ftjit.stats().to_dict() if mode == "ftjit" else {}})


if __name__ == "__main__":
    main(*sys.argv[1:])
