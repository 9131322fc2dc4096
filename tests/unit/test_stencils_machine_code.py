"""Every stencil of the library, disassembled.

It decodes, its holes are operands, its stack balances, and it leaves registers alone that are not its own.
"""

import functools
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from ftjit.stencils import build, library
from ftjit.stencils.model import CONTINUE, SLOW, TARGET, Hole, Stencil, StencilError

capstone = pytest.importorskip("capstone")
x86 = capstone.x86

# Never written by a stencil: the frame, the thread state, the activation.
FIXED = {capstone.x86_const.X86_REG_R12, capstone.x86_const.X86_REG_R13, capstone.x86_const.X86_REG_R14}
WAYS_ON = {CONTINUE, TARGET, SLOW}


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> library.StencilLibrary:
    """The library of the present templates: the package's own if it is current, else a new one."""
    try:
        own = library.load()
        if own.digest == build.inputs_digest():
            return own
    except StencilError:
        pass
    output = tmp_path_factory.mktemp("stencils") / Path(library.DEFAULT_PATH).name
    build.ensure(output)
    return library.load(output)


@functools.cache
def disassembler() -> capstone.Cs:
    engine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    engine.detail = True
    return engine


def instructions(stencil: Stencil) -> dict[int, capstone.CsInsn]:
    """The stencil's instructions by offset."""
    return {instruction.address: instruction for instruction in disassembler().disasm(stencil.code, 0)}


def way_out(instruction: capstone.CsInsn, holes: dict[int, Hole]) -> Hole | None:
    """The hole in a jump's or call's distance, None for one within the stencil and for other instructions."""
    return holes.get(instruction.address + instruction.encoding.imm_offset)


def successors(instruction: capstone.CsInsn, holes: dict[int, Hole]) -> Iterator[int]:
    """Offsets within the stencil, or its end, where execution may go on."""
    end = instruction.address + instruction.size
    jump, call = instruction.group(x86.X86_GRP_JUMP), instruction.group(x86.X86_GRP_CALL)
    if jump and not call and way_out(instruction, holes) is None and instruction.operands[0].type == x86.X86_OP_IMM:
        yield instruction.operands[0].imm
    if instruction.mnemonic not in ("jmp", "ret", "ud2"):
        yield end


def stack_change(instruction: capstone.CsInsn) -> int:
    """Bytes by which the instruction moves the stack pointer."""
    match instruction.mnemonic.split()[-1]:
        case "push":
            return -8
        case "pop":
            return 8
        case ("add" | "sub") as word if instruction.operands[0].reg == x86.X86_REG_RSP:
            return instruction.operands[1].imm * (1 if word == "add" else -1)
        case "lea" if instruction.operands[0].reg == x86.X86_REG_RSP:
            address = instruction.operands[1].mem
            assert address.base == x86.X86_REG_RSP
            assert address.index == 0
            return address.disp
    assert (
        instruction.mnemonic == "call"
        or x86.X86_REG_RSP not in instruction.regs_access()[1]
        or (instruction.mnemonic == "ret")
    ), f"{instruction.mnemonic} {instruction.op_str} moves the stack pointer in a way this test does not know"
    return 0


def sample(built: library.StencilLibrary) -> list[Stencil]:
    """Of each operation the first variant and some others, the same ones each time, each with its twin."""
    chooser = random.Random(0)
    chosen = []
    for operation in built.operations:
        main = [name for name in built if name.partition("__")[0] == operation and not name.endswith("__slow")]
        names = {main[0], *chooser.sample(main, min(len(main), 5))}
        chosen += [
            built[name] for main_name in sorted(names) for name in (main_name, f"{main_name}__slow") if name in built
        ]
    return chosen


@pytest.fixture(scope="session", params=["sample", pytest.param("every", marks=pytest.mark.full)])
def stencils(request: pytest.FixtureRequest, built: library.StencilLibrary) -> list[Stencil]:
    """The stencils to look at."""
    return sample(built) if request.param == "sample" else list(built.values())


def is_shim(stencil: Stencil, built: library.StencilLibrary) -> bool:
    """Whether it is a C function, which has its own way with registers."""
    operation = built.operations.get(stencil.name)
    return operation is not None and operation.is_shim


