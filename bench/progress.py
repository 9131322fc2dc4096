"""Showing how far a long measurement is: a moving bar on a terminal, plain lines elsewhere. All on standard
error.
"""

import contextlib
import importlib.util
import sys
from collections.abc import Callable, Iterator

type Step = Callable[[int, int, str], None]
"""``step(done, total, what)``: ``done`` of ``total`` are measured, and ``what`` is being measured or was
last.
"""


@contextlib.contextmanager
def progress(title: str) -> Iterator[Step]:
    """Yields the function to call at each step."""
    if sys.stderr.isatty() and importlib.util.find_spec("rich") is not None:
        with bar(title) as step:
            yield step
        return
    print(f"{title} ...", file=sys.stderr, flush=True)
    yield print_line


def print_line(done: int, total: int, what: str) -> None:
    print(f"[{done}/{total}] {what}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def bar(title: str) -> Iterator[Step]:
    """A rich progress bar."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = [
        SpinnerColumn(),
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[what]}"),
    ]
    with Progress(*columns, console=Console(stderr=True), transient=True) as display:
        task = display.add_task(title, total=None, what="")

        def step(done: int, total: int, what: str) -> None:
            display.update(task, completed=done, total=total, what=what)

        yield step
