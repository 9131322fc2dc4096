"""What an interpreter is, found by asking it, and whether this project can run on it."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

NEEDED_VERSION = (3, 14)
NEEDED = "a free-threaded CPython 3.14 (python3.14t)"
NEEDED_MODULES = ("ctypes", "ensurepip", "ssl", "venv", "zlib")
NOT_THERE = "there is no such program"
PROBE_SECONDS = 20

# Runs inside the interpreter that is asked, which may be any version of anything: old syntax only.
_QUESTION = (
    f"NAMES = {NEEDED_MODULES!r}"
    + """
import json, os, sys, sysconfig
missing = []
for name in NAMES:
    try:
        __import__(name)
    except ImportError:
        missing.append(name)
include = sysconfig.get_path("include") or ""
print(json.dumps({
    "implementation": sys.implementation.name,
    "version": list(sys.version_info[:3]),
    "build": sys.version,
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "headers": os.path.isfile(os.path.join(include, "internal", "pycore_frame.h")),
    "missing_modules": missing,
}))
"""
)


@dataclass(frozen=True)
class Interpreter:
    """One interpreter as it described itself."""

    path: Path
    implementation: str
    version: tuple[int, int, int]
    build: str  # sys.version in full: tells two builds of one version apart
    free_threaded: bool
    headers: bool  # Python.h and CPython's internal headers are installed
    missing_modules: tuple[str, ...]

    def __str__(self) -> str:
        version = ".".join(map(str, self.version))
        name = "CPython" if self.implementation == "cpython" else self.implementation
        threading = "free-threaded" if self.free_threaded else "with the GIL"
        return f"{name} {version} {threading}"


def probe(command: str | Path) -> Interpreter | str:
    """Ask the interpreter `command` (a path, or a name on PATH); a sentence when no answer came."""
    found = shutil.which(str(command))
    if found is None:
        return NOT_THERE
    path = Path(found).resolve()  # a virtual environment made through a link may not find its library
    environ = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    try:
        answer = subprocess.run(
            [str(path), "-"],
            env=environ,
            input=_QUESTION,
            capture_output=True,
            text=True,
            timeout=PROBE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"it did not answer within {PROBE_SECONDS} s"
    except OSError as error:
        return f"it does not start: {error.strerror}"
    if answer.returncode:
        last = (answer.stderr.strip().splitlines() or ["no message"])[-1]
        return f"it fails (exit status {answer.returncode}): {last}"
    try:
        facts = json.loads(answer.stdout)
        return Interpreter(
            path=path,
            implementation=facts["implementation"],
            version=tuple(facts["version"]),
            build=facts["build"],
            free_threaded=facts["free_threaded"],
            headers=facts["headers"],
            missing_modules=tuple(facts["missing_modules"]),
        )
    except (ValueError, KeyError, TypeError):
        return "it is not a Python interpreter"


def complaint(interpreter: Interpreter) -> str | None:
    """Why this project cannot run on `interpreter`, naming what it is; None when it can."""
    if interpreter.implementation != "cpython" or interpreter.version[:2] != NEEDED_VERSION:
        return f"it is {interpreter}"
    if not interpreter.free_threaded:
        return f"it is {interpreter}, not a free-threaded build"
    if not interpreter.headers:
        return f"it is {interpreter} without its C headers (Python.h and internal/*.h)"
    if interpreter.missing_modules:
        return f"it is {interpreter} without the module(s) {', '.join(interpreter.missing_modules)}"
    return None


def usable(command: str | Path) -> Interpreter | str:
    """The interpreter behind `command` when the project can run on it, else a sentence that says why not."""
    answer = probe(command)
    if isinstance(answer, str):
        return answer
    return complaint(answer) or answer
