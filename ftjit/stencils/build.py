"""Builds the stencil library: templates -> C -> assembly -> object -> stencils -> one file.

    python -m ftjit.stencils.build [--output FILE] [--force]

Runs when the package is built. What was compiled is kept in the user's cache folder, under a digest of
everything it depends on: whole libraries, so that building again without a change only copies one, and the
parts that are compiled one at a time, so that a change compiles only those it touches.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import hashlib
import os
import re
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from ftjit.stencils import cache, compiler, library, templates
from ftjit.stencils.model import SLOW, Operation, Stencil, StencilError

SOURCES: Final = Path(__file__).resolve().parents[2] / "cdefs"
# Functions to a generated C file: the headers cost 0.3 s each time, a change costs a whole file.
FUNCTIONS_PER_CHUNK: Final = 300
BUILDER: Final = ("model", "elf", "templates", "assembly", "compiler", "library", "build")
_SUMMARY: Final = "Builds the stencil library with the clang inside the ziglang wheel."


class Chunk(NamedTuple):
    """One C file to compile. label names it in messages."""

    label: str
    source: str


def template_files(sources: Path = SOURCES) -> list[Path]:
    """The template files, in order. StencilError if there are none."""
    found = sorted((sources / "stencils").glob("*.stencil.c"))
    if not found:
        raise StencilError(f"no templates in {sources / 'stencils'}: build from a source checkout")
    return found


def inputs_digest(sources: Path = SOURCES) -> str:
    """Digest, in hex, of everything the library depends on: templates and what `common_digest` covers."""
    return _digest(template_files(sources), common_digest(sources))


def common_digest(sources: Path = SOURCES) -> str:
    """Digest, in hex, of what every chunk depends on: headers, builder with its flags, compiler, Python."""
    headers = [sources / "activation.h", *sorted((sources / "stencils").glob("*.h"))]
    builder = [Path(__file__).with_name(f"{module}.py") for module in BUILDER]
    python = f"{sys.hexversion:#x} {sysconfig.get_config_var('Py_GIL_DISABLED')}"
    return _digest([*headers, *builder], f"{compiler.version()} {python}")


def _digest(files: Iterable[Path], more: str) -> str:
    digest = hashlib.sha256(more.encode())
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def chunks(files: Iterable[templates.TemplateFile]) -> Iterator[Chunk]:
    """The C files that together define every function. A template with many variants has files of its own."""
    for file in files:
        parts: list[list[str]] = [[]]
        for template in file.templates:
            functions = list(templates.expand_template(file.name, template))
            if len(parts[-1]) + len(functions) > FUNCTIONS_PER_CHUNK:
                parts.append([])
            for start in range(0, len(functions), FUNCTIONS_PER_CHUNK):
                if start:
                    parts.append([])
                parts[-1] += functions[start : start + FUNCTIONS_PER_CHUNK]
        for number, part in enumerate(part for part in parts if part):
            yield Chunk(f"{file.name.removesuffix('.stencil.c')}.{number}", templates.generate(file, part))


def compile_chunk(chunk: Chunk, folder: Path, sources: Path, common: str, *, force: bool) -> list[Stencil]:
    """The stencils of one chunk: kept from an earlier build of equal inputs, or compiled."""
    code = re.sub(r"^#line .*$", "", chunk.source, flags=re.MULTILINE)  # moved is not changed
    digest = hashlib.sha256((common + code).encode()).hexdigest()
    kept = cache.cache_folder() / "parts" / f"{digest}.bin"
    if not force:
        try:
            return list(library.load(kept).values())
        except StencilError, OSError:
            pass
    stencils = compiler.compile_stencils(chunk.label, chunk.source, folder, sources)
    cache.keep(kept, library.encode(stencils, (), digest))
    return stencils


def build(sources: Path = SOURCES, *, jobs: int | None = None, force: bool = False) -> bytes:
    """The content of the library file.

    jobs: chunks compiled at a time. force: compile those too that were kept from an earlier build.
    """
    digest, common = inputs_digest(sources), common_digest(sources)
    files = [templates.parse(path.name, path.read_text()) for path in template_files(sources)]
    operations: dict[str, Operation] = {}
    for operation in (template.operation for file in files for template in file.templates):
        if (other := operations.setdefault(operation.name, operation)) is not operation:
            raise StencilError(f"{operation.source}: {other.name} is already defined at {other.source}")
    with (
        tempfile.TemporaryDirectory(prefix="ftjit-stencils-") as folder,
        concurrent.futures.ThreadPoolExecutor(jobs or os.cpu_count()) as pool,
    ):
        work = [
            pool.submit(compile_chunk, chunk, Path(folder), sources, common, force=force) for chunk in chunks(files)
        ]
        try:
            stencils = [stencil for part in work for stencil in part.result()]
        except BaseException:
            pool.shutdown(cancel_futures=True)  # the first refusal is enough
            raise
    check_slow_paths(operations, stencils)
    return library.encode(stencils, operations.values(), digest)


def check_slow_paths(operations: Mapping[str, Operation], stencils: Sequence[Stencil]) -> None:
    """StencilError if an operation uses SLOW without a SLOWPATH, or has one that nothing jumps to."""
    using = {stencil.name.partition("__")[0] for stencil in stencils if SLOW in stencil.symbols}
    twins = {s.name for s in stencils if s.name.endswith("__slow") and SLOW in s.symbols}
    for name, operation in operations.items():
        if (name in using) != operation.has_slow_path:
            which = "a SLOWPATH but never SLOW" if operation.has_slow_path else "SLOW but no SLOWPATH"
            raise StencilError(f"{operation.source}: {name} has {which}: add the one or remove the other")
    if twins:
        raise StencilError(f"{min(twins)} uses SLOW itself: a SLOWPATH ends in NEXT, EXIT or a return")


def ensure(output: Path = library.DEFAULT_PATH, *, force: bool = False) -> str:
    """Brings `output` up to date and says how: "current", "cached" or "built". force compiles in any case."""
    digest = inputs_digest()
    kept = cache.cache_folder() / f"{digest}.bin"
    if not force:
        for path, how in ((output, "current"), (kept, "cached")):
            try:
                if library.load(path).digest == digest:
                    if how == "cached":
                        cache.write(output, path.read_bytes())
                    return how
            except StencilError, OSError:
                continue
    content = build(force=force)
    cache.write(output, content)
    cache.keep(kept, content)
    return "built"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ftjit.stencils.build", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--output", type=Path, default=library.DEFAULT_PATH, help="the file to write (%(default)s)")
    parser.add_argument("--force", action="store_true", help="compile even if nothing changed")
    options = parser.parse_args(arguments)
    start = time.perf_counter()
    try:
        how = ensure(options.output, force=options.force)
    except StencilError as error:
        print(f"ftjit: {error}", file=sys.stderr)
        return 1
    built = library.load(options.output)
    size = options.output.stat().st_size
    print(
        f"{options.output}: {len(built)} stencils of {len(built.operations)} operations, {size:,} bytes, "
        f"{how} in {time.perf_counter() - start:.1f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
