"""Interpreter exit with threads inside machine code: no crash, no hang, no output."""

from __future__ import annotations

from pathlib import Path

import pytest
from fresh_process import HERE, ending, python

PRELUDE = f"""
import sys; sys.path[:0] = [{str(HERE)!r}]
import atexit, os, threading, time, ftjit
from machine import start_thread, switch_on, wait_inside, wait_compiled
class Flag: pass
flag = Flag(); flag.done = False
def spin(flag):
    turns = 0
    while not flag.done:
        turns += 1
    return turns
def count(limit):
    total = 0
    for number in range(limit):
        total += number & 7
    return total
def call_out(flag, table):
    while not flag.done:
        table["key"] = str(len(table))
def stay_hot(function, *arguments):
    while True:
        function(*arguments)
"""

DAEMONS = """
switch_on(); ftjit.jit(spin)
threads = [start_thread(spin, flag) for _ in range({count})]
wait_inside(spin, threads={count})
print("inside", flush=True)
"""

SCENARIOS = {
    "daemons_inside": DAEMONS.format(count=2),
    "eight_daemons_inside": DAEMONS.format(count=8),
    "daemons_calling_out": """
switch_on(); ftjit.jit(call_out)
threads = [start_thread(call_out, flag, {}) for _ in range(3)]
wait_inside(call_out); print("inside", flush=True)
""",
    "daemons_entering": """
switch_on(); ftjit.jit(count); ftjit.jit(stay_hot)
threads = [start_thread(stay_hot, count, 50) for _ in range(3)]
wait_compiled(count); time.sleep(0.05); print("inside", flush=True)
""",
    "exit_function": """
switch_on(); ftjit.compile(count, 100)
atexit.register(lambda: print(count(10), flush=True))
print("inside", flush=True)
""",
    "still_compiling": """
switch_on()
for k in range(40):
    scope = {}
    exec(f"def f(n):\\n t = 0\\n for i in range(n):\\n  t += i * {k}\\n return t", scope)
    ftjit.jit(scope["f"]); scope["f"](100); scope["f"](100)
print("inside", flush=True)
""",
    "thread_that_is_not_a_daemon": """
switch_on(); ftjit.jit(spin)
thread = threading.Thread(target=spin, args=(flag,)); thread.start()
wait_inside(spin)
threading.Timer(0.1, lambda: setattr(flag, "done", True)).start()
print("inside", flush=True)
""",
    "system_exit_while_inside": DAEMONS.format(count=2) + "sys.exit(0)\n",
    "disabled_before_exit": DAEMONS.format(count=2) + "ftjit.disable()\n",
    "del_at_shutdown": """
switch_on(); ftjit.compile(count, 100)
class Late:
    def __del__(self): count(1000)
late = Late(); late.self = late; sys.late = late
print("inside", flush=True)
""",
}


@pytest.mark.parametrize("name", list(SCENARIOS))
def test_exit(name: str, tmp_path: Path) -> None:
    script = tmp_path / f"{name}.py"
    script.write_text(PRELUDE + SCENARIOS[name])
    outcome = python(str(script), seconds=15, environment={"FTJIT_VERIFY": "1"})
    assert outcome.returncode == 0, f"{ending(outcome.returncode)}\n{outcome.stdout}{outcome.stderr}"
    assert "inside" in outcome.stdout, outcome.stdout
    assert not outcome.stderr, outcome.stderr


def test_exit_by_unhandled_exception_has_only_that(tmp_path: Path) -> None:
    script = tmp_path / "unhandled.py"
    script.write_text(PRELUDE + DAEMONS.format(count=2) + "raise ZeroDivisionError('the end')\n")
    outcome = python(str(script), seconds=15)
    assert outcome.returncode == 1, f"{ending(outcome.returncode)}\n{outcome.stderr}"
    assert outcome.stderr.strip().splitlines()[-1] == "ZeroDivisionError: the end"
    assert outcome.stderr.count("Traceback") == 1


