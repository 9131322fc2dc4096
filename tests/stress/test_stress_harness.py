"""The harness notices: what is forbidden, what is vacuous, what crashes, what hangs. And a seed repeats itself."""

from __future__ import annotations

import signal
import subprocess
import sys
from itertools import islice
from pathlib import Path
from random import Random

import pytest
from ftjit_stress.harness.catalogue import load, modules
from ftjit_stress.harness.children import LOST
from ftjit_stress.harness.engine import Engine
from ftjit_stress.harness.grading import Status, grade
from ftjit_stress.harness.messages import Answer, Request
from ftjit_stress.harness.scenario import ALL_TIERS, INTERPRETED, Actor, Tier
from ftjit_stress.harness.tiers import assignments, copy_of
from ftjit_stress.nemeses import ALL
from ftjit_stress.report.table import complaint, repeat, summary


def test_a_run_that_holds(stress) -> None:
    verdict = stress("planted:HELD")
    assert verdict.status is Status.HELD, complaint(verdict)
    answer = verdict.answer
    assert all(min(variant.entries) > 0 for variant in answer.variants)
    assert [variant.tiers for variant in answer.variants] == [["executor"], ["swapped"]]
    assert answer.counters["retired_inside"] > 0
    assert answer.counters["retired_in_all"] == answer.counters["freed_in_all"] > 0
    assert len(answer.timeline) > 3
    assert verdict.rate == f"0 forbidden in {verdict.samples:,}, rate below {3 / verdict.samples:.1e}"


def test_the_interpreter_alone(stress) -> None:
    verdict = stress("planted:HELD", "interpreter", seconds=0.1)
    assert verdict.status is Status.HELD, complaint(verdict)
    assert verdict.answer.counters.get("entries", 0) == 0


def test_a_planted_forbidden_outcome(stress) -> None:
    verdict = stress("planted:FORBIDDEN")
    assert verdict.status is Status.FORBIDDEN
    assert verdict.forbidden >= 2
    assert "as it should not be" in complaint(verdict)
    assert "rate about" in verdict.rate


def test_an_unlisted_outcome_is_forbidden(stress) -> None:
    verdict = stress("planted:UNLISTED")
    assert verdict.status is Status.FORBIDDEN
    assert "'never heard of': not in the scenario's table" in complaint(verdict)


