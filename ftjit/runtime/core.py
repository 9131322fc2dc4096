"""The Python face of the C core: one object per process, made when it is first needed. Refuses clearly."""

from __future__ import annotations

import dis
import platform
import sys
import sysconfig
from collections.abc import Callable
from functools import cache
from typing import Any

from ftjit.backend.assembler import Code
from ftjit.errors import UnsupportedPython
from ftjit.runtime import worth
from ftjit.stencils import library as stencil_library
from ftjit.stencils.library import StencilLibrary
from ftjit.stencils.model import StencilError
from ftjit.versions import Layout, Peek

_ELSEWHERE = -2  # SEAL_ELSEWHERE of cdefs/heap.c
NEEDS = "ftjit needs free-threaded CPython 3.14 (python3.14t) on x86-64 Linux"


def unsupported() -> str | None:
    """Why this interpreter will not do, or None."""
    found = f"{platform.python_implementation()} {platform.python_version()}"
    if sys.implementation.name != "cpython" or sys.version_info[:2] != (3, 14):
        return f"{NEEDS}; this is {found}"
    if not sysconfig.get_config_var("Py_GIL_DISABLED"):
        return f"{NEEDS}; this is {found} with a GIL"
    if sys._is_gil_enabled():
        return f"{NEEDS} with the GIL off; an extension or PYTHON_GIL=1 has switched it on"
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return f"{NEEDS}; this is {sys.platform} on {platform.machine()}"
    return None


class NoCodeMemory(Exception):
    """Machine code has no place to go: str() says why. `for_good` when trying again is no use."""

    def __init__(self, why: str, for_good: bool) -> None:
        super().__init__(why)
        self.for_good = for_good


class Core:
    """The loaded C core: `lib` and `ffi` of cffi, the stencil library, the layout the compiler compiles for."""

    def __init__(self) -> None:
        try:
            from ftjit._core import ffi, lib
        except ImportError as error:
            full = "static TLS" in str(error)  # other extensions have taken what the C library had for it
            mend = "import ftjit before other extensions" if full else "reinstall ftjit with this interpreter"
            raise UnsupportedPython(f"ftjit's C core cannot be loaded ({error}): {mend}") from None
        self.ffi: Any = ffi
        self.lib: Any = lib
        if lib.core_init() != 0:
            raise UnsupportedPython(ffi.string(lib.core_failure()).decode())
        try:
            self.library: StencilLibrary = stencil_library.load()
        except StencilError as error:
            raise UnsupportedPython(str(error)) from None  # it names the mend
        self.layout = self._layout()
        self.spill = self._offset("activation.spill")
        self.spill_slots = self._offset("activation.spill_slots")
        self.losses = {self.symbol(f"callout_{name}"): loss for name, loss in worth.LOSSES.items()}
        self._make_shim()

    def _offset(self, name: str) -> int:
        value = int(self.lib.layout(name.encode()))
        assert value >= 0, name
        return value

    @cache  # noqa: B019  (one Core a process)
    def symbol(self, name: str) -> int:
        """The address of a helper or of what the interpreter exports."""
        address = int(self.lib.symbol_address(name.encode()))
        if not address:
            raise UnsupportedPython(f"this interpreter does not export {name}")
        return address

    def _layout(self) -> Layout:
        lib = self.lib
        given: dict[str, Callable[..., Any]] = {}
        give = given.__setitem__
        lib.peek_give(id(give))
        return Layout(
            localsplus=self._offset("frame.localsplus"),
            tuple_items=self._offset("tuple.items"),
            held=self._offset("activation.held"),
            held_places=self._offset("activation.held_places"),
            range_iterator={field: self._offset(f"range_iterator.{field}") for field in ("start", "step", "length")},
            extended_arg=dis.opmap["EXTENDED_ARG"],
            symbol=self.symbol,
            builtin_method=lambda function: int(lib.builtin_method(id(function))),
            type_version=lambda cls: int(lib.type_version(id(cls))),
            is_immortal=lambda value: bool(lib.is_immortal(id(value))),
            peek=Peek(**given),
            seen_bytecode=lambda code: None,
        )

    def _make_shim(self) -> None:
        """The way in, in machine code of its own for the life of the process."""
        stencil = self.library["shim"].code
        try:
            _, base, _ = self.place_code(lambda base: Code(stencil, []), lambda base: len(stencil))
        except NoCodeMemory as error:
            raise UnsupportedPython(f"{error}: ftjit cannot run here") from None
        self.lib.door_set_shim(base)

    def place_code(self, code_at: Callable[[int], Code], size_at: Callable[[int], int]) -> tuple[Any, int, Code]:
        """Seal code in a region of the code heap: (region, held once; its address; the code). NoCodeMemory when there
        is none. `code_at(base)` makes the bytes for an address, `size_at(base)` says how many without making them."""
        lib = self.lib
        base = int(lib.heap_near())
        for _ in range(3):  # the first place may be too far away, or its form refused (SEAL_ELSEWHERE)
            size = size_at(base)
            region = lib.region_create(size)
            if not region:
                raise NoCodeMemory("no memory for machine code", for_good=False)
            base = int(self.ffi.cast("uintptr_t", lib.region_base(region)))
            try:
                code = code_at(base)
                sealed = lib.region_seal(region, code.bytes, len(code.bytes)) if len(code.bytes) <= size else _ELSEWHERE
            except BaseException:
                lib.region_release(region)
                raise
            if sealed == 0:
                return region, base, code
            lib.region_release(region)
            if sealed != _ELSEWHERE:
                break
        raise NoCodeMemory("this process may not make memory executable", for_good=True)

    def counter(self, name: str) -> int:
        return int(self.lib.counter(name.encode()))

    def totals(self) -> tuple[int, int, int]:
        """(entries, exits, activations now) of all threads."""
        three = self.ffi.new("uint64_t[3]")
        self.lib.epoch_totals(three, three + 1, three + 2)
        return int(three[0]), int(three[1]), int(three[2])


@cache
def core() -> Core:
    """The core of this process. UnsupportedPython where there can be none."""
    why = unsupported()
    if why is not None:
        raise UnsupportedPython(why)
    return Core()
