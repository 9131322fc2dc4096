"""Collecting the counters."""

from __future__ import annotations

from ftjit.runtime.counters import Stats
from ftjit.runtime.tier import Tier

__all__ = ["Stats", "collect"]

# Epochs from retiring to freeing: the C core's counter, and what it is called here.
AGES = {"0": "0-1", "2": "2", "3": "3", "4": "4-7", "8": "8-15", "16": "16+"}


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
        regions=count("regions"),
        waste_bytes=max(0, int(core.lib.heap_pages_in_use()) - count("code_bytes")),
        hole_bytes=max(0, int(core.lib.heap_pages_in_use()) - count("region_bytes")),
        heap_bytes=count("heap_bytes"),
        executors_evicted=tier.room.evicted,
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
        threads_refused=count("threads_refused"),
        asymmetric_barrier=bool(core.lib.epoch_is_asymmetric()),
        freed_ages={label: count(f"freed_age_{name}") for name, label in AGES.items()},
        barriers_refused=count("barriers_refused"),
    )
