"""The template language: what expands to what, and what is refused."""

import re

import pytest

from ftjit.stencils.model import StencilError
from ftjit.stencils.templates import TemplateFile, expand, generate, parse


def names(file: TemplateFile) -> list[str]:
    """The names of the functions that a file expands to."""
    return [re.findall(r"_FUNCTION\((\w+)\)", text)[0] for text in expand(file)]


@pytest.mark.parametrize(
    ("signature", "count", "first", "last"),
    [
        ("poll", 1, "poll", "poll"),
        ("move, A:i, B:i", 64, "move__i0_i0", "move__i7_i7"),
        ("move, A:i, B:i, DISTINCT(A, B)", 56, "move__i0_i1", "move__i7_i6"),
        ("add, A:i, B:i|imm", 72, "add__i0_i0", "add__i7_imm"),
        ("add, A:i, B : i | imm | imm32", 80, "add__i0_i0", "add__i7_imm32"),
        ("convert, A:f, B:i0|i7", 16, "convert__f0_i0", "convert__f7_i7"),
        (
            "three, A:i, B:i, C:i, DISTINCT(A, B), DISTINCT(B, C)",
            8 * 7 * 7,
            "three__i0_i1_i0",
            "three__i7_i6_i7",
        ),
    ],
)
def test_variants(signature: str, count: int, first: str, last: str) -> None:
    found = names(parse("x.stencil.c", f"STENCIL({signature}) {{ NEXT; }}\n"))
    assert (len(found), found[0], found[-1]) == (count, first, last)
    assert len(set(found)) == count


def test_slow_path_makes_a_twin_of_each_variant() -> None:
    file = parse("x.stencil.c", "STENCIL(neg, A:i)\n{ SLOW; }\n/* twin */\nSLOWPATH\n{ EXIT; }\n")
    assert names(file)[:4] == ["neg__i0", "neg__i0__slow", "neg__i1", "neg__i1__slow"]
    assert file.templates[0].operation.has_slow_path
    twin = list(expand(file))[1]
    assert "{ EXIT; }" in twin
    assert '#line 5 "x.stencil.c"' in twin


def test_operands_become_registers_and_holes() -> None:
    functions = list(expand(parse("x.stencil.c", "STENCIL(add, A:i, B:f|imm|imm32) { body(A, B) }\n")))
    assert functions[0].startswith("#define A i0\n#define B f0\n#line 1")
    assert functions[0].endswith("FTJIT_STENCIL_FUNCTION(add__i0_f0) { body(A, B) }\n#undef A\n#undef B\n")
    assert "#define B FTJIT_HOLE(_JIT_IMM_B)\n" in functions[8]
    assert "#define B FTJIT_HOLE(_JIT_IMM32_B)\n" in functions[9]


def test_head_keeps_what_is_outside_blocks_on_its_lines() -> None:
    source = "/* { */\nstatic int help(void);\nSTENCIL(one)\n{\n    NEXT;\n}\n"
    source += "extern int more;\nSHIM(way_in) { return 0; }\n"
    file = parse("x.stencil.c", source)
    assert file.head.splitlines()[:2] == ["/* { */", "static int help(void);"]
    assert file.head.splitlines()[6] == "extern int more;"
    assert "NEXT" not in file.head
    assert "return 0" not in file.head
    assert file.templates[1].operation.is_shim
    code = generate(file, list(expand(file)))
    assert code.startswith('#include "machine.h"\n#line 1 "x.stencil.c"\n/* { */\n')
    assert "FTJIT_SHIM_FUNCTION(way_in) { return 0; }" in code


def test_braces_in_comments_strings_and_characters_do_not_count() -> None:
    body = '{ /* } */ char *text = "}\\"}"; char brace = \'}\'; // }\n { NEXT; } }'
    file = parse("x.stencil.c", f"STENCIL(one) {body}\nSTENCIL(two) {{ EXIT; }}\n")
    assert [template.body for template in file.templates] == [body, "{ EXIT; }"]


def test_immediates_are_declared_for_every_operand_name() -> None:
    file = parse("x.stencil.c", "STENCIL(one, A:i, LIMIT:imm) { NEXT; }\n")
    assert "extern char _JIT_IMM_LIMIT[], _JIT_IMM32_LIMIT[] FTJIT_SMALL;" in generate(file, [])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("STENCIL(one, A:q) { }", "x.stencil.c:1: operand 'A:q'"),
        ("STENCIL(one, a:i) { }", "x.stencil.c:1: operand 'a:i'"),
        ("\nSTENCIL(one, A:i, A:f) { }", "x.stencil.c:2: operand names must differ"),
        ("STENCIL(one, A:i, DISTINCT(A, Z)) { }", "DISTINCT must name two of them"),
        ("STENCIL(one__two) { }", "no operation name"),
        ("STENCIL(One) { }", "no operation name"),
        ("STENCIL(one) { if (1) { NEXT; }", "'{' is never closed"),
        ("STENCIL(one) NEXT;", "expected '{'"),
        ("SLOWPATH { NEXT; }", "SLOWPATH belongs directly after"),
        ("STENCIL(one) { }\nint x;\nSLOWPATH { NEXT; }", "x.stencil.c:3: SLOWPATH belongs directly after"),
        ("STENCIL(one) { }\nSLOWPATH { }\nSLOWPATH { }", "x.stencil.c:3: SLOWPATH belongs directly after"),
        ("SHIM(one) { }\nSLOWPATH { }", "SLOWPATH belongs directly after"),
        ("SHIM(one, A:i) { }", "a SHIM takes no operands"),
        ("STENCIL(one) {\nSTENCIL(two) { }\n}", "x.stencil.c:2: STENCIL inside another block"),
    ],
)
def test_refusals_name_the_place(source: str, message: str) -> None:
    with pytest.raises(StencilError, match=re.escape(message)):
        parse("x.stencil.c", source)
