"""System packages: what building needs, what of it is missing, and the one line that installs it."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from tools.process import clean_environment
from tools.say import SetupError, say


@dataclass(frozen=True)
class Requirement:
    """A program or a C header, and the Debian package that brings it."""

    package: str
    program: str = ""
    header: str = ""
    needed: bool = True  # False: what asks for it goes on with less


COMPILER = (
    Requirement("gcc", program="gcc"),
    Requirement("libc6-dev", header="stdlib.h"),
)
CPYTHON = (
    *COMPILER,
    Requirement("make", program="make"),
    Requirement("zlib1g-dev", header="zlib.h"),
    Requirement("libffi-dev", header="ffi.h"),
    Requirement("libssl-dev", header="openssl/ssl.h"),
    Requirement("libbz2-dev", header="bzlib.h", needed=False),
    Requirement("liblzma-dev", header="lzma.h", needed=False),
    Requirement("libsqlite3-dev", header="sqlite3.h", needed=False),
    Requirement("libreadline-dev", header="readline/readline.h", needed=False),
)

MODEL = (*COMPILER, Requirement("spin", program="spin"))
TORTURE = (*COMPILER, Requirement("clang-19", program="clang-19", needed=False))  # gcc does a part
# Tests that need them are skipped where they are not.
TESTS = tuple(replace(requirement, needed=False) for requirement in (*MODEL, *TORTURE))


def has_header(header: str) -> bool:
    """True when the C compiler finds `header`; without a compiler, False."""
    compiler = shutil.which("gcc")
    if compiler is None:
        return False
    # readline's header uses FILE without including stdio.h.
    source = f"#include <stdio.h>\n#include <{header}>\n" if header != "stdlib.h" else f"#include <{header}>\n"
    check = subprocess.run(
        [compiler, "-E", "-x", "c", "-", "-o", os.devnull], input=source, capture_output=True, text=True
    )
    return check.returncode == 0


def missing(
    requirements: Iterable[Requirement],
    find_program: Callable[[str], str | None] = shutil.which,
    find_header: Callable[[str], bool] = has_header,
) -> list[Requirement]:
    """Those of `requirements` that this machine does not have."""
    return [
        requirement
        for requirement in requirements
        if (requirement.program and not find_program(requirement.program))
        or (requirement.header and not find_header(requirement.header))
    ]


def install_line(lacking: Iterable[Requirement]) -> str:
    """The command that installs everything in `lacking`."""
    return " ".join(["apt-get", "install", "-y", *(requirement.package for requirement in lacking)])


def ensure(requirements: Iterable[Requirement], why: str, install_missing: bool = False) -> None:
    """Make sure that `requirements` are here before `why` starts.

    Root on a machine with apt: installs what is missing, saying so (`install_missing`: anyone, by sudo).
    Otherwise raises SetupError with the one line to run when something needed is missing; a missing
    extra is only mentioned.
    """
    requirements = tuple(requirements)
    lacking = missing(requirements)
    if not lacking:
        return
    line = install_line(lacking)
    root = os.geteuid() == 0
    command = line if root else f"sudo {line}"
    if shutil.which("apt-get") and (root or install_missing):
        say(f"{why} needs system packages; running: {command}")
        _install(command.split())
        lacking = missing(requirements)
        if not lacking:
            return
    if any(requirement.needed for requirement in lacking):
        raise SetupError(f"{why} needs system packages that are missing; install them with:\n{command}")
    names = ", ".join(requirement.package for requirement in lacking)
    say(f"going on without {names}: {why} will do less (to have it: {command})")


def _install(command: list[str]) -> None:
    """Run apt-get, its lists brought up to date first; what it could not do shows in the check after."""
    environ = clean_environment(DEBIAN_FRONTEND="noninteractive")
    update = [*command[: command.index("apt-get")], "apt-get", "update"]
    for step in (update, command):
        quiet = [*step, "-qq"]
        answer = subprocess.run(
            quiet,
            env=environ,
            stdin=None if step[0] == "sudo" else subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if answer.returncode:
            last = (answer.stderr.strip().splitlines() or ["no message"])[-1]
            say(f"`{' '.join(step)}` failed: {last}")
