"""Where the system says no: whichever call of ftjit's core into the C library fails, the program runs on, right, and
ftjit says why it does less. (`support/faults.py` makes them fail, and has the program.)"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fresh_process import ending, python

FAULTS = Path(__file__).resolve().parents[1] / "support" / "faults.py"
FOR_EVER = 10**12

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler, for the library to preload")


@pytest.fixture(scope="module")
def preload(tmp_path_factory: pytest.TempPathFactory) -> str:
    import sys

    sys.path[:0] = [str(FAULTS.parent)]
    import faults

    return str(faults.build(tmp_path_factory.mktemp("faults")))


def run(
    preload: str, kind: str, first: int, count: int = 1, variant: str = "dense", **variables: str
) -> dict[str, Any]:
    """The program, with these calls failing: it ends well, with the right results, whatever happened to ftjit."""
    case = [kind, str(first), str(count), variant]
    outcome = python(
        str(FAULTS), *case, environment={"LD_PRELOAD": preload, "FTJIT_VERIFY": "1", **variables}, seconds=40
    )
    told = f"{' '.join(case)}: {ending(outcome.returncode)}\n{outcome.stdout}{outcome.stderr}"
    assert outcome.returncode == 0, told
    assert not outcome.stderr, told
    found: dict[str, Any] = json.loads(outcome.stdout)
    assert found["right"], told
    assert found["stats"]["compile_errors"] == 0, told
    return found


def ran_machine_code(found: dict[str, Any]) -> bool:
    return bool(found["stats"]["entries"] > 0)


def test_nothing_fails(preload: str) -> None:
    """The program really is compiled, and each kind of call really is made: else the rest would show nothing."""
    found = run(preload, "memory", FOR_EVER)
    assert ran_machine_code(found)
    assert found["calls"] > 30, found
    assert not found["said"]


def each(kind: str, step: int) -> Iterator[int]:
    """The numbers of calls to fail: the first ones, where ftjit starts, then every `step`-th, without an end."""
    yield from range(1, 7)
    yield from range(7, 1_000_000, step)


def until_it_no_longer_fires(preload: str, kind: str, variant: str, step: int) -> None:
    for number in each(kind, step):
        if run(preload, kind, number, 1, variant)["fired"] == 0:
            assert number > 1, f"no call of the kind {kind} was made"
            return


QUICK = [("memory", "dense", 97), ("open", "dense", 41), ("mprotect", "sealed", 53), ("thread", "dense", 7)]
ALL = [
    *((kind, "dense") for kind in ("memory", "mmap", "madvise", "membarrier", "thread", "key", "open", "pwrite")),
    *((kind, "sealed") for kind in ("memory", "mmap", "mprotect", "madvise")),
]


@pytest.mark.parametrize(("kind", "variant", "step"), QUICK)
def test_one_call_fails(preload: str, kind: str, variant: str, step: int) -> None:
    until_it_no_longer_fires(preload, kind, variant, step)


@pytest.mark.full
@pytest.mark.parametrize(("kind", "variant"), ALL)
def test_each_call_fails_once(preload: str, kind: str, variant: str) -> None:
    until_it_no_longer_fires(preload, kind, variant, 1)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("memory", "no memory for machine code"),
        ("mmap", "no memory for machine code"),
        ("key", "no thread-specific storage left"),
    ],
)
def test_it_stays_off_and_says_why(preload: str, kind: str, words: str) -> None:
    found = run(preload, kind, 1, FOR_EVER)
    assert len(found["said"]) == 1, found
    assert words in found["said"][0], found
    assert not ran_machine_code(found)


def test_memory_runs_out_later(preload: str) -> None:
    """After the start: nothing more is compiled, what is keeps running; explain names the reason."""
    found = run(preload, "memory", 12, FOR_EVER)
    assert any("no memory" in text for text in found["explained"]), found


def test_executable_memory_is_forbidden_later(preload: str) -> None:
    found = run(preload, "mprotect", 1, FOR_EVER, "sealed")
    assert not ran_machine_code(found)
    refused = [text for text in found["explained"] if "not compiled: " in text]  # not all may have got hot
    assert refused, found
    assert all("may not make memory executable" in text for text in refused), found


@pytest.mark.parametrize("kind", ["open", "pwrite"])
def test_the_kernel_does_not_write_code(preload: str, kind: str) -> None:
    """Falls to pages of their own, by itself."""
    found = run(preload, kind, 1, FOR_EVER)
    assert ran_machine_code(found)
    assert not found["dense"]


def test_no_membarrier(preload: str) -> None:
    """Falls to fences."""
    found = run(preload, "membarrier", 1, FOR_EVER)
    assert ran_machine_code(found)
    assert not found["stats"]["asymmetric_barrier"]


def test_no_sampling_thread(preload: str) -> None:
    """What the program names is compiled all the same; the log says what is missing."""
    found = run(preload, "thread", 1, 1)
    assert any("sampling thread could not be started" in line for line in found["said"]), found
    assert ran_machine_code(found)


def test_no_thread_at_all(preload: str) -> None:
    found = run(preload, "thread", 1, FOR_EVER)
    assert not ran_machine_code(found)
    assert found["stats"]["threads_refused"] > 1
    assert all("could not be started" in text for text in found["explained"]), found


def test_a_compiler_thread_comes_later(preload: str) -> None:
    """Refused a few times: what waits is compiled once there is a thread again."""
    found = run(preload, "thread", 2, 3)
    assert found["fired"] == 3
    assert ran_machine_code(found)


def test_the_sampling_thread_comes_back(preload: str) -> None:
    """It stops for a fork, and the system refuses it afterwards: it is started when the next thing gets compiled."""
    source = f"""
