"""Building a free-threaded CPython from its source release into the user's cache, all or nothing."""

import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from tools import packages, places
from tools.lock import only_one
from tools.probe import Interpreter, usable
from tools.process import clean_environment, run_logged
from tools.release import RELEASE, source_archive
from tools.say import Progress, SetupError, say

DISK_BYTES = 1_500_000_000  # source tree, objects and the installed copy, side by side for a moment
TITLE = f"CPython {RELEASE.version} free-threaded"

# No pip: venv brings its own. No libpython.a: nothing embeds this interpreter, and it is 90 MB twice.
_CONFIGURE = ["--disable-gil", "--without-ensurepip", "--without-static-libpython"]
_CONFIGURE_PGO = ["--enable-optimizations", "--with-lto"]
# Byte code of the packages is written when they are first imported: compiling all of it, three times over
# as `make install` does, takes as long as compiling the interpreter.
_COMPILE_TOP_ONLY = "COMPILEALL_OPTS=-j0 -l"
_OBJECT = re.compile(r" -c .* -o (\S+\.o)\b| -o (\S+\.o) .*-c ")
_PHASES_PGO = {  # what CPython's Makefile says when a phase of a profile-guided build starts
    "Building with support for profile generation": "compiling, to be profiled",
    "Running code to generate profile data": "profiling (some minutes)",
    "Rebuilding with profile guided optimizations": "compiling with the profile",
}


def prefix(pgo: bool) -> Path:
    """Where the finished interpreter lives."""
    return places.interpreters() / f"cpython-{RELEASE.version}t-{'pgo' if pgo else 'O3'}"


def built(pgo: bool) -> Interpreter | None:
    """The interpreter that an earlier `build` left in the cache."""
    answer = usable(prefix(pgo) / "bin" / "python3.14t")
    return answer if isinstance(answer, Interpreter) else None


def build(pgo: bool = False, install_missing: bool = False) -> Interpreter:
    """Build into the cache, or take what another set-up has built meanwhile. Raises SetupError."""
    final = prefix(pgo)
    if re.search(r"\s", str(final)):
        raise SetupError(f"CPython cannot be built under {final}: set FTJIT_CACHE to a path without spaces")
    with only_one(places.cache() / "build.lock"):
        if ready := built(pgo):
            return ready
        packages.ensure(packages.CPYTHON, "building CPython", install_missing)
        archive = source_archive()
        rooms = places.cache() / "build"
        shutil.rmtree(rooms, ignore_errors=True)  # of a build that was killed: the lock is ours, so nobody's now
        rooms.mkdir(parents=True)
        free = shutil.disk_usage(rooms).free
        if free < DISK_BYTES:
            wanted = f"{DISK_BYTES / 1e9:.1f} GB"
            raise SetupError(f"{rooms} has {free / 1e9:.1f} GB free and the build needs {wanted}: set FTJIT_CACHE")
        work = Path(tempfile.mkdtemp(dir=rooms))
        try:
            staged = _compile(archive, work, final, pgo)
            answer = usable(staged / "bin" / "python3.14t")
            if isinstance(answer, str):
                raise SetupError(f"the interpreter just built is of no use: {answer}; see {_log(pgo)}")
            shutil.rmtree(final, ignore_errors=True)
            final.parent.mkdir(parents=True, exist_ok=True)
            staged.rename(final)
        finally:
            shutil.rmtree(rooms, ignore_errors=True)
    ready = built(pgo)
    if ready is None:
        raise SetupError(f"the interpreter in {final} does not start; see {_log(pgo)}")
    return ready


def _log(pgo: bool) -> Path:
    return places.logs() / f"{prefix(pgo).name}.log"


def _compile(archive: Path, work: Path, final: Path, pgo: bool) -> Path:
    """Unpack, configure, compile, and install for `final` into a folder inside `work`: returned."""
    jobs = len(os.sched_getaffinity(0))
    log = _log(pgo)
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("", encoding="utf-8")
    kind = "with PGO and LTO, about half an hour" if pgo else "at -O3, a few minutes"
    say(f"building {TITLE} from source {kind}, with {jobs} job(s); log: {log}")
    progress = Progress(TITLE)

    progress.show("unpacking")
    with tarfile.open(archive) as tree:
        if hasattr(tarfile, "data_filter"):
            tree.extraction_filter = tarfile.data_filter
        tree.extractall(work)
    source = work / RELEASE.folder

    environ = clean_environment()
    progress.show("configuring")
    options = [*_CONFIGURE, *(_CONFIGURE_PGO if pgo else []), f"--prefix={final}"]
    run_logged(
        ["./configure", *options],
        log,
        cwd=source,
        environ=environ,
        on_line=lambda line: progress.show("configuring", detail=line.strip()),
        what="configuring CPython",
    )

    objects = _object_count(source, environ)
    phase = "compiling"
    compiled: set[str] = set()

    def follow(line: str) -> None:
        nonlocal phase
        for said, name in _PHASES_PGO.items():
            if said in line:
                phase = name
                compiled.clear()
        if found := _OBJECT.search(line):
            compiled.add(found[1] or found[2])
        fraction = len(compiled) / objects if objects and phase.startswith("compiling") else None
        progress.show(phase, fraction, detail=found[1] or found[2] if found else "")

    run_logged(["make", f"-j{jobs}"], log, cwd=source, environ=environ, on_line=follow, what="compiling CPython")

    progress.show("installing")
    staging = work / "staged"
    run_logged(
        ["make", "install", f"DESTDIR={staging}", _COMPILE_TOP_ONLY],
        log,
        cwd=source,
        environ=environ,
        on_line=lambda line: progress.show("installing", detail=line.strip()),
        what="installing CPython",
    )
    progress.done("built")
    return staging / final.relative_to("/")


def _object_count(source: Path, environ: dict[str, str]) -> int:
    """How many object files make is about to compile; 0 when it does not say."""
    plan = subprocess.run(
        ["make", "-n", "build_all"], cwd=source, env=environ, capture_output=True, text=True, errors="replace"
    )
    return len({found[1] or found[2] for found in map(_OBJECT.search, plan.stdout.splitlines()) if found})
