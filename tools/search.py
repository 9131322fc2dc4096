"""Which interpreter this checkout runs on: the first that will do, in one order."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tools import cpython_build, uv
from tools.probe import NEEDED, NOT_THERE, Interpreter, usable
from tools.say import SetupError, say

VARIABLE = "FTJIT_PYTHON"
ON_PATH = "python3.14t"


@dataclass(frozen=True)
class Place:
    """A place to look: an interpreter that will do, or None to go on; SetupError stops the search."""

    name: str
    look: Callable[[], Interpreter | None]


def from_environment(environ: Mapping[str, str] = os.environ) -> Interpreter | None:
    """What FTJIT_PYTHON names. It was asked for by name, so a wrong one stops the search (SetupError)."""
    wanted = environ.get(VARIABLE)
    if not wanted:
        return None
    answer = usable(wanted)
    if isinstance(answer, str):
        raise SetupError(f"{VARIABLE}={wanted} will not do: {answer}; needed is {NEEDED}. Unset it or name another")
    return answer


def from_path() -> Interpreter | None:
    """python3.14t on PATH; one that will not do is mentioned and passed over."""
    answer = usable(ON_PATH)
    if isinstance(answer, Interpreter):
        return answer
    if answer != NOT_THERE:
        say(f"passing over the {ON_PATH} on PATH: {answer}")
    return None


def at_hand() -> list[Place]:
    """Places that cost nothing to look in, best first."""
    return [
        Place(VARIABLE, from_environment),
        Place("PATH", from_path),
        Place("built earlier with --pgo", lambda: cpython_build.built(pgo=True)),
        Place("fetched earlier by uv", uv.installed),
        Place("built earlier", lambda: cpython_build.built(pgo=False)),
    ]


def to_make(install_missing: bool) -> list[Place]:
    """Places that fetch or build one, tried when none is at hand."""
    return [
        Place("uv", uv.install),
        Place("source", lambda: cpython_build.build(install_missing=install_missing)),
    ]


def first(places: list[Place]) -> tuple[Place, Interpreter] | None:
    """The first place with an interpreter that will do, and that interpreter."""
    for place in places:
        found = place.look()
        if found is not None:
            return place, found
    return None


def find(pgo: bool = False, install_missing: bool = False) -> Interpreter:
    """The interpreter to use, fetched or built if need be; `pgo`: the profile-guided build. SetupError."""
    if pgo:
        if os.environ.get(VARIABLE):
            raise SetupError(f"--pgo builds an interpreter, but {VARIABLE} names one: unset it")
        built = cpython_build.build(pgo=True, install_missing=install_missing)
        if from_path() is not None:
            say(f"the {ON_PATH} on PATH goes first from now on; for this one set {VARIABLE}={built.path}")
        return built
    found = first([*at_hand(), *to_make(install_missing)])
    if found is None:
        raise SetupError(f"no interpreter was found: set {VARIABLE} to {NEEDED}")
    return found[1]
