"""The command line every program in ``programs/`` has when it is run as a script. Standard library only."""

import argparse
import sys
import threading
from collections.abc import Callable, Mapping, Sequence

type Checksum = int | float | str


def run_in_threads(run: Callable[[int], Checksum], size: int, threads: int) -> list[Checksum]:
    """Call ``run(size)`` once in each of ``threads`` threads at once; their checksums in thread order.

    Raises what the first failing thread (in thread order) raised.
    """
    results: list[Checksum | None] = [None] * threads
    failures: list[BaseException | None] = [None] * threads

    def work(index: int) -> None:
        try:
            results[index] = run(size)
        except BaseException as failure:  # handed to the caller: a thread has nobody else to tell
            failures[index] = failure

    workers = [threading.Thread(target=work, args=(index,)) for index in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for failure in failures:
        if failure is not None:
            raise failure
    return [result for result in results if result is not None]


def main(run: Callable[[int], Checksum], sizes: Mapping[str, int], argv: Sequence[str] | None = None) -> int:
    """Parse ``--size``, ``--threads`` and ``--repeat``, run, and print one checksum line for each thread and
    repeat.
    """
    parser = argparse.ArgumentParser(description=sys.modules[run.__module__].__doc__)

    def size(text: str) -> int:
        return sizes[text] if text in sizes else at_least_one(text)

    parser.add_argument(
        "--size", type=size, default=sizes["quick"], help=f"a whole number, or one of {', '.join(sizes)}"
    )
    parser.add_argument("--threads", type=at_least_one, default=1, help="threads that each do all of the work")
    parser.add_argument("--repeat", type=at_least_one, default=1, help="times to do it all")
    arguments = parser.parse_args(argv)
    for repeat in range(1, arguments.repeat + 1):
        checksums = run_in_threads(run, arguments.size, arguments.threads)
        for thread, checksum in enumerate(checksums, start=1):
            print(f"repeat {repeat} thread {thread} checksum {checksum!r}")
    return 0


def at_least_one(text: str) -> int:
    """``text`` as a whole number above zero, or argparse's one-line error."""
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above zero")
    return int(text)
