"""Tidies the compiler's assembly, where a stencil's ways on are still words: every jump that can go, goes.

The compiler ends a function with a jump to `_JIT_CONTINUE`, often in the middle and with the other ways on
after it:

        addq %rdx, %r15                    addq %rdx, %r15
        jo   .LBB0_2                       jo   _JIT_SLOW
        jmp  _JIT_CONTINUE         ->
    .LBB0_2:
        jmp  _JIT_SLOW

But the next stencil always stands directly behind, so `_JIT_CONTINUE` is simply the end. This is done on
text, before the assembler chooses lengths of jumps, and in small steps that are each right on their own,
until none applies.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Final

from ftjit.stencils.model import CONTINUE

# Condition -> its opposite.
_OPPOSITE: Final = {
    "jo": "jno", "jb": "jae", "je": "jne", "jbe": "ja", "js": "jns", "jp": "jnp", "jl": "jge", "jle": "jg",
}  # fmt: skip
_INVERSE: Final = _OPPOSITE | {opposite: condition for condition, opposite in _OPPOSITE.items()}
_FUNCTION: Final = re.compile(r"^(?P<name>[A-Za-z_]\w*):(?P<lines>.*?)^(?P<end>\.Lfunc_end\d+):", re.M | re.S)
# The label that the compiler puts behind the last line of each function.
END_PREFIX: Final = ".Lfunc_end"
_LABEL: Final = re.compile(r"\.L\w+")

# An instruction as its words ("jmp", "_JIT_SLOW"); a label definition as one word (".LBB0_2:").
type Line = tuple[str, ...]
type Lines = list[Line]


def tidy(text: str) -> str:
    """A compiler's assembly file with every function tidied. Slow-path twins, named `..__slow`, keep their
    last jump, because they stand out of line."""

    def replace(match: re.Match[str]) -> str:
        lines = parse(match["lines"])
        lines = tidy_function(lines, falls_through=not match["name"].endswith("__slow"), end=match["end"])
        return f"{match['name']}:\n{render(lines)}{match['end']}:"

    return _FUNCTION.sub(replace, text)


def parse(text: str) -> Lines:
    """The lines of one function's assembly, without comments: each is (mnemonic, operands) or (label,)."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [tuple(line.split(None, 1)) for line in lines if line]


def render(lines: Lines) -> str:
    """Inverse of `parse`."""
    return "".join(f"{line[0]}\n" if is_label(line) else "\t" + "\t".join(line) + "\n" for line in lines)


def tidy_function(lines: Lines, *, falls_through: bool, end: str) -> Lines:
    """One function's lines, tidied. end: the label that stands behind the last line."""
    if falls_through:
        lines = continue_at_end(lines, end)
    steps: tuple[Callable[[Lines], Lines], ...] = (
        thread_jumps,
        drop_unreachable,
        drop_unused_labels,
        invert_over_jump,
        drop_jump_to_next,
    )
    while True:
        before = lines
        for step in steps:
            lines = step(lines)
        if lines == before:
            return lines


def is_label(line: Line) -> bool:
    """Whether the line defines a label."""
    return len(line) == 1 and line[0].endswith(":")


def is_jump(line: Line) -> bool:
    """Whether the line is a direct jump, conditional or not."""
    return len(line) == 2 and (line[0] == "jmp" or line[0] in _INVERSE) and not line[1].startswith("*")


def never_falls_through(line: Line) -> bool:
    """Whether the line after this one is reached by jumps only."""
    return line[0] in ("jmp", "ret", "retq", "ud2")


def continue_at_end(lines: Lines, end: str) -> Lines:
    """Jumps to the next stencil go to the end of this one, where the next begins."""
    return [(line[0], end) if is_jump(line) and line[1] == CONTINUE else line for line in lines]


def thread_jumps(lines: Lines) -> Lines:
    """A jump to a jump goes straight to where that leads."""
    leads_to: dict[str, str] = {}
    for number, line in enumerate(lines):
        if is_label(line):
            following = next((other for other in lines[number:] if not is_label(other)), None)
            if following is not None and following[0] == "jmp" and is_jump(following):
                leads_to[line[0][:-1]] = following[1]

    def destination(target: str) -> str:
        seen = {target}
        while target in leads_to and leads_to[target] not in seen:  # an empty endless loop leads to itself
            target = leads_to[target]
            seen.add(target)
        return target

    return [(line[0], destination(line[1])) if is_jump(line) else line for line in lines]


def drop_unreachable(lines: Lines) -> Lines:
    """What follows an unconditional jump goes, up to the next label."""
    kept: Lines = []
    for line in lines:
        if is_label(line) or not kept or not never_falls_through(kept[-1]):
            kept.append(line)
    return kept


def drop_unused_labels(lines: Lines) -> Lines:
    """Labels that nothing refers to go, so that what follows them can be seen to be unreachable."""
    used = Counter(label for line in lines if not is_label(line) for label in _LABEL.findall(" ".join(line)))
    return [line for line in lines if not is_label(line) or used[line[0][:-1]]]


def invert_over_jump(lines: Lines) -> Lines:
    """`jcc A; jmp B; A:` is `jncc B; A:`, when A is the label there or the end."""
    kept = list(lines)
    for number in range(len(kept) - 2, -1, -1):
        condition, jump = kept[number : number + 2]
        conditional = is_jump(condition) and condition[0] != "jmp"
        if conditional and is_jump(jump) and jump[0] == "jmp" and stands_at(kept, number + 2, condition[1]):
            kept[number : number + 2] = [(_INVERSE[condition[0]], jump[1])]
    return kept


def drop_jump_to_next(lines: Lines) -> Lines:
    """A jump to the line behind it goes."""
    return [
        line
        for number, line in enumerate(lines)
        if not (is_jump(line) and line[0] == "jmp" and stands_at(lines, number + 1, line[1]))
    ]


def stands_at(lines: Lines, position: int, label: str) -> bool:
    """Whether `label` is defined at `position`, perhaps among others; the end label stands behind the last
    line."""
    while position < len(lines) and is_label(lines[position]):
        if lines[position][0][:-1] == label:
            return True
        position += 1
    return position == len(lines) and label.startswith(END_PREFIX)
