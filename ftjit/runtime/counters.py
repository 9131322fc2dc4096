"""The counters, as one frozen record. Readable by older Pythons too: importing ftjit works there."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Stats:
    """Counters since the process began. Bytes are bytes, seconds seconds. `entries` and `exits`: how often machine
    code was entered and left, by all threads; `deopts`: exits other than returns and polls, by reason, of the
    executors that are installed now; `limbo_*`: retired and not yet freed; `world_stops`: stops of the world that
    ftjit asked for. `code_bytes`: machine code; `region_bytes`: the same and what rounds it up to whole grains;
    `waste_bytes`: bytes in the pages of the code heap that are no machine code; `hole_bytes`: those of them that are
    free, between executors; `heap_bytes`: address space it has;
    `executors_evicted`: taken out because FTJIT_CODE_LIMIT was reached; `threads_refused`: threads of ftjit's that the
    system did not start; `freed_ages`: how many were freed so many epochs after they were retired; `barriers_refused`:
    how often the kernel refused the barrier without which nothing is freed."""

    enabled: bool = False
    executors_installed: int = 0
    executors_swapped: int = 0
    executors_retired: int = 0
    executors_freed: int = 0
    limbo_executors: int = 0
    limbo_bytes: int = 0
    code_bytes: int = 0
    region_bytes: int = 0
    regions: int = 0
    waste_bytes: int = 0
    hole_bytes: int = 0
    heap_bytes: int = 0
    executors_evicted: int = 0
    epoch: int = 0
    entries: int = 0
    exits: int = 0
    activations: int = 0
    deopts: dict[str, int] = field(default_factory=dict)
    unwinds: int = 0
    samples: int = 0
    snapshots: int = 0
    compile_seconds: float = 0.0
    compile_errors: int = 0
    world_stops: int = 0
    threads_refused: int = 0
    asymmetric_barrier: bool = False
    freed_ages: dict[str, int] = field(default_factory=dict)
    barriers_refused: int = 0

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)