def test_library_is_not_empty(built: library.StencilLibrary) -> None:
    assert len(built) > 100
    for name, operation in built.operations.items():
        choices = [operand.choices[-1] for operand in operation.operands]
        assert (name, *choices) in built or len(choices) > 1, name  # DISTINCT may leave out one combination
        assert (built.slow(name, *choices) is not None) == operation.has_slow_path or (
            name,
            *choices,
        ) not in built


def test_every_byte_decodes(stencils: list[Stencil]) -> None:
    for stencil in stencils:
        assert sum(instruction.size for instruction in instructions(stencil).values()) == len(stencil.code), (
            stencil.name
        )


def test_holes_are_immediates_and_displacements(stencils: list[Stencil]) -> None:
    for stencil in stencils:
        ends: dict[int, int] = {}  # where an immediate or displacement starts -> where its instruction ends
        for address, instruction in instructions(stencil).items():
            encoding = instruction.encoding
            for field in (encoding.imm_offset, encoding.disp_offset):
                if field:
                    ends[address + field] = address + instruction.size
        for hole in stencil.holes:
            assert hole.offset in ends, f"{stencil.name}: {hole} is no operand"
            assert hole.offset + hole.size <= ends[hole.offset], f"{stencil.name}: {hole} reaches too far"
        assert [hole.offset for hole in stencil.holes] == sorted({hole.offset for hole in stencil.holes})


def test_jumps_stay_within_or_go_through_a_hole(stencils: list[Stencil]) -> None:
    for stencil in stencils:
        holes = {hole.offset: hole for hole in stencil.holes}
        code = instructions(stencil)
        for instruction in code.values():
            hole = way_out(instruction, holes)
            if instruction.group(x86.X86_GRP_CALL):
                indirect = instruction.operands[0].type != x86.X86_OP_IMM
                assert indirect or (hole is not None and hole.symbol not in WAYS_ON), f"{stencil.name}: {instruction}"
            elif instruction.group(x86.X86_GRP_JUMP) and hole is not None:
                assert hole.symbol in WAYS_ON, f"{stencil.name} jumps to {hole.symbol}"
            for offset in successors(instruction, holes):
                assert offset in code or offset == len(stencil.code), f"{stencil.name} jumps to +{offset}"


def test_main_stencils_go_on_by_falling_through_and_twins_never_do(
    stencils: list[Stencil], built: library.StencilLibrary
) -> None:
    for stencil in stencils:
        holes = {hole.offset: hole for hole in stencil.holes}
        ends = {offset for instruction in instructions(stencil).values() for offset in successors(instruction, holes)}
        if is_shim(stencil, built):
            continue
        if stencil.name.endswith("__slow"):
            assert len(stencil.code) not in ends, f"{stencil.name} falls off its end"
        else:
            assert CONTINUE not in stencil.symbols, f"{stencil.name} jumps to the next stencil"


def test_stack_balances_on_every_path_and_is_aligned_at_calls(stencils: list[Stencil]) -> None:
    for stencil in stencils:
        holes = {hole.offset: hole for hole in stencil.holes}
        code = instructions(stencil)
        depth = {0: 0}  # offset -> stack pointer there, relative to the entry; the return address is at +0
        todo = [0] if code else []
        while todo:
            instruction = code[(offset := todo.pop())]
            after = depth[offset] + stack_change(instruction)
            if instruction.mnemonic == "call":
                assert after % 16 == 8, f"{stencil.name}+{offset:#x}: stack not aligned at the call"
            elif instruction.mnemonic == "ret" or (instruction.group(x86.X86_GRP_JUMP) and way_out(instruction, holes)):
                assert after == 0, f"{stencil.name}+{offset:#x}: leaves with the stack {after} bytes off"
            for following in successors(instruction, holes):
                if following in depth or following == len(stencil.code):
                    assert depth.get(following, 0) == after, f"{stencil.name}+{following:#x}: two stack depths"
                    continue
                depth[following] = after
                todo.append(following)


def test_frame_thread_state_and_activation_are_kept(stencils: list[Stencil], built: library.StencilLibrary) -> None:
    """Where there is no call, nothing moves them; where there is one, the compiler may save and restore."""
    checked = 0
    for stencil in stencils:
        code = instructions(stencil).values()
        if is_shim(stencil, built) or any(instruction.mnemonic == "call" for instruction in code):
            continue
        checked += 1
        for instruction in code:
            written = set(instruction.regs_access()[1]) & FIXED
            assert not written, f"{stencil.name}: {instruction.mnemonic} {instruction.op_str}"
    assert checked > len(stencils) / 10
