"""Hand-written programs do with ftjit what they do without: results, types, exceptions, lines, locals."""

import pytest
from support.child import TESTS
from support.differential import VARIABLES, differences, play

from ftjit.passes import PASSES

MODULES = sorted(path.stem for path in (TESTS / "differential" / "programs").glob("*.py"))
SETTINGS = {
    "no passes": {"FTJIT_PASSES_OFF": " ".join(PASSES)},
    **{f"without {name}": {"FTJIT_PASSES_OFF": name} for name in PASSES},
    "compiled anew at once": {"FTJIT_RELEARN": "1"},
    "never compiled anew": {"FTJIT_RELEARN": "1000000000"},
    "compiled anew without end": {"FTJIT_RELEARN": "2", "FTJIT_REVISIONS": "1000"},
    "sampled as often as can be": {"FTJIT_TICK_US": "50", "FTJIT_HOT_SAMPLES": "1"},
    "three compiler threads": {"FTJIT_COMPILE_THREADS": "3"},
}


def compare(module, folder, subtests, variables, all_in_machine_code):
    """Play the module both ways; a subtest for each case, and one for how the process ended."""
    name = f"differential.programs.{module}"
    plain, hot = play("plain", name, folder), play("ftjit", name, folder, variables=variables)
    assert not plain.fault, plain.fault
    for case, record in hot.cases.items():
        record["machine"] &= all_in_machine_code
        with subtests.test(case):
            found = differences(plain.cases[case], record)
            assert not found, "\n".join(found)
    with subtests.test("the process"):
        assert not hot.fault, hot.fault
        assert hot.cases.keys() == plain.cases.keys()
        assert hot.statistics["compile_errors"] == 0, hot.stderr
        assert hot.statistics["entries"] > 0


@pytest.mark.parametrize("module", MODULES)
def test_same_as_the_interpreter(module, tmp_path, subtests):
    compare(module, tmp_path, subtests, VARIABLES, True)


@pytest.mark.full
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("module", MODULES)
def test_the_same_with_other_settings(module, setting, tmp_path, subtests):
    compare(module, tmp_path, subtests, VARIABLES | SETTINGS[setting], False)
