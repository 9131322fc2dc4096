"""The IR of a few functions is what it was. `FTJIT_UPDATE_GOLDEN=1 pytest tests/golden` writes it anew."""

import os
from pathlib import Path

import pytest
from golden_functions import CALLS
from support.child import run_python

HERE = Path(__file__).resolve().parent
UPDATE = os.environ.get("FTJIT_UPDATE_GOLDEN") == "1"


def current(name):
    """As first compiled: how often an exit is taken while the process settles is a matter of time."""
    variables = {"FTJIT_VERIFY": "1", "FTJIT_RELEARN": str(10**9)}
    child = run_python([str(HERE / "print_ir.py"), name], variables, timeout=60)
    assert child.returncode == 0, child.stderr
    return child.stdout


@pytest.mark.parametrize("name", CALLS)
def test_ir_is_as_kept(name):
    file = HERE / "ir" / f"{name}.txt"
    found = current(name)
    assert found.count("function ") >= 1
    if UPDATE:
        file.write_text(found)
    assert file.exists(), f"no {file}: FTJIT_UPDATE_GOLDEN=1 writes it"
    assert found == file.read_text(), "the IR has changed: FTJIT_UPDATE_GOLDEN=1 writes it anew; read the diff"


def test_the_same_in_every_process():
    assert current("move") == current("move")


def test_nothing_is_kept_for_functions_that_are_gone():
    assert {file.stem for file in (HERE / "ir").glob("*.txt")} == set(CALLS)
