"""A child process that compiles one function and prints its executors' IR: `python print_ir.py NAME`."""

import re
import sys
import time
from collections.abc import Callable

from golden_functions import CALLS

import ftjit
from ftjit.runtime.tier import existing

# Type and dictionary versions: an op's first immediate, different from process to process.
_OPS = r"(?:attr_\w+|guard_version|guard_instance_keys|global_value|builtin_value)"
VERSIONED = rf"({_OPS}(?: [^#\n]*)? )#\d+"


def normalised(text: str) -> str:
    """Addresses become @1, @2, ... in the order they come in, values and blocks are counted again from 0; versions
    become #version."""
    names: dict[str, str] = {}
    values: dict[str, int] = {}
    blocks: dict[str, int] = {}
    text = re.sub(r"(%[if])(\d+)", lambda found: f"{found[1]}{values.setdefault(found[0], len(values))}", text)
    text = re.sub(r"\bb\d+(?=\()", lambda found: f"b{blocks.setdefault(found[0], len(blocks))}", text)
    text = re.sub(VERSIONED, r"\1#version", text)
    text = re.sub(r"(builtin_value #version )#\d+", r"\1#version", text)
    return re.sub(r"(?<![\w.])\d{11,}\b", lambda found: names.setdefault(found[0], f"@{len(names) + 1}"), text)


def idle() -> bool:
    runtime = existing()
    return runtime is not None and runtime.is_idle()


def started(function: Callable[..., object]) -> bool:
    return any(entry.kind == "start" and entry.compiled for entry in ftjit.explain(function).entries)


def main(name: str) -> None:
    """Warm the bytecode up in the interpreter first, so that every run compiles the same snapshot."""
    function, arguments = CALLS[name]
    for _ in range(200):
        function(*arguments)
    ftjit.enable()
    ftjit.compile(function, *arguments)
    settled, until = 0, time.monotonic() + 20
    while settled < 20 and time.monotonic() < until:  # its start is installed and the compiler has nothing left to do
        function(*arguments)
        time.sleep(0.002)
        settled = settled + 1 if idle() and started(function) else 0
    assert ftjit.stats().compile_errors == 0
    executors = ftjit.explain(function).disassembly(ir=True).split("; executor ")[1:]
    irs = ["\n".join(line[2:] for line in text.splitlines() if line.startswith("; ")) for text in executors]
    print("\n\n".join(sorted(map(normalised, irs))))


if __name__ == "__main__":
    main(*sys.argv[1:])
