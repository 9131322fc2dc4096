"""What was found on this machine, and whether ftjit can run here."""

from __future__ import annotations

import platform
import sys
import sysconfig

from ftjit.config import check_words, read
from ftjit.errors import SettingError, UnsupportedPython
from ftjit.passes import PASSES
from ftjit.runtime.core import core


def report() -> tuple[str, bool]:
    """(a line for each finding, whether ftjit works here)."""
    rows = [
        ("Python", sys.version.replace("\n", " ")),
        ("free-threaded build", "yes" if sysconfig.get_config_var("Py_GIL_DISABLED") else "no"),
        ("machine", f"{platform.machine()}, {platform.platform()}"),
    ]
    works = True
    try:
        check_words("FTJIT_PASSES_OFF", read().passes_off, PASSES)
        found = core()
    except (SettingError, UnsupportedPython) as error:
        rows.append(("ftjit", f"cannot run: {error}"))
        works = False
    else:
        barrier = "membarrier (entering has no fence)" if found.lib.epoch_is_asymmetric() else "fences in every entry"
        holder = sys.monitoring.get_tool(sys.monitoring.OPTIMIZER_ID)
        works = holder in (None, "ftjit")
        rows += [
            ("stencils", f"{len(found.library)} for {found.library.target}"),
            ("executable memory", "allowed, dense" if found.lib.heap_is_dense() else "allowed, pages of their own"),
            ("memory barrier", barrier),
            ("sys.monitoring tool 5", "free" if holder is None else f"taken by {holder!r}"),
            ("ftjit", "works here" if works else "cannot run: its monitoring tool is taken"),
        ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:{width}}  {text}" for name, text in rows), works
