"""From samples to rows: medians, speed-ups, scaling, and everything that is wrong with a run."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from .catalog import BY_NAME
from .confidence import geometric_mean
from .runner import needs_machine_code
from .samples import COMPILED_MODES, Sample

COUNTERS = (
    "entries",
    "exits",
    "deopts",
    "executors_installed",
    "executors_swapped",
    "executors_retired",
    "executors_freed",
    "code_bytes",
    "limbo_bytes",
    "compile_seconds",
    "compile_errors",
)


@dataclass(frozen=True)
class Cell:
    """All processes of one program, thread count and mode. Times are in seconds, medians over ``runs`` timed
    runs.
    """

    seconds: float
    cpu_seconds: float
    first_seconds: float
    warm_up_seconds: float
    steady: bool
    runs: int
    round_seconds: list[float]
    counters: dict[str, float]


@dataclass(frozen=True)
class Row:
    """One line of the table. What could not be measured is None.

    ``speed_up`` is interpreter over compiled seconds, and ``speed_up_range`` the lowest and highest of the
    rounds. ``scaling`` is the work that ``threads`` threads did relative to one thread of the same mode in
    the same time: ``threads`` is perfect, as far as there are CPUs. ``machine_code`` is None where none is
    expected.
    """

    program: str
    kind: str
    threads: int
    mode: str
    interpreter: Cell | None
    compiled: Cell | None
    speed_up: float | None
    speed_up_range: tuple[float, float] | None
    scaling_interpreter: float | None
    scaling_compiled: float | None
    checksums_equal: bool
    machine_code: bool | None


@dataclass(frozen=True)
class Mean:
    """Geometric means of the speed-ups at one thread count, over numeric kernels and over all programs."""

    threads: int
    mode: str
    numeric: float | None
    all: float | None


@dataclass(frozen=True)
class Summary:
    """Everything a report shows; ``runs`` are all timed ones.

    ``problems`` is empty exactly when what was asked for held.
    """

    rows: list[Row]
    means: list[Mean]
    counters: dict[str, float]
    runs: int
    problems: list[str]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


type Cells = dict[tuple[str, int, str], Cell]


def summarise(samples: Sequence[Sample]) -> Summary:
    """Rows in the order of the samples, one for each program, thread count and compiled mode."""
    keys = list(dict.fromkeys((sample.request.program, sample.request.threads) for sample in samples))
    modes = list(dict.fromkeys(sample.request.mode for sample in samples))
    shown = [mode for mode in COMPILED_MODES if mode in modes] or ["interpreter"]
    cells = make_cells(samples)
    equal = {name: checksums_agree(samples, name) for name in dict.fromkeys(name for name, _ in keys)}
    rows = [make_row(samples, cells, name, threads, mode, equal[name]) for name, threads in keys for mode in shown]
    problems = find_problems(samples, rows, equal)
    runs = sum(cell.runs for cell in cells.values())
    return Summary(rows, make_means(rows), add_counters(cells), runs, problems)


def make_cells(samples: Sequence[Sample]) -> Cells:
    """One cell for each program, thread count and mode with at least one good sample."""
    groups: dict[tuple[str, int, str], list[Sample]] = {}
    for sample in samples:
        if sample.failure is None:
            request = sample.request
            groups.setdefault((request.program, request.threads, request.mode), []).append(sample)
    return {key: make_cell(group) for key, group in groups.items()}


def make_cell(group: Sequence[Sample]) -> Cell:
    timed = [seconds for sample in group for seconds in sample.seconds]
    return Cell(
        seconds=median(timed),
        cpu_seconds=median(seconds for sample in group for seconds in sample.cpu_seconds),
        first_seconds=median(sample.first_seconds for sample in group),
        warm_up_seconds=median(sum(sample.warm_up) for sample in group),
        steady=all(sample.steady for sample in group),
        runs=len(timed),
        round_seconds=[median(sample.seconds) for sample in group],
        counters=sum_counters([sample.counters for sample in group if sample.counters is not None]),
    )


def sum_counters(all_counters: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The counters of several processes added up; a counter that is a dictionary (deopts by reason) counts in
    all.
    """
    totals: dict[str, float] = {}
    for counters in all_counters:
        for name in COUNTERS:
            value = counters.get(name, 0)
            totals[name] = totals.get(name, 0) + (sum(value.values()) if isinstance(value, dict) else value)
    return totals


