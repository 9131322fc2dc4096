"""The template language of `cdefs/stencils/*.stencil.c`: one block of C -> one function per operand choice.

    STENCIL(int_add, A:i, B:i|imm) { ... }     64 variants for two registers, 8 for an immediate
    SLOWPATH { ... }                           optional, directly after: the twin that SLOW jumps to
    SHIM(enter) { ... }                        a plain C function, the way in

A block starts at the beginning of a line. Operand kinds are the keys of `model.KINDS`: `i` and `f` any
integer or float register, `i3` that one, `imm` a 64-bit and `imm32` a 32-bit immediate. `DISTINCT(A, B)`
among the operands leaves out variants where the two are the same register. Text outside blocks is copied to
the head of the generated C.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

from ftjit.stencils.model import (
    FLOAT_REGISTERS,
    IMMEDIATE32_PREFIX,
    IMMEDIATE_PREFIX,
    INTEGER_REGISTERS,
    KINDS,
    Operand,
    Operation,
    StencilError,
    stencil_name,
)

_BLOCK = re.compile(r"^(STENCIL|SHIM|SLOWPATH)\b[ \t]*", re.MULTILINE)
_OPERAND = re.compile(r"([A-Z][A-Z0-9_]*)\s*:\s*([a-z0-9]+(?:\s*\|\s*[a-z0-9]+)*)")
_DISTINCT = re.compile(r"DISTINCT\s*\(\s*(\w+)\s*,\s*(\w+)\s*\)")
# A stretch of C in which braces do not count: comments, strings, characters.
_OPAQUE = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
_REGISTERS = frozenset(INTEGER_REGISTERS + FLOAT_REGISTERS)


class Template(NamedTuple):
    """One block. body and slow_body are C with their braces; line numbers are 1-based, for #line."""

    operation: Operation
    distinct: tuple[tuple[str, str], ...]
    body: str
    body_line: int
    slow_body: str | None
    slow_line: int

    def variants(self) -> Iterator[tuple[str, ...]]:
        """Every operand choice, in order: ("i0", "i0"), ("i0", "i1"), ..."""
        names = [operand.name for operand in self.operation.operands]
        for choices in itertools.product(*(operand.choices for operand in self.operation.operands)):
            chosen = dict(zip(names, choices, strict=True))
            if all(chosen[first] != chosen[second] for first, second in self.distinct):
                yield choices


class TemplateFile(NamedTuple):
    """One `.stencil.c`: the C outside its blocks (blank lines in their place, so line numbers hold), and its
    blocks."""

    name: str
    head: str
    templates: tuple[Template, ...]


def parse(name: str, source: str) -> TemplateFile:
    """The blocks of one template file. StencilError, with file and line, for what does not fit the language."""
    blank = _OPAQUE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), source)  # same offsets, no comments
    head, position, templates = [], 0, list[Template]()
    for start in _BLOCK.finditer(blank):
        where = f"{name}:{_line(source, start.start())}"
        if start.start() < position:
            raise StencilError(f"{where}: {start[1]} inside another block: close its brace first")
        between, cursor = blank[position : start.start()], start.end()
        head.append(source[position : start.start()])
        arguments = ""
        if start[1] != "SLOWPATH":
            end = _closing(blank, cursor, "()", where)
            arguments, cursor = blank[cursor + 1 : end - 1], end
        opening = len(blank) - len(blank[cursor:].lstrip())
        position = _closing(blank, opening, "{}", where)
        body, line = source[opening:position], _line(source, opening)
        head.append("\n" * source.count("\n", start.start(), position))
        if start[1] == "SLOWPATH":
            if not templates or between.strip() or templates[-1].slow_body or templates[-1].operation.is_shim:
                raise StencilError(f"{where}: SLOWPATH belongs directly after the STENCIL whose twin it is")
            last = templates[-1]
            operation = last.operation._replace(has_slow_path=True)
            templates[-1] = last._replace(operation=operation, slow_body=body, slow_line=line)
        else:
            operation, distinct = _signature(arguments, start[1] == "SHIM", where)
            templates.append(Template(operation, distinct, body, line, None, 0))
    head.append(source[position:])
    return TemplateFile(name, "".join(head), tuple(templates))


