"""Running a script, a module or code as `python` itself would: the same `sys.argv`, `sys.path`, `__main__`, tracebacks
and exit status."""

from __future__ import annotations

import io
import linecache
import os
import pkgutil
import runpy
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

_OURS = (os.path.dirname(os.path.abspath(__file__)) + os.sep, "<frozen runpy>", runpy.__file__)


class NothingToRun(Exception):
    """There is no such script, or it cannot be read; the message says which."""


def run_code(text: str, arguments: list[str]) -> int:
    """`python -c text arguments`."""
    sys.argv = ["-c", *arguments]
    _first_on_path("")
    space = _new_main()

    def program() -> None:
        source = _dedented(text)
        code = compile(source, "<string>", "exec", dont_inherit=True)
        linecache._register_code(code, source, "<string>")  # type: ignore[attr-defined]  # tracebacks show its lines
        exec(code, space)

    return _finish(program)


def _dedented(text: str) -> str:
    """Without the indentation that all of its lines have, if they have any: what is blank in strings stays."""
    lines = [line for line in text.split("\n") if line.strip(" \t")]
    return textwrap.dedent(text) if all(line[0] in " \t" for line in lines) else text


def run_module(name: str, arguments: list[str]) -> int:
    """`python -m name arguments`."""
    sys.argv = [name, *arguments]
    _first_on_path(os.getcwd())
    _new_main()
    return _finish(lambda: runpy._run_module_as_main(name))  # type: ignore[attr-defined]


def run_script(name: str, arguments: list[str]) -> int:
    """`python name arguments`: a file, a folder or archive with a `__main__`, or `-` for standard input. NothingToRun
    where there is none."""
    sys.argv = [name, *arguments]
    if name == "-":
        _first_on_path("")
        source, file, space = sys.stdin.buffer.read(), "<stdin>", _new_main()
    elif not os.path.exists(name):
        raise NothingToRun(f"there is no script {name}")
    else:
        file = os.path.abspath(name)
        if pkgutil.get_importer(name) is not None:  # a folder or an archive
            _first_on_path(file, always=True)
            _new_main()
            return _finish(lambda: runpy._run_module_as_main("__main__", alter_argv=False))  # type: ignore[attr-defined]
        _first_on_path(str(Path(file).resolve().parent))
        if file.endswith(".pyc"):
            return _finish(lambda: _keep(runpy.run_path(file, run_name="__main__")))
        try:
            with io.open_code(file) as opened:
                source = opened.read()
        except OSError as error:
            raise NothingToRun(f"can't open file {file!r}: {error.strerror}") from None
        space = _new_main(__file__=file, __cached__=None)
    return _finish(lambda: exec(compile(source, file, "exec", dont_inherit=True), space))


def _first_on_path(folder: str, always: bool = False) -> None:
    """In place of the one that `python -m ftjit` came with, unless Python was told to have none (-P)."""
    if not sys.flags.safe_path:
        sys.path[0] = folder
    elif always:
        sys.path.insert(0, folder)


def _new_main(**attributes: Any) -> dict[str, Any]:
    """The namespace of a new `__main__`, which stays: what runs after the program's text may need it."""
    module = sys.modules["__main__"] = ModuleType("__main__")
    module.__dict__.update(__builtins__=sys.modules["builtins"], **attributes)
    return module.__dict__


def _keep(space: dict[str, Any]) -> None:
    """What the program has left behind stays `__main__`."""
    _new_main().update(space)


def _finish(program: Callable[[], object]) -> int:
    """Run it; the exit status. SystemExit goes on to the interpreter, and so does Ctrl-C, of which the process dies;
    anything else is reported as `python` does, without the frames that led there."""
    try:
        program()
    except SystemExit:
        raise
    except KeyboardInterrupt:
        report = sys.excepthook

        def without_ours(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
            traceback = _without_ours(traceback)
            report(kind, error.with_traceback(traceback), traceback)

        sys.excepthook = without_ours
        raise
    except BaseException as error:
        traceback = _without_ours(error.__traceback__)
        sys.excepthook(type(error), error.with_traceback(traceback), traceback)
        return 1
    return 0


def _without_ours(traceback: TracebackType | None) -> TracebackType | None:
    while traceback is not None and traceback.tb_frame.f_code.co_filename.startswith(_OURS):
        traceback = traceback.tb_next
    return traceback
