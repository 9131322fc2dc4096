"""Hand-written programs do with ftjit what they do without: results, types, exceptions, lines, locals."""

import pytest
from support.child import TESTS
from support.differential import differences, play

MODULES = sorted(path.stem for path in (TESTS / "differential" / "programs").glob("*.py"))


@pytest.mark.parametrize("module", MODULES)
def test_same_as_the_interpreter(module, tmp_path, subtests):
    name = f"differential.programs.{module}"
    plain, hot = play("plain", name, tmp_path), play("ftjit", name, tmp_path)
    assert not plain.fault, plain.fault
    for case, record in hot.cases.items():
        with subtests.test(case):
            found = differences(plain.cases[case], record)
            assert not found, "\n".join(found)
    with subtests.test("the process"):
        assert not hot.fault, hot.fault
        assert hot.cases.keys() == plain.cases.keys()
        assert hot.statistics["compile_errors"] == 0, hot.stderr
        assert hot.statistics["entries"] > 0
