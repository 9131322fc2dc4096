"""The reclamation protocol in Spin: what must hold holds, what gives a condition up fails, for the right claim."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

from model import spin, trail  # noqa: E402
from model.breaks import BREAKS, CLAIMS, TAGS  # noqa: E402
from model.configurations import CONFIGURATIONS, Configuration  # noqa: E402
from tools import packages  # noqa: E402

CHECK = REPOSITORY / "model" / "check.py"
LACKING = packages.missing(packages.MODEL)
needs_spin = pytest.mark.skipif(
    bool(LACKING), reason=f"model checking needs programs that are missing: {packages.install_line(LACKING)}"
)
MEMORY_MIB = 3000
QUICK_LIMIT_S, FULL_LIMIT_S = 300, 1500


def _parameters() -> list[object]:
    return [
        pytest.param(entry, id=entry.name, marks=[pytest.mark.full] if entry.full else []) for entry in CONFIGURATIONS
    ]


@needs_spin
@pytest.mark.parametrize("configuration", _parameters())
def test_model(configuration: Configuration):
    limit = FULL_LIMIT_S if configuration.full else QUICK_LIMIT_S
    result = spin.check(configuration, MEMORY_MIB, limit)
    assert result.as_expected, f"{configuration.name}: {result.why_not}"
    assert result.states > 0
    assert (result.verdict == "fails") == (configuration.breaks is not None)


# ---- the table of breaks, the configurations and the model belong together ----


def _model_text() -> str:
    return "".join(page.read_text(encoding="utf-8") for page in spin.MODEL.glob("*.pml"))


def test_every_tag_is_checked_and_every_switch_of_the_model_is_a_tag():
    assert len(set(TAGS)) == len(TAGS)
    assert {entry.breaks for entry in CONFIGURATIONS if entry.breaks} == set(TAGS)
    assert set(re.findall(r"\bBREAK_(\w+)", _model_text())) == set(TAGS)


def test_every_claim_is_one_of_the_model_and_some_break_is_caught_by_it():
    asserted = set(re.findall(r"assert\((\w+)\)", _model_text())) | set(re.findall(r"^ltl (\w+)", _model_text(), re.M))
    assert asserted == set(CLAIMS)
    assert {claim for entry in BREAKS for claim in entry.claims} == set(CLAIMS)


def test_every_define_of_a_configuration_is_asked_for_in_the_model():
    text = _model_text()
    for configuration in CONFIGURATIONS:
        for define in configuration.all_defines:
            assert re.search(rf"\b{define}\b", text), f"{configuration.name}: nothing asks for {define}"


def test_names_of_configurations_are_distinct():
    names = [entry.name for entry in CONFIGURATIONS]
    assert len(set(names)) == len(names)


# ---- what Spin prints is read rightly ----

GOOD = Configuration("good", "must hold")
BROKEN = Configuration("broken", "must fail", breaks="stamp_early")
NO_ERRORS = """State-vector 64 byte, depth reached 5639, errors: 0
    26100 states, stored
  183.066\ttotal actual memory usage