def test_an_exception_is_an_outcome(stress) -> None:
    verdict = stress("planted:RAISES")
    assert verdict.status is Status.FORBIDDEN
    assert "raised LookupError: planted" in complaint(verdict)
    assert "in fail" in complaint(verdict)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("NEVER_CALLED", "hang was never compiled"),
        ("VACUOUS", "count never entered machine code"),
        ("NO_DEOPT", "no guess went wrong"),
    ],
)
def test_a_vacuous_run_fails(name: str, reason: str, stress, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTJIT_STRESS_PATIENCE", "0.5")
    verdict = stress(f"planted:{name}")
    assert verdict.status is Status.VACUOUS, complaint(verdict)
    assert not verdict.good
    assert reason in complaint(verdict)


def test_a_crash_is_reported_with_its_stacks(stress) -> None:
    verdict = stress("planted:CRASHES", "interpreter")
    assert verdict.status is Status.CRASHED
    assert verdict.reasons[0] == f"killed by {signal.SIGSEGV.name}"
    assert "Segmentation fault" in verdict.answer.errors
    assert "in crash" in verdict.answer.errors
    assert "planted:CRASHES" in complaint(verdict)


def test_a_hang_is_ended_and_reported_with_its_stacks(stress) -> None:
    verdict = stress("planted:HANGS", "interpreter", limit=2)
    assert verdict.status is Status.HUNG
    assert "no answer within 2 s" in complaint(verdict)
    assert "in hang" in verdict.answer.errors
    assert verdict.answer.wall_seconds < 30


def test_a_skip_says_why(stress) -> None:
    verdict = stress("planted:SKIPPED")
    assert verdict.status is Status.SKIPPED
    assert verdict.good
    assert verdict.reasons == ("not today",)


def test_nemeses_work_and_their_schedule_is_the_seeds(stress) -> None:
    first, again, other = (stress("planted:STORMY", seconds=0.2, seed=seed) for seed in (5, 5, 6))
    for verdict in (first, again, other):
        assert verdict.status is Status.HELD, complaint(verdict)
        assert {nemesis.name for nemesis in verdict.answer.nemeses} == {"gc_storm", "deopt_storm", "swap_storm"}
        assert all(nemesis.steps > 0 for nemesis in verdict.answer.nemeses)
    schedules = [
        {nemesis.name: nemesis.schedule for nemesis in verdict.answer.nemeses} for verdict in (first, again, other)
    ]
    assert schedules[0] == schedules[1]
    assert all(schedules[0][name] != schedules[2][name] for name in schedules[0])


@pytest.mark.parametrize("nemesis", ALL, ids=lambda nemesis: nemesis.name)
def test_a_schedule_is_a_pure_function_of_the_seed(nemesis) -> None:
    once, again = (list(islice(nemesis.steps(Random("seed")), 200)) for _ in range(2))
    assert once == again
    assert all(0 <= step.after < 1 for step in once)
    assert once != list(islice(nemesis.steps(Random("another")), 200))


# ---- what needs no process ------------------------------------------------------------------------------------------


def test_assignments_of_tiers() -> None:
    actors = (Actor(copy_of, tiers=ALL_TIERS), Actor(copy_of, tiers=INTERPRETED), Actor(copy_of, tiers=ALL_TIERS))
    few = assignments(actors, 1, Random(1))
    assert few == [
        (Tier.EXECUTOR, Tier.INTERPRETER, Tier.EXECUTOR),
        (Tier.SWAPPED, Tier.INTERPRETER, Tier.SWAPPED),
    ]
    every = assignments(actors, 100, Random(1))
    assert len(every) == len(set(every)) == 3 * 3 - 1
    assert (Tier.INTERPRETER,) * 3 not in every


def test_a_copy_has_code_of_its_own() -> None:
    copy = copy_of(copy_of)
    assert copy.__code__ is not copy_of.__code__
    assert copy(copy).__name__ == "copy_of"


def test_what_counts_most_is_said_first() -> None:
    scenario = load("planted:HELD")
    answer = Answer(request={"mode": "ftjit"}, outcomes={"wrong": 1}, vacuous=["nothing ran"], problems=["a leak"])
    assert grade(scenario, answer).status is Status.FORBIDDEN
    answer.outcomes = {"right": 1}
    assert grade(scenario, answer).status is Status.FAILED
    answer.problems = []
    assert grade(scenario, answer).status is Status.VACUOUS
    answer.vacuous = []
    assert grade(scenario, answer).status is Status.HELD


def test_memory_errors_are_allowed_only_as_the_nemesis_names_them() -> None:
    scenario = load("planted:HELD")
    assert grade(scenario, Answer(request={}, outcomes={"out of memory": 3, "right": 1})).status is Status.HELD
    assert grade(scenario, Answer(request={}, outcomes={"raised MemoryError: ": 1})).status is Status.FORBIDDEN


def test_an_answer_survives_the_journey(stress) -> None:
    answer = stress("planted:HELD", "interpreter", seconds=0.1).answer
    assert Answer.from_dict(answer.to_dict()) == answer


def test_the_summary_bounds_the_rate() -> None:
    scenario = load("planted:HELD")
    runs = [grade(scenario, Answer(request={"mode": mode}, outcomes={"right": 1500})) for mode in ("ftjit", "eager")]
    assert summary(runs) == "2 runs: 2 held; with machine code 0 forbidden in 3,000, rate below 1.0e-03"


def test_how_to_repeat_a_run() -> None:
    request = Request("coherence", "ftjit", 2.5, 77, ("fork", "tools"))
    assert repeat(request) == (
        "python -m ftjit stress --only coherence --mode ftjit --seconds 2.5 --seed 77 --nemesis fork tools"
    )


FORKS = """
import ctypes, os, time, warnings
from ftjit_stress.harness import children
from ftjit_stress.harness.children import forked
warnings.simplefilter("ignore")
taken = {}
ctypes.c_uint8.from_address(id(taken) + 8 + 2).value = 1  # PyObject: ob_tid, ob_flags, ob_mutex
print(repr(forked(lambda n: taken.update(a=1), None, 1, patience=0.3)))
print(repr(forked(lambda n: time.sleep(9), None, 1, patience=0.3)))
print(repr(forked(lambda n: n + 1, 3, 2)), repr(forked(lambda n: n, 3, 2)), repr(forked(lambda n: 1 // 0, 3, 2)))
import ftjit
exec(compile("def wait(n): taken.update(a=1)", ftjit.__file__, "exec"))
print(repr(forked(wait, None, 1, patience=0.3)), flush=True)
os._exit(0)  # at its end the interpreter would wait for the dict, too
"""


def test_a_child_that_the_interpreter_lost_is_no_finding() -> None:
    """One that hangs anywhere else is, and one that waits for a mutex below ftjit's code."""
    done = subprocess.run([sys.executable, "-c", FORKS], capture_output=True, text=True, timeout=60)
    lost, asleep, answers, ours = done.stdout.splitlines()
    assert lost == repr(LOST)
    assert asleep.startswith("'a forked child did not end within 0 s")
    assert "in forked" in asleep
    assert answers == "'' 'a forked child computed something else' 'a forked child ended with 1'"
    assert ours.startswith("'a forked child did not end")


def test_the_harness_hears_of_forks_before_threading_does() -> None:
    """Hooks run in the order they were registered."""
    known = "import sys; from ftjit_stress.harness import children; print('threading' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", known], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "False\n"


def test_each_rule_has_a_scenario_and_each_scenario_a_rule() -> None:
    """The table in docs/stress.md."""
    page = (Path(__file__).parents[2] / "docs" / "stress.md").read_text()
    table = page.split("| rule | scenarios |")[1].split("\n\n")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    assert [row[0].split()[0] for row in rows[:-1]] == [str(number) for number in range(1, 19)]
    assert {name for row in rows for name in row[1].split(", ")} == set(modules())


def engine(*nemeses: str) -> Engine:
    return Engine(load("planted:HELD"), Request("planted:HELD", "interpreter", 1.0, 1, nemeses))


def test_nemeses_that_cannot_act_beside_each_other_take_turns() -> None:
    asked = engine("memory", "gc_storm", "thread_churn")
    assert asked.nemeses_of(0) == ["gc_storm", "thread_churn"]
    assert asked.nemeses_of(1) == ["memory", "gc_storm"]
    assert engine("memory").nemeses_of(0) == ["memory"]


def test_not_all_children_may_be_lost() -> None:
    for lost, wrong in ((3, []), (5, [f"5 of 10 children: {LOST}"])):
        judging = engine()
        judging.answer.outcomes["right"] = 1
        judging.stage.children, judging.stage.children_lost = 10, lost
        judging.judge_machine()
        assert judging.answer.problems == wrong
