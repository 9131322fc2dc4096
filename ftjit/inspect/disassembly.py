"""Machine code as people read it: source line, bytecode, stencil, instructions (through capstone)."""

from __future__ import annotations

import linecache
from types import CodeType

from ftjit.frontend.bytecode import Bytecode
from ftjit.runtime.executors import Installed, line_of


def instructions(code: bytes, address: int) -> list[tuple[int, str]]:
    """(address, text) of each instruction. ModuleNotFoundError, naming the extra, without capstone."""
    try:
        import capstone
    except ModuleNotFoundError:
        raise ModuleNotFoundError("disassembly needs capstone: install ftjit[inspect], or capstone") from None
    engine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    return [(at, f"{name} {operands}".strip()) for at, _, name, operands in engine.disasm_lite(code, address)]


def disassemble(code: CodeType, installed: Installed, ir: bool = False) -> str:
    """One executor: each stencil under the bytecode and the source line it is for."""
    bytecode = Bytecode(code).instructions
    out = [f"; executor {installed.number} of {code.co_qualname}, entry at bytecode {installed.offset}, "
           f"{len(installed.code)} bytes at {installed.base:#x}"]  # fmt: skip
    if ir:
        out += [f"; {line}" for line in installed.ir.splitlines()]
    last_line = last_offset = None
    ends = [start for start, _, _ in installed.map[1:]] + [len(installed.code)]
    for (start, offset, stencil), end in zip(installed.map, ends, strict=True):
        if offset in bytecode and offset != last_offset:
            line = line_of(code, offset)
            if line != last_line:
                out.append(f"{line:5d}: {linecache.getline(code.co_filename, line).rstrip()}")
            instruction = bytecode[offset]
            out.append(f"       {offset:4d} {instruction.name} {instruction.argument}")
            last_line, last_offset = line, offset
        out.append(f"            [{stencil}]")
        for at, text in instructions(installed.code[start:end], installed.base + start):
            out.append(f"              {at:#x}  {text}")
    return "\n".join(out) + "\n"
