"""What a virtual environment was made from, so that the next run knows there is nothing to do."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.probe import Interpreter

FILE_NAME = "ftjit-stamp.json"  # inside the virtual environment: it goes when the environment goes
_BUILT = {".o", ".so", ".pyc"}  # products of the very step the stamp stands for


@dataclass(frozen=True)
class Stamp:
    """One finished set-up."""

    interpreter: str  # path and full version: a change means a new environment
    inputs: str  # digest of everything `pip install` builds from: a change means installing again
    extras: tuple[str, ...]  # installed optional dependencies of the project, sorted

    def covers(self, other: "Stamp") -> bool:
        """True when nothing has to be done to go from this set-up to `other`."""
        return (
            self.interpreter == other.interpreter
            and self.inputs == other.inputs
            and set(self.extras) >= set(other.extras)
        )


def stamp_of(repository: Path, interpreter: Interpreter, extras: Iterable[str]) -> Stamp:
    """The stamp that a set-up of `repository`, as its files are now, leaves."""
    return Stamp(
        interpreter=f"{interpreter.path} {interpreter.build}",
        inputs=_digest(repository),
        extras=tuple(sorted(set(extras))),
    )


def _inputs(repository: Path) -> Iterator[Path]:
    yield repository / "pyproject.toml"
    yield repository / "setup.py"
    yield from (repository / "cdefs").rglob("*")
    yield from (repository / "ftjit" / "stencils").glob("*.py")


def _digest(repository: Path) -> str:
    """One digest of the names and contents of the inputs."""
    digest = hashlib.sha256()
    for path in sorted(_inputs(repository)):
        if path.is_file() and path.suffix not in _BUILT:
            content = path.read_bytes()
            digest.update(f"{path.relative_to(repository)}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def read(venv: Path) -> Stamp | None:
    """The stamp in `venv`; None when there is none that makes sense."""
    try:
        facts = json.loads((venv / FILE_NAME).read_text(encoding="utf-8"))
        return Stamp(facts["interpreter"], facts["inputs"], tuple(facts["extras"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def write(venv: Path, stamp: Stamp) -> None:
    """Leave `stamp` in `venv`."""
    (venv / FILE_NAME).write_text(json.dumps(asdict(stamp), indent=2) + "\n", encoding="utf-8")


def erase(venv: Path) -> None:
    """Take the stamp away before changing `venv`, so that a change that breaks off is seen."""
    (venv / FILE_NAME).unlink(missing_ok=True)
