"""What is checked: the sizes and forms of the protocol that must hold, and for each break one that must fail."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from model.breaks import BREAKS


@dataclass(frozen=True)
class Configuration:
    """One run of Spin."""

    name: str
    about: str
    defines: Mapping[str, int | None] = field(default_factory=dict)  # what the model is compiled with; None: no value
    breaks: str | None = None  # the tag of what is given up; None: everything must hold
    liveness: bool = False  # checks that what is retired is freed, under weak fairness
    full: bool = False  # left out of the quick set

    @property
    def all_defines(self) -> dict[str, int | None]:
        """The defines with those that `breaks` and `liveness` bring."""
        own: dict[str, int | None] = {}
        if self.breaks:
            own[f"BREAK_{self.breaks}"] = None
        if self.liveness:
            own["LIVENESS"] = None
        return {**self.defines, **own}


def _holds(name: str, about: str, full: bool = False, liveness: bool = False, **defines: int | None) -> Configuration:
    return Configuration(name, about, defines, liveness=liveness, full=full)


ONE_READER = (
    _holds("fence", "fences, x86-TSO", READERS=1),
    _holds("membarrier", "membarrier, x86-TSO", READERS=1, MEMBARRIER=None),
    _holds("fence-weak", "fences, weak buffers", READERS=1, WEAK=None),
    _holds("membarrier-weak", "membarrier, weak buffers", READERS=1, WEAK=None, MEMBARRIER=None),
    _holds(
        "merging",
        "membarrier, weak buffers; an unpin and the next pin may be one store",
        READERS=1,
        WEAK=None,
        MEMBARRIER=None,
        MERGING=None,
    ),
    _holds("nesting", "two places, left in any order", READERS=1, PLACES=2),
    _holds("records", "late registration; threads end and others take their records", READERS=1, RECORDS=None),
    _holds("contents", "an executor is written, then installed", READERS=1, CONTENTS=None),
    _holds("slot-pinned", "code objects die; slots are loaded inside the pin and retired", READERS=1, SLOT=None),
    _holds("slot-framed", "code objects die; a frame holds them, slots go at once", READERS=1, SLOT=None, FRAMED=None),
    _holds("batch", "two executors in one region, freed as a unit", READERS=1, BATCH=None),
    _holds("drivers", "two would-be drivers, two swappers", READERS=1, DRIVERS=2, SWAPPERS=2),
    _holds("freed-fence", "what is retired is freed; fences", liveness=True, READERS=1),
    _holds("freed-resident", "the same, a thread staying inside for ever", liveness=True, READERS=1, RESIDENT=None),
)

# To the end, and larger: minutes each.
LARGER = (
    _holds("2-fence", "two readers, two would-be drivers; fences", full=True, DRIVERS=2),
    _holds("2-swappers", "two readers, two swappers; fences", full=True, SWAPPERS=2),
    _holds("2-fence-weak", "two readers; fences, weak buffers", full=True, WEAK=None),
    _holds("2-membarrier", "two readers; membarrier, x86-TSO", full=True, MEMBARRIER=None, CAPACITY=3),
    _holds("2-nesting-one", "two readers, one of them nesting; fences", full=True, PLACES=2, ONE_NESTS=None),
    _holds("2-nesting", "two nesting readers, one exchange; fences", full=True, PLACES=2, SWAPS=1),
    _holds(
        "2-nesting-membarrier",
        "two nesting readers, one exchange; membarrier",
        full=True,
        PLACES=2,
        SWAPS=1,
        MEMBARRIER=None,
        CAPACITY=3,
    ),
    _holds(
        "2-membarrier-weak",
        "two readers, one exchange; membarrier, weak buffers",
        full=True,
        SWAPS=1,
        MEMBARRIER=None,
        WEAK=None,
    ),
    _holds("2-records", "two readers, late registration, threads that end", full=True, RECORDS=None),
    _holds("2-slot", "two readers, code objects that die", full=True, SLOT=None),
    _holds("2-batch", "two readers, two executors in one region", full=True, BATCH=None),
    _holds("3-executors", "one reader that nests, three executors", full=True, READERS=1, PLACES=2, EXECUTORS=3),
    _holds(
        "nesting-weak",
        "one nesting reader; membarrier, weak",
        full=True,
        READERS=1,
        PLACES=2,
        WEAK=None,
        MEMBARRIER=None,
    ),
    _holds(
        "nesting-merging",
        "the same; an unpin and the next pin may be one store",
        full=True,
        READERS=1,
        PLACES=2,
        WEAK=None,
        MEMBARRIER=None,
        MERGING=None,
    ),
    _holds(
        "freed-membarrier", "what is retired is freed; membarrier", full=True, liveness=True, READERS=1, MEMBARRIER=None
    ),
    _holds("freed-weak", "what is retired is freed; weak buffers", full=True, liveness=True, READERS=1, WEAK=None),
    _holds(
        "freed-2", "what is retired is freed; two readers, one stays for ever", full=True, liveness=True, RESIDENT=None
    ),
)

# For each tag the smallest sizes that show it; a second form where there is another way to give the same thing up.
_BROKEN: tuple[tuple[str, str, dict[str, int | None]], ...] = (
    ("reader_fence", "", {}),
    ("reader_fence", "weak", {"WEAK": None}),
    ("driver_fence", "", {"MEMBARRIER": None}),
    ("unpin_release", "", {"WEAK": None}),
    ("leave_release", "", {"WEAK": None}),
    ("publish_release", "", {"CONTENTS": None}),
    ("publish_release", "reader", {"CONTENTS": None, "READER_SIDE": None}),
    ("free_early", "", {}),
    ("scan_early", "", {}),
    ("stamp_early", "", {}),
    ("two_drivers", "", {"DRIVERS": 2}),
    ("reinstall", "", {}),
    ("nested_pin", "", {}),
    ("moving_records", "", {"PLACES": 2}),
    ("dead_record_early", "", {"RECORDS": None}),
    ("slot_outside_pin", "", {"SLOT": None}),
    ("slot_outside_pin", "framed", {"SLOT": None, "FRAMED": None}),
    ("batch_member", "", {"BATCH": None}),
    ("batch_member", "retired", {"BATCH": None, "ALL_RETIRED": None}),
    ("pin_acquire", "", {"MEMBARRIER": None, "WEAK": None}),
    ("pin_release", "", {"MEMBARRIER": None, "WEAK": None, "MERGING": None, "PLACES": 2}),
    ("stamp_order", "", {}),
    ("check_acquire", "", {}),
    ("pin_stays", "", {"RESIDENT": None}),
)


def _broken() -> Iterator[Configuration]:
    by_tag = {entry.tag: entry for entry in BREAKS}
    for tag, form, defines in _BROKEN:
        name = f"{tag}-{form}" if form else tag
        liveness = "freed" in by_tag[tag].claims
        yield Configuration(name, by_tag[tag].meaning, {"READERS": 1, **defines}, breaks=tag, liveness=liveness)


CONFIGURATIONS = (*ONE_READER, *LARGER, *_broken())
