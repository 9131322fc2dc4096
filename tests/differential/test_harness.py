"""The comparison can fail: what two runs might do differently shows, and so does code that stayed interpreted."""

import pytest
from support.case import Case, Run
from support.differential import differences
from support.outcome import describe, outcome

TOLD_APART = [
    (0.0, -0.0),
    (1, True),
    (1, 1.0),
    (0.1 + 0.2, 0.3),
    (2**63, 2**63 + 1),
    (10**50, 10**50 + 1),
    ([1, 2], (1, 2)),
    ([1, [2.0]], [1, [2]]),
    ({1: 2}, {1: 2.0}),
    ({True}, {1}),
    (range(3), range(4)),
    (ValueError(1), ValueError(1.0)),
]


@pytest.mark.parametrize(("one", "other"), TOLD_APART)
def test_values_told_apart(one, other):
    assert describe(one) != describe(other)
    assert describe(one) == describe(one)


def test_attributes_and_slots_are_seen():
    class Slotted:
        __slots__ = ("a", "b")

    class Plain:
        pass

    slotted, plain = Slotted(), Plain()
    slotted.a, plain.a = 1, 2.5
    assert describe(slotted) == "Slotted{a=int:1, b=str:'(unset)'}"
    assert describe(plain) == "Plain{a=float:0x1.4000000000000p+1}"


def fails_early(n):
    x = n
    x = 1 // n
    return x  # noqa: RET504  (a local for the traceback to show)


def fails_late(n):
    x = n
    x = n  # noqa: F841
    return 1 // n


def test_exceptions_show_lines_and_locals():
    early, late = outcome(fails_early, (0,)), outcome(fails_late, (0,))
    first = fails_early.__code__.co_firstlineno
    assert f"in fails_early, line {first + 2}, columns (8, 14), with n=int:0, x=int:0" in early
    assert early != late.replace("fails_late", "fails_early")


def test_changed_arguments_are_seen():
    assert outcome(list.append, ([1], 2)) != outcome(list.count, ([1], 2))


def record(recorded, machine=False, entries=1, compiled=True):
    return {
        "recorded": recorded,
        "machine": machine,
        "entries": entries,
        "compiled": compiled,
        "explain": "why",
    }


def test_differences():
    plain = record({"step 1": ["returned int:1"], "step 2": ["returned int:2"]})
    assert differences(plain, record(plain["recorded"])) == []
    assert differences(plain, record({"step 1": ["returned int:1"]}))
    assert differences(plain, record(plain["recorded"] | {"step 2": ["returned int:3"]}))
    # Once wrong among many right calls is wrong.
    assert differences(plain, record(plain["recorded"] | {"step 2": ["returned int:2", "returned int:3"]}))
    assert differences(plain, record(plain["recorded"], machine=True)) == []
    assert differences(plain, record(plain["recorded"], machine=True, entries=0))
    assert differences(plain, record(plain["recorded"], machine=True, compiled=False))


def test_a_program_that_counts_its_calls_is_refused():
    calls = []

    def impure():
        calls.append(1)
        return len(calls)

    def heat(call, hot, machine):
        for _ in range(3):
            call()
        return True

    run = Run(Case("impure", lambda run: None, (), False), heat)
    run.warm(impure)
    found = record(run.recorded)
    assert "a bad case" in differences(found, found)[0]
