"""The counters, as one frozen record."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from ftjit.runtime.tier import Tier


@dataclass(frozen=True, slots=True)
class Stats:
    """Counters since the process began. Bytes are bytes, seconds seconds. `entries` and `exits`: how often machine
    code was entered and left, by all threads; `deopts`: exits other than returns and polls, by reason, of the
    executors that are installed now; `limbo_*`: retired and not yet freed; `world_stops`: stops of the world that
    ftjit asked for."""

    enabled: bool = False
    executors_installed: int = 0
    executors_swapped: int = 0
    executors_retired: int = 0
    executors_freed: int = 0
    limbo_executors: int = 0
    limbo_bytes: int = 0
    code_bytes: int = 0
    region_bytes: int = 0
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
    asymmetric_barrier: bool = False

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def collect(tier: Tier | None) -> Stats:
    """The counters now; all zero where ftjit never started."""
    if tier is None:
        return Stats()
    core = tier.core
    entries, exits, inside = core.totals()
    deopts: dict[str, int] = {}
    for reference, record in list(tier.records.values()):
        code = reference()
        if code is None:
            continue
        for offset in list(record.installed):
            for exit, taken in tier.exit_counts(code, record, offset):
                if taken:
                    deopts[exit.reason] = deopts.get(exit.reason, 0) + taken
    count = core.counter
    return Stats(
        enabled=tier.enabled,
        executors_installed=count("installed"),
        executors_swapped=count("swapped"),
        executors_retired=count("retired"),
        executors_freed=count("freed"),
        limbo_executors=count("limbo_executors"),
        limbo_bytes=count("limbo_bytes"),
        code_bytes=count("code_bytes"),
        region_bytes=count("region_bytes"),
        epoch=int(core.lib.epoch_now()),
        entries=entries,
        exits=exits,
        activations=inside,
        deopts=deopts,
        unwinds=count("unwinds"),
        samples=count("samples"),
        snapshots=count("snapshots"),
        compile_seconds=tier.compiling.seconds,
        compile_errors=tier.compiling.errors,
        world_stops=tier.world_stops,
        asymmetric_barrier=bool(core.lib.epoch_is_asymmetric()),
    )
