"""Every atomic variable of the C core has its row in the table of cdefs/README.md, and every row a variable."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

CDEFS = Path(__file__).resolve().parents[2] / "cdefs"
COLUMNS = ["variable", "writes", "reads", "ordering", "partner", "claim served"]

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_STRUCT = re.compile(r"\bstruct\s+(\w+)\s*\{(.*?)\}", re.DOTALL)
# A declaration of atomics, not of pointers to them: `[static, extern] _Atomic TYPE a[..] = .., b;`, TYPE in brackets or
# a word.
_DECLARATION = re.compile(
    r"^\s*(?:static\s+|extern\s+)?_Atomic\s*(?:\([^()]*\)|\s\w+)\s+(?!\*)([^;(){}]+);", re.MULTILINE
)


def _names(text: str) -> Iterator[str]:
    for declaration in _DECLARATION.findall(text):
        for part in declaration.split(","):
            found = re.match(r"\w+", part.strip())
            assert found, declaration
            yield found[0]


def declared(source: str) -> set[str]:
    """The atomics a C file declares: `name`, or `struct.field`."""
    text = _COMMENT.sub("", source)
    fields = {f"{struct}.{name}" for struct, body in _STRUCT.findall(text) for name in _names(body)}
    return fields | set(_names(_STRUCT.sub("struct", text)))


def rows(page: str) -> dict[str, list[str]]:
    """Variable -> the cells of its row, from every table of the page that has these columns."""
    found: dict[str, list[str]] = {}
    inside = False
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        inside = bool(cells) and (inside or cells == COLUMNS)
        if inside and "`" in cells[0]:
            found |= dict.fromkeys(re.findall(r"`([\w.]+)`", cells[0]), cells)
    return found


def test_every_atomic_has_a_row_and_every_row_an_atomic() -> None:
    files = [*CDEFS.glob("*.c"), *CDEFS.glob("*.h")]
    in_code = set().union(*(declared(file.read_text()) for file in files))
    in_table = set(rows((CDEFS / "README.md").read_text()))
    assert len(in_code) > 30, "the declarations are written in a form that this test does not find"
    assert in_code - in_table == set(), "without a row in cdefs/README.md"
    assert in_table - in_code == set(), "in the table of cdefs/README.md, but no longer in the code"


def test_every_row_is_whole() -> None:
    for name, cells in rows((CDEFS / "README.md").read_text()).items():
        assert len(cells) == len(COLUMNS), name
        assert all(cells), name


def test_no_atomic_is_declared_in_a_form_that_is_overlooked() -> None:
    """What is left of each file without its declarations: pointers to atomics, parameters and casts only."""
    for file in [*CDEFS.glob("*.c"), *CDEFS.glob("*.h")]:
        rest = _DECLARATION.sub(";", _COMMENT.sub("", file.read_text()))
        for line in (line for line in rest.splitlines() if "_Atomic" in line):
            assert re.search(r"_Atomic\s*(?:\([^()]*\)|\s\w+)\s*\*", line), f"{file.name}: {line.strip()}"


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("static _Atomic uint64_t epoch = 1;", {"epoch"}),
        ("extern _Atomic uint64_t epoch;", {"epoch"}),
        ("static _Atomic(struct executor *) newly;  /* _Atomic int no; */", {"newly"}),
        ("static _Atomic uint32_t a, b = 3,\n    c;", {"a", "b", "c"}),
        ("struct record {\n    _Atomic uint8_t state;\n    int depth;\n};", {"record.state"}),
        ("struct chunk {\n    _Atomic(void *) active[30];\n};\nstatic _Atomic int next;", {"chunk.active", "next"}),
        ("_Atomic(struct executor *) *place = enter(record);", set()),
        ("int f(_Atomic int *where);", set()),
    ],
)
def test_what_counts_as_a_declaration(source: str, names: set[str]) -> None:
    assert declared(source) == names