def add_counters(cells: Cells) -> dict[str, float]:
    return sum_counters([cell.counters for cell in cells.values() if cell.counters])


def checksums_agree(samples: Sequence[Sample], name: str) -> bool:
    """Whether every thread of every process of program ``name``, in all modes, came to one and the same
    checksum.
    """
    good = [sample for sample in samples if sample.request.program == name and sample.failure is None]
    return bool(good) and len({checksum for sample in good for checksum in sample.checksums}) == 1


def make_row(samples: Sequence[Sample], cells: Cells, name: str, threads: int, mode: str, equal: bool) -> Row:
    interpreter = cells.get((name, threads, "interpreter"))
    compiled = cells.get((name, threads, mode)) if mode in COMPILED_MODES else None
    machine_code = None
    if compiled is not None and needs_machine_code([name]):
        mine = [s for s in samples if (s.request.program, s.request.threads, s.request.mode) == (name, threads, mode)]
        machine_code = all(sample.entries > 0 for sample in mine if sample.failure is None)
    speed_up = speed_up_range = None
    if interpreter is not None and compiled is not None:
        speed_up = interpreter.seconds / compiled.seconds
        ratios = [a / b for a, b in zip(interpreter.round_seconds, compiled.round_seconds, strict=False)]
        speed_up_range = (min(ratios), max(ratios))
    return Row(
        program=name,
        kind=BY_NAME[name].kind,
        threads=threads,
        mode=mode,
        interpreter=interpreter,
        compiled=compiled,
        speed_up=speed_up,
        speed_up_range=speed_up_range,
        scaling_interpreter=scaling(cells, name, threads, "interpreter"),
        scaling_compiled=scaling(cells, name, threads, mode) if mode in COMPILED_MODES else None,
        checksums_equal=equal,
        machine_code=machine_code,
    )


def scaling(cells: Cells, name: str, threads: int, mode: str) -> float | None:
    one, several = cells.get((name, 1, mode)), cells.get((name, threads, mode))
    return None if one is None or several is None else threads * one.seconds / several.seconds


def make_means(rows: Sequence[Row]) -> list[Mean]:
    means = []
    for mode in dict.fromkeys(row.mode for row in rows):
        for threads in sorted({row.threads for row in rows}):
            mine = [row for row in rows if row.mode == mode and row.threads == threads and row.speed_up is not None]
            numeric = [row.speed_up for row in mine if row.kind == "numeric" and row.speed_up is not None]
            every = [row.speed_up for row in mine if row.speed_up is not None]
            if every:
                means.append(Mean(threads, mode, geometric_mean(numeric), geometric_mean(every)))
    return means


def find_problems(samples: Sequence[Sample], rows: Sequence[Row], equal: dict[str, bool]) -> list[str]:
    """One line for everything that makes the run fail, no line twice."""
    problems = []
    for sample in samples:
        if sample.failure is not None:
            request = sample.request
            problems.append(f"{request.program}, {request.threads} threads, {request.mode}: {sample.failure}")
    for row in rows:
        if row.machine_code is False:
            problems.append(f"{row.program}, {row.threads} threads, {row.mode}: no machine code ran")
    for name in equal:
        good = [sample for sample in samples if sample.request.program == name and sample.failure is None]
        if good and not equal[name]:
            found = sorted({checksum for sample in good for checksum in sample.checksums})
            problems.append(f"{name}: the checksums differ: {', '.join(found)}")
    return list(dict.fromkeys(problems))
