"""Tidying assembly, before and after."""

import textwrap

import pytest

from ftjit.stencils import assembly


def tidied(before: str, *, falls_through: bool = True) -> str:
    """A function body, tidied, one line per instruction."""
    lines = assembly.parse(textwrap.dedent(before))
    lines = assembly.tidy_function(lines, falls_through=falls_through, end=".Lfunc_end0")
    return "\n".join(" ".join(line) for line in lines)


CASES = {
    "the last jump to the next stencil goes": (
        """
        movq %rax, %r15
        jmp _JIT_CONTINUE  # TAILCALL
        """,
        "movq %rax, %r15",
    ),
    "a branch to a jump goes where it leads, and the cold jump goes": (
        """
        addq %rdx, %r15
        jo .LBB1_1
        movq %rax, %r15
        jmp _JIT_CONTINUE
        .LBB1_1:
        jmp _JIT_SLOW
        """,
        "addq %rdx, %r15\njo _JIT_SLOW\nmovq %rax, %r15",
    ),
    "a branch over a jump is inverted": (
        """
        addq %rdx, %rax
        jno .LBB0_2
        jmp _JIT_SLOW
        .LBB0_2:
        movq %rax, %r15
        jmp _JIT_CONTINUE
        """,
        "addq %rdx, %rax\njo _JIT_SLOW\nmovq %rax, %r15",
    ),
    "a branch to the next stencil before a jump elsewhere is inverted": (
        """
        cmpq %rdi, %r15
        jl _JIT_CONTINUE
        jmp _JIT_TARGET
        """,
        "cmpq %rdi, %r15\njge _JIT_TARGET",
    ),
    "two conditions for the next stencil: one short branch to the end, one inverted": (
        """
        ucomisd %xmm3, %xmm2
        jne .LBB0_2
        jp .LBB0_2
        jmp _JIT_TARGET
        .LBB0_2:
        jmp _JIT_CONTINUE
        """,
        "ucomisd %xmm3, %xmm2\njne .Lfunc_end0\njnp _JIT_TARGET",
    ),
    "cold code behind the way on stays, jumped over": (
        """
        testq %r15, %r15
        je .LBB0_1
        jmp _JIT_CONTINUE
        .LBB0_1:
        xorl %edi, %edi
        jmp _JIT_TARGET
        """,
        "testq %r15, %r15\njne .Lfunc_end0\nxorl %edi, %edi\njmp _JIT_TARGET",
    ),
    "loops keep their labels": (
        """
        .LBB0_1:
        decq %rdi
        jne .LBB0_1
        jmp _JIT_CONTINUE
        """,
        ".LBB0_1:\ndecq %rdi\njne .LBB0_1",
    ),
    "an endless loop of jumps ends the search": (
        """
        jne .LBB0_1
        jmp _JIT_CONTINUE
        .LBB0_1:
        jmp .LBB0_1
        """,
        "je .Lfunc_end0\n.LBB0_1:\njmp .LBB0_1",
    ),
    "indirect jumps and returns are ends, and are kept": (
        """
        je .LBB0_1
        jmp *%rax
        .LBB0_1:
        retq
        """,
        "je .LBB0_1\njmp *%rax\n.LBB0_1:\nretq",
    ),
    "a label used by something else than a jump is kept": (
        """
        leaq .LBB0_1, %rax
        jmp _JIT_TARGET
        .LBB0_1:
        nop
        jmp _JIT_CONTINUE
        """,
        "leaq .LBB0_1, %rax\njmp _JIT_TARGET\n.LBB0_1:\nnop",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_main_stencil(case: str) -> None:
    before, after = CASES[case]
    assert tidied(before) == after


def test_twin_keeps_its_jump_to_the_continuation() -> None:
    assert tidied("subq %rdx, %r15\njmp _JIT_CONTINUE", falls_through=False) == "subq %rdx, %r15\njmp _JIT_CONTINUE"


def test_twin_has_its_jumps_threaded_all_the_same() -> None:
    before = "je .LBB0_1\nnop\njmp _JIT_CONTINUE\n.LBB0_1:\njmp _JIT_TARGET"
    assert tidied(before, falls_through=False) == "je _JIT_TARGET\nnop\njmp _JIT_CONTINUE"


def test_file_is_changed_in_functions_only_and_twins_are_told_by_name() -> None:
    before = textwrap.dedent("""\
        \t.section\t.text.one,"ax",@progbits
        \t.type\tone,@function
        one:                                    # @one
        # %bb.0:
        \tjmp\t_JIT_CONTINUE                   # TAILCALL
        .Lfunc_end0:
        \t.size\tone, .Lfunc_end0-one
        \t.section\t.text.one__slow,"ax",@progbits
        one__slow:                              # @one__slow
        \tincq\t%rdi
        \tjmp\t_JIT_CONTINUE                   # TAILCALL
        .Lfunc_end1:
        \t.size\tone__slow, .Lfunc_end1-one__slow
        """)
    after = textwrap.dedent("""\
        \t.section\t.text.one,"ax",@progbits
        \t.type\tone,@function
        one:
        .Lfunc_end0:
        \t.size\tone, .Lfunc_end0-one
        \t.section\t.text.one__slow,"ax",@progbits
        one__slow:
        \tincq\t%rdi
        \tjmp\t_JIT_CONTINUE
        .Lfunc_end1:
        \t.size\tone__slow, .Lfunc_end1-one__slow
        """)
    assert assembly.tidy(before) == after
