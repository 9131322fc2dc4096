"""Removing what set-up and builds have made, and nothing that anybody wrote."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from tools.say import say

_FOLDERS = (".venv", "build", "dist", ".cache", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis")
_PATTERNS = (
    "*.egg-info",
    "ftjit/_core.c",
    "tools/.ruff_cache",
    "ftjit/**/*.so",
    "ftjit/**/*.o",
    "cdefs/**/*.o",
    "ftjit/stencils/library.*.bin",
)
_CACHED = ("downloads", "python", "logs", "build", "uv", "stencils", "build.lock", "uv.lock")


def made(repository: Path) -> Iterator[Path]:
    """What is there in `repository` that can be made again."""
    yield from (repository / name for name in _FOLDERS if (repository / name).exists())
    for pattern in _PATTERNS:
        yield from sorted(repository.glob(pattern))
    for room in sorted(path for path in repository.iterdir() if path.is_dir() and path.name[0] != "."):
        yield from sorted(room.rglob("__pycache__"))


def clean(repository: Path, cache: Path | None) -> None:
    """Remove what was made in `repository`, and with `cache` the interpreters and downloads kept there."""
    targets = list(made(repository))
    if cache is not None:
        targets += [cache / name for name in _CACHED if (cache / name).exists()]
    for target in targets:
        say(f"removing {target}")
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)
