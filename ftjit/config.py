"""Every setting: its name, its FTJIT_* variable, its default, what it does. Read once, when the runtime starts; what
`enable` is given comes before the variables. (FTJIT=1 itself, which enables ftjit when it is imported, is looked at by
the package, and FTJIT_BARRIER by the C core.)"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from ftjit.errors import SettingError


def _flag(text: str) -> bool:
    return text.strip().lower() not in ("", "0", "no", "off", "false")


def _names(text: str) -> frozenset[str]:
    return frozenset(name for name in text.replace(",", " ").split() if name)


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of this process."""

    tick_us: int = 1000  # FTJIT_TICK_US: microseconds between two samples
    hot_samples: int = 6  # FTJIT_HOT_SAMPLES: samples that make a code object hot
    relearn: int = 200  # FTJIT_RELEARN: times an exit is taken before its code is compiled anew
    revisions: int = 6  # FTJIT_REVISIONS: compilations of an entry; each more takes twice as many exits
    code_limit: int = 64 << 20  # FTJIT_CODE_LIMIT: bytes of machine code; what was used least recently makes room
    threads: int = 1  # FTJIT_COMPILE_THREADS: compiler threads at most
    passes_off: frozenset[str] = frozenset()  # FTJIT_PASSES_OFF: passes to leave out, by name
    only: frozenset[str] = frozenset()  # FTJIT_ONLY: compile only functions of these (qualified) names
    dump: bool = False  # FTJIT_DUMP: print the IR of everything compiled to stderr
    trace: bool = False  # FTJIT_TRACE: print every stay in machine code to stderr
    perf: bool = False  # FTJIT_PERF: write /tmp/perf-PID.map, so that Linux perf names executors
    verify: bool = False  # FTJIT_VERIFY: check the IR after each pass
    debug: bool = False  # FTJIT_DEBUG: fill machine code that is freed with breakpoints (0xCC)
    sealed_pages: bool = False  # FTJIT_SEALED_PAGES: give each executor pages of its own (docs/code-heap.md)


_RANGES: dict[str, tuple[int, int]] = {
    "tick_us": (10, 10**7),
    "hot_samples": (1, 10**6),
    "relearn": (1, 2**32 - 1),
    "revisions": (1, 10**6),
    "code_limit": (0, 2**40),
    "threads": (1, 64),
}
VARIABLES: dict[str, str] = {
    "tick_us": "FTJIT_TICK_US",
    "hot_samples": "FTJIT_HOT_SAMPLES",
    "relearn": "FTJIT_RELEARN",
    "revisions": "FTJIT_REVISIONS",
    "code_limit": "FTJIT_CODE_LIMIT",
    "threads": "FTJIT_COMPILE_THREADS",
    "passes_off": "FTJIT_PASSES_OFF",
    "only": "FTJIT_ONLY",
    "dump": "FTJIT_DUMP",
    "trace": "FTJIT_TRACE",
    "perf": "FTJIT_PERF",
    "verify": "FTJIT_VERIFY",
    "debug": "FTJIT_DEBUG",
    "sealed_pages": "FTJIT_SEALED_PAGES",
}


_OTHERS = ("FTJIT_BARRIER", "FTJIT_PYTHON", "FTJIT_CACHE")


def slips() -> list[str]:
    """What to say of each variable that is almost one of these."""
    known = [*VARIABLES.values(), *_OTHERS]
    unknown = [name for name in os.environ if name.startswith("FTJIT_") and name not in known]
    if not unknown:
        return []
    from difflib import get_close_matches

    likely = {name: get_close_matches(name, known, 1, 0.75) for name in unknown}
    return [f"{name} is no setting of ftjit's: is {like[0]} meant?" for name, like in likely.items() if like]


def check_words(variable: str, words: Iterable[str], known: Iterable[str]) -> None:
    """SettingError when one of the words means nothing."""
    if unknown := sorted(set(words) - set(known)):
        raise SettingError(f"{variable}: there is no {unknown[0]!r}, only {', '.join(filter(None, known))}")


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise ValueError
    return value


def _truth(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError
    return value


def _words(value: Any) -> frozenset[str]:
    names = _names(value) if isinstance(value, str) else frozenset(value) if isinstance(value, Iterable) else {0}
    if not all(isinstance(name, str) for name in names):
        raise ValueError
    return frozenset(map(str, names))


# By type: what reads a variable's text, what takes an argument, what it must be.
_FORMS: dict[str, tuple[Callable[[str], Any], Callable[[Any], Any], str]] = {
    "bool": (_flag, _truth, "True or False"),
    "int": (int, _whole, "a whole number"),
    "frozenset[str]": (_names, _words, "names"),
}


def read(given: Mapping[str, Any] | None = None) -> Config:
    """The settings: those `given` by name, the others from the environment. SettingError, naming the setting or the
    variable, for a value that makes no sense."""
    given = given or {}
    check_words("settings", given, VARIABLES)
    check_words("FTJIT_BARRIER", [os.environ.get("FTJIT_BARRIER", "")], ["fence", "membarrier", ""])
    values: dict[str, Any] = {}
    for field in fields(Config):
        parse, take, words = _FORMS[str(field.type)]
        text = os.environ.get(VARIABLES[field.name])
        if field.name in given:
            source, value = f"{field.name}={given[field.name]!r}", given[field.name]
        elif text is not None:
            source, value, take = f"{VARIABLES[field.name]}={text!r}", text, parse
        else:
            continue
        try:
            values[field.name] = found = take(value)
        except ValueError:
            raise SettingError(f"{source}: it must be {words}") from None
        least, most = _RANGES.get(field.name, (0, 0))
        if most and not least <= found <= most:
            raise SettingError(f"{source}: it must be between {least} and {most}")
    return Config(**values)