def generate(file: TemplateFile, functions: list[str]) -> str:
    """The C file that defines the given functions (from `expand`), after the template file's head."""
    letters = {operand.name for template in file.templates for operand in template.operation.operands}
    immediates = "".join(
        f"extern char {IMMEDIATE_PREFIX}{letter}[], {IMMEDIATE32_PREFIX}{letter}[] FTJIT_SMALL;\n"
        for letter in sorted(letters)
    )
    return f'#include "machine.h"\n{immediates}#line 1 "{file.name}"\n{file.head}\n' + "".join(functions)


def expand(file: TemplateFile) -> Iterator[str]:
    """The C of every function of a template file, one string each, in order."""
    for template in file.templates:
        yield from expand_template(file.name, template)


def expand_template(file: str, template: Template) -> Iterator[str]:
    """The C of every function of one template; file: where it stands, for messages."""
    operation = template.operation
    if operation.is_shim:
        declarator = f"FTJIT_SHIM_FUNCTION({operation.name})"
        yield _function(file, declarator, template.body, template.body_line)
        return
    bodies = [(False, template.body, template.body_line)]
    if template.slow_body is not None:
        bodies.append((True, template.slow_body, template.slow_line))
    for choices in template.variants():
        aliases = dict(zip((operand.name for operand in operation.operands), choices, strict=True))
        for slow, body, line in bodies:
            name = stencil_name(operation.name, choices, slow=slow)
            yield _function(file, f"FTJIT_STENCIL_FUNCTION({name})", body, line, aliases)


def _function(file: str, declarator: str, body: str, line: int, aliases: dict[str, str] | None = None) -> str:
    """One C function; in its body each alias stands for its register (an lvalue) or its hole."""
    aliases = aliases or {}
    define = "".join(f"#define {letter} {_alias(letter, choice)}\n" for letter, choice in aliases.items())
    undefine = "".join(f"#undef {letter}\n" for letter in aliases)
    return f'{define}#line {line} "{file}"\n{declarator} {body}\n{undefine}'


def _alias(letter: str, choice: str) -> str:
    """What an operand's name means in the body of one variant."""
    if choice in _REGISTERS:
        return choice
    return f"FTJIT_HOLE({IMMEDIATE_PREFIX if choice == 'imm' else IMMEDIATE32_PREFIX}{letter})"


def _signature(arguments: str, is_shim: bool, where: str) -> tuple[Operation, tuple[tuple[str, str], ...]]:
    """`name, A:i, B:i|imm, DISTINCT(A, B)` as an operation and the pairs that must differ."""
    distinct = tuple((match[1], match[2]) for match in _DISTINCT.finditer(arguments))
    rest = re.sub(r",\s*" + _DISTINCT.pattern, "", arguments)
    name, *operand_texts = (part.strip() for part in rest.split(","))
    if not re.fullmatch(r"[a-z]\w*", name) or "__" in name:
        raise StencilError(f"{where}: {name!r} is no operation name: lower case, single underscores")
    operands = []
    for text in operand_texts:
        match = _OPERAND.fullmatch(text)
        kinds = tuple(kind.strip() for kind in match[2].split("|")) if match else ()
        if match is None or not all(kind in KINDS for kind in kinds):
            raise StencilError(f"{where}: operand {text!r}: write NAME:kinds, kinds among {', '.join(KINDS)}")
        operands.append(Operand(match[1], kinds))
    names = [operand.name for operand in operands]
    if len(set(names)) != len(names) or any(pair[0] not in names or pair[1] not in names for pair in distinct):
        raise StencilError(f"{where}: operand names must differ, and DISTINCT must name two of them")
    if is_shim and operands:
        raise StencilError(f"{where}: a SHIM takes no operands; its parameters are code, frame, tstate and act")
    return Operation(name, tuple(operands), False, is_shim, where), distinct


def _line(source: str, offset: int) -> int:
    return source.count("\n", 0, offset) + 1


def _closing(text: str, opening: int, pair: str, where: str) -> int:
    """The offset just after the bracket that closes the one at `opening`."""
    if text[opening : opening + 1] != pair[0]:
        raise StencilError(f"{where}: expected {pair[0]!r} here")
    depth = 0
    for match in re.compile(f"[{re.escape(pair)}]").finditer(text, opening):
        depth += 1 if match[0] == pair[0] else -1
        if depth == 0:
            return match.end()
    raise StencilError(f"{where}: {pair[0]!r} is never closed")