import ctypes, os, sys, warnings
sys.path[:0] = [{str(FAULTS.parent)!r}]
import faults, ftjit
warnings.simplefilter("ignore")
ftjit.enable()
running = ftjit.api.existing().core.lib.sampler_is_running
shim = ctypes.CDLL(None)
shim.faults_arm.argtypes = [ctypes.c_int, ctypes.c_long, ctypes.c_long, ctypes.c_ulong, ctypes.c_ulong]
shim.faults_arm(faults.KINDS.index("thread"), 1, 2, *faults.core_mapping())
print(running(), end=" ")
for _ in range(2):
    os.fork() or os._exit(0)
    print(running(), end=" ")
ftjit.compile(faults.total, 100)
print(running(), shim.faults_fired())
"""
    outcome = python("-c", source, environment={"LD_PRELOAD": preload})
    assert outcome.stdout == "1 0 0 1 2\n", outcome.stdout + outcome.stderr
    assert not outcome.stderr


def test_no_co_extra_index() -> None:
    source = """
import ctypes, ftjit
request = ctypes.pythonapi.PyUnstable_Eval_RequestCodeExtraIndex
request.argtypes = [ctypes.c_void_p]
while request(None) >= 0: pass
for turn in range(2):
    try: ftjit.enable()
    except ftjit.UnsupportedPython as why: print(why)
def f(n):
    t = 0
    for i in range(n): t += i
    return t
print(f(10))
"""
    outcome = python("-c", source)
    assert outcome.stdout == "every co_extra index is taken by other tools\n" * 2 + "45\n", (
        outcome.stdout + outcome.stderr
    )
    assert not outcome.stderr


def test_a_child_without_membarrier(preload: str) -> None:
    """Its parent has the asymmetric form, the kernel refuses it to the child: that one uses fences, and frees."""
    source = f"""
import ctypes, os, sys, warnings
sys.path[:0] = [{str(FAULTS.parent)!r}]
import faults, ftjit
warnings.simplefilter("ignore")
ftjit.compile(faults.total, 100)
before = ftjit.stats().asymmetric_barrier
shim = ctypes.CDLL(None)
shim.faults_arm.argtypes = [ctypes.c_int, ctypes.c_long, ctypes.c_long, ctypes.c_ulong, ctypes.c_ulong]
shim.faults_arm(faults.KINDS.index("membarrier"), 1, 10**12, *faults.core_mapping())
if os.fork():
    os.wait()
    os._exit(0)  # this one may not free any more
entries = ftjit.stats().entries
right = faults.total(200) == faults.EXPECTED[0]
ftjit.compile(faults.mean, 100)
seen = ftjit.stats()
ftjit.disable()
drained = ftjit.drain(5)
freed = ftjit.stats().executors_freed >= 2
print(before, seen.asymmetric_barrier, right, seen.entries > entries, drained, freed)
"""
    outcome = python("-c", source, environment={"LD_PRELOAD": preload})
    assert outcome.stdout == "True False True True True True\n", outcome.stdout + outcome.stderr
    assert not outcome.stderr


def test_doctor_says_it() -> None:
    """Tool id 5 taken is in test_unsupported; here: the form of the heap and of the barrier."""
    plain = python("-m", "ftjit", "doctor")
    assert "allowed, dense" in plain.stdout, plain.stdout + plain.stderr
    fenced = python("-m", "ftjit", "doctor", environment={"FTJIT_BARRIER": "fence"})
    assert "fences in every entry" in fenced.stdout, fenced.stdout


def test_memory_that_denies_write_then_execute() -> None:
    """PR_SET_MDWE, as systemd's MemoryDenyWriteExecute sets it: no mapping may become executable. The dense form never
    asks for that."""
    source = """
import ctypes, sys, ftjit
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) != 0: print("no MDWE here"); sys.exit()
def f(n):
    t = 0
    for i in range(n): t += i
    return t
ftjit.compile(f, 100)
print(f(100), ftjit.is_compiled(f), ftjit.stats().entries > 0)
"""
    outcome = python("-c", source)
    if outcome.stdout == "no MDWE here\n":
        pytest.skip("the kernel does not know PR_SET_MDWE (Linux 6.3)")
    assert outcome.stdout == "4950 True True\n", outcome.stdout + outcome.stderr
    assert not outcome.stderr