"""
ERROR = NO_ERRORS.replace("errors: 0", "errors: 1")


def test_a_complete_search_without_errors_holds():
    result = spin.judge(GOOD, NO_ERRORS)
    assert (result.verdict, result.states, result.depth, result.memory_mib) == ("holds", 26100, 5639, 183.066)
    assert result.as_expected


@pytest.mark.parametrize(
    "words",
    ["error: max search depth too small", "pan: out of memory", "Warning: Search not completed", "bit-state hashing"],
)
def test_a_search_that_was_cut_short_is_no_pass(words: str):
    result = spin.judge(GOOD, f"{words}\n{NO_ERRORS}")
    assert result.verdict == "incomplete"
    assert not result.as_expected


@pytest.mark.parametrize("output", ["", "pan: segmentation fault"])
def test_no_result_is_no_pass(output: str):
    assert spin.judge(GOOD, output).verdict == "incomplete"
    assert not spin.judge(BROKEN, output).as_expected


def test_a_search_that_ran_out_of_time_is_no_pass():
    assert not spin.judge(GOOD, NO_ERRORS, late=True).as_expected


def test_a_search_that_was_ended_says_how_far_it_had_come():
    progress = "Depth=  1000 States=    1e+06 Transitions= 3e+06\nDepth=  3000 States=    2e+06 Transitions= 6e+06\n"
    result = spin.judge(GOOD, progress, late=True)
    assert (result.verdict, result.states) == ("incomplete", 2_000_000)


def test_a_statement_that_no_path_comes_to_is_no_pass():
    ends = '\treclamation.pml:195, state 97, "-end-"\n'
    assert spin.judge(GOOD, NO_ERRORS + ends).as_expected
    result = spin.judge(GOOD, NO_ERRORS + ends + '\treader.pml:71, state 12, "inside[r] = 0"\n')
    assert not result.as_expected
    assert "reader.pml:71" in result.why_not


def test_a_break_must_be_caught_by_the_claim_it_is_about():
    right = spin.judge(BROKEN, "pan:1: assertion violated nobody_inside (at depth 43)\n" + ERROR)
    assert (right.verdict, right.caught_by, right.as_expected) == ("fails", "nobody_inside", True)
    wrong = spin.judge(BROKEN, "pan:1: invalid end state (at depth 43)\n" + ERROR)
    assert (wrong.verdict, wrong.caught_by, wrong.as_expected) == ("fails", "invalid end state", False)
    assert not spin.judge(BROKEN, NO_ERRORS).as_expected
    assert not spin.judge(GOOD, "pan:1: assertion violated nobody_inside (at depth 43)\n" + ERROR).as_expected


# ---- the command ----


def _run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(CHECK), *arguments],
        capture_output=True,
        text=True,
        timeout=QUICK_LIMIT_S,
        env={**os.environ, **environ},
        check=False,
    )


@needs_spin
def test_a_counterexample_is_shown_step_by_step():
    answer = _run("--show", "stamp_early")
    assert answer.returncode == 0, answer.stderr
    lines = answer.stdout.splitlines()
    at = {words: next(i for i, line in enumerate(lines) if words in line) for words in ("reads its stamp", "exchanges")}
    assert at["reads its stamp"] < at["exchanges"]
    assert CLAIMS["nobody_inside"] in lines[-1]


@needs_spin
def test_results_as_json(tmp_path: Path):
    page = tmp_path / "results.json"
    answer = _run("free_early", "--json", str(page))
    assert answer.returncode == 0, answer.stderr
    (result,) = json.loads(page.read_text(encoding="utf-8"))["results"]
    assert (result["verdict"], result["breaks"], result["as_expected"]) == ("fails", "free_early", True)
    assert result["states"] > 0


@needs_spin
def test_a_name_there_is_none_of_is_one_line():
    answer = _run("no_such_tag")
    assert answer.returncode == 2
    assert answer.stderr.splitlines() == ["model: there is no configuration or tag 'no_such_tag'; --list prints them"]


def test_without_spin_the_command_says_what_to_install(tmp_path: Path):
    answer = _run("fence", PATH=str(tmp_path))
    assert answer.returncode == 3
    assert "apt-get install -y spin" in answer.stderr


def test_trail_keeps_the_order_marks_the_cycle_and_ends_with_the_claim():
    lines = ["reader 0 | reads G: 1", "spin: line 3", "<<<<<START OF CYCLE>>>>>", "driver 0 | ends its round"]
    assert [actor for actor, _ in trail.steps(lines)] == ["reader 0", "", "driver 0"]
    lines.insert(1, "spin: claims.pml:27, Error: assertion violated")
    assert [actor for actor, _ in trail.steps(lines)] == ["reader 0"]


def test_readable_to_python_3_11():
    for page in CHECK.parent.glob("*.py"):
        ast.parse(page.read_text(encoding="utf-8"), feature_version=(3, 11))
