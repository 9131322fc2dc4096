"""Every hard case that tests/README.md lists has its tests, and every tag that a docstring names is listed."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
ROW = re.compile(r"^\| ([FMN]\d+) \|(.*)\|$", re.MULTILINE)


def listed() -> dict[str, list[str]]:
    """Tag -> its tests, as `folder/file.py::name`."""
    rows = ROW.findall((TESTS / "README.md").read_text())
    return {tag: re.findall(r"`([\w/]+\.py::\w+)`", cells) for tag, cells in rows}


def test_the_tests_are_there() -> None:
    cases = listed()
    assert len(cases) > 20
    for tag, names in cases.items():
        assert names, f"{tag} has no test"
        for name in names:
            file, function = name.split("::")
            assert f"\ndef {function}(" in (TESTS / file).read_text(), f"{tag}: {name} is not there"


def test_tags_in_docstrings_are_listed() -> None:
    named = set()
    for file in TESTS.rglob("test_*.py"):
        named |= set(re.findall(r'(?:"""|\()(?:[FMN]\d+, )*([FMN]\d+)[:,)]', file.read_text()))
    assert len(named) > 10
    assert named <= set(listed())