RANDOM = """
import random
random_source = random.Random({seed})
chance = random_source.random
def stay(limit):
    while not flag.done:
        count(limit)
ftjit.enable()
for function in (spin, count, call_out, stay):
    if chance() < 0.7: ftjit.jit(function)
threads = []
for _ in range(random_source.randrange(4)):
    target, arguments = random_source.choice([(spin, (flag,)), (call_out, (flag, {{}})), (stay, (50,))])
    threads.append(threading.Thread(target=target, args=arguments, daemon=chance() < 0.5))
    threads[-1].start()
if chance() < 0.3:
    for k in range(10):
        scope = {{}}
        exec(f"def f(n):\\n t = 0\\n for i in range(n):\\n  t += i * {{k}}\\n return t", scope)
        ftjit.jit(scope["f"])
        for _ in range(14): scope["f"](100)
time.sleep(chance() * random_source.choice([0.002, 0.05, 0.3]))
if not all(thread.daemon for thread in threads):
    threading.Timer(chance() * 0.2, lambda: setattr(flag, "done", True)).start()
    if chance() < 0.3: ftjit.disable()
print("end", flush=True)
"""


def exits(seeds: range, folder: Path) -> None:
    """Daemon and other threads inside machine code, calling out, entering; compilations under way; any moment. A hang
    shows as SIGABRT after two minutes, with the stacks that faulthandler can tell."""
    for seed in seeds:
        script = folder / f"exit{seed}.py"
        script.write_text(PRELUDE + RANDOM.format(seed=seed))
        outcome = python(str(script), seconds=120)
        told = f"seed {seed}: {ending(outcome.returncode)}\n{outcome.stdout}{outcome.stderr}"
        assert outcome.returncode == 0, told
        assert outcome.stdout == "end\n", told
        assert not outcome.stderr, told


def test_exits_at_random_moments(tmp_path: Path) -> None:
    exits(range(10), tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("hundred", range(5))
def test_hundreds_of_exits(hundred: int, tmp_path: Path) -> None:
    exits(range(1000 + 100 * hundred, 1100 + 100 * hundred), tmp_path)


def test_enabled_when_main_has_ended() -> None:
    """Threads and exit functions that run after the main thread may call everything. What started before main ended
    goes on until its threads have ended too, nothing starts after that, and the process ends as it would."""
    source = """
import atexit, ftjit, sys, threading, time
def f(n):
    t = 0
    for i in range(n):
        t += i
    return t
def late():
    threading.main_thread().join()
    time.sleep(0.05)
    try:
        ftjit.enable()
        ftjit.compile(f, 1000)
    except (ftjit.CompileError, ftjit.UnsupportedPython) as error:
        print(error)
    ftjit.jit(f); ftjit.never(f); ftjit.stats(); ftjit.drain(1); str(ftjit.explain(f))
    print(f(1000))
FIRST
threading.Thread(target=late).start()
if ftjit.stats().enabled:
    atexit.register(ftjit.enable)
"""
    refused = "the interpreter is ending: ftjit does not start any more\n"
    for first, said in (("ftjit.enable()", ""), ("pass", refused)):
        for _ in range(3):
            outcome = python("-c", source.replace("FIRST", first), seconds=20)
            assert outcome.returncode == 0, outcome.stderr
            assert outcome.stdout == f"{said}499500\n", outcome.stdout + outcome.stderr
            assert not outcome.stderr


def test_another_exit_function_fails() -> None:
    """Then the interpreter calls no more of those that belong to `threading`; ftjit is shut down all the same."""
    source = """
import atexit, ftjit, threading
atexit.register(lambda: print(ftjit.api.existing().over, ftjit.api.existing().core.lib.sampler_is_running()))
ftjit.enable()
threading._register_atexit(lambda: 1 // 0)
"""
    outcome = python("-c", source, seconds=20)
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout == "True 0\n", outcome.stdout + outcome.stderr
    assert "ZeroDivisionError" in outcome.stderr
