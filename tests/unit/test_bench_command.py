"""The whole command, in real processes, with a stand-in for ftjit that does as a test tells it."""

import json
import os
import re
import sys

import pytest
from ftjit_bench import catalog, cold_cost, entry_cost, main, page, scaling_cost
from ftjit_bench.confidence import Interval

STAND_IN = '''
import os
import sys
import types

if os.environ.get("FAKE_MISSING"):
    raise ModuleNotFoundError("No module named 'ftjit'", name="ftjit")
modes = []
asked = 0


def enable(mode="auto"):
    modes.append(mode)
    assert mode in ("auto", "eager")
    if os.environ.get("FAKE_ERROR"):
        raise RuntimeError(os.environ["FAKE_ERROR"])
    if os.environ.get("FAKE_CRASH"):
        os.kill(os.getpid(), 11)
    if os.environ.get("FAKE_WRONG"):
        from ftjit_bench.programs import sieve

        right = sieve.run
        sieve.run = lambda size: right(size) + 1


def stats():
    global asked
    asked += 1
    values = dict.fromkeys("""executors_swapped executors_retired executors_freed limbo_bytes epoch
        exits compile_seconds compile_errors""".split(), 0)
    values.update(entries=asked * int(os.environ["FAKE_ENTRIES"]), deopts={"type": 2}, executors_installed=1,
                  code_bytes=4096)
    return types.SimpleNamespace(to_dict=lambda: values, **values)


def disable():
    pass


def drain(timeout=None):
    return True


def never(function):
    return function


def compile(function, *arguments):
    return None


def is_compiled(function):
    return True


class Library:
    def measure_entering(self, form, turns):
        return 1.0 + form

    def door_enable(self, on):
        pass

    def sampler_pause(self, on):
        pass


runtime = types.ModuleType("ftjit.runtime")
runtime.core = types.ModuleType("ftjit.runtime.core")
runtime.core.core = lambda: types.SimpleNamespace(lib=Library())
sys.modules |= {"ftjit.runtime": runtime, "ftjit.runtime.core": runtime.core}
'''


@pytest.fixture(autouse=True)
def stand_in(tmp_path, monkeypatch):
    """Put the stand-in first on the path of child processes, and make the programs tiny."""
    folder = tmp_path / "stand_in"
    folder.mkdir()
    (folder / "ftjit.py").write_text(STAND_IN)
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    monkeypatch.setenv("PYTHONPATH", path)
    monkeypatch.setenv("FAKE_ENTRIES", "1000000")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(catalog.load("sieve").SIZES, "quick", 2000)
    monkeypatch.setitem(catalog.load("nbody").SIZES, "quick", 10)


def run(*arguments):
    return main.main(["--quick", "--rounds", "1", *arguments])


def test_good_run(tmp_path, capsys):
    file = tmp_path / "out.json"
    assert run("--threads", "1,2", "--json", str(file), "sieve", "nbody") == 0
    output, errors = capsys.readouterr()
    assert len(re.findall(r"^(sieve|nbody) .* ✓( unsteady)?$", output, re.MULTILINE)) == 4
    assert "geometric mean" in output
    assert sys.version.split()[0] in output
    assert "[8/8]" in errors
    assert "\x1b" not in output + errors
    content = json.loads(file.read_text())
    assert [row["checksums_equal"] for row in content["summary"]["rows"]] == [True] * 4
    assert content["summary"]["problems"] == []
    assert len(content["samples"]) == 8
    assert {sample["request"]["mode"] for sample in content["samples"]} == {"interpreter", "ftjit"}
    for sample in content["samples"]:
        assert (sample["counters"] is None) == (sample["request"]["mode"] == "interpreter")
        assert len(sample["seconds"]) == 2
        assert min(sample["seconds"]) > 0
        assert sample["checksums"] == [repr(catalog.load(sample["request"]["program"]).run(sample["request"]["size"]))]


def test_no_machine_code_fails(monkeypatch, capsys):
    monkeypatch.setenv("FAKE_ENTRIES", "0")
    assert run("--threads", "1", "sieve") == 1
    output, errors = capsys.readouterr()
    assert "no machine code ran" in output
    assert "sieve, 1 threads, ftjit: no machine code ran" in errors


def test_wrong_result_fails(monkeypatch, capsys):
    monkeypatch.setenv("FAKE_WRONG", "1")
    assert run("--threads", "1", "sieve") == 1
    output, errors = capsys.readouterr()
    assert "✗" in output
    assert "sieve: the checksums differ" in errors


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("FAKE_CRASH", "the process crashed with SIGSEGV"),
        ("FAKE_ERROR", "RuntimeError: 1"),
        ("FAKE_MISSING", "ftjit is not installed for this interpreter"),
    ],
)
@pytest.mark.parametrize("measure", ["speed", "entry", "cold", "wide", "limbo", "scaling"])
def test_failing_process_is_one_clear_line(monkeypatch, capsys, variable, words, measure):
    monkeypatch.setenv(variable, "1")
    assert run("--threads", "1", "--measure", measure, "sieve") == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("ftjit bench:")]
    assert words in line


def test_interpreter_alone_needs_no_ftjit(monkeypatch, capsys):
    monkeypatch.setenv("FAKE_MISSING", "1")
    assert run("--threads", "1", "--modes", "interpreter", "sieve") == 0
    assert "✓" in capsys.readouterr().out


def test_rounds_alternate_the_order(tmp_path):
    file = tmp_path / "out.json"
    assert main.main(["--quick", "--rounds", "2", "--threads", "1", "--json", str(file), "sieve"]) == 0
    modes = [sample["request"]["mode"] for sample in json.loads(file.read_text())["samples"]]
    assert modes == ["interpreter", "ftjit", "ftjit", "interpreter"]


def test_warms_up_until_steady(tmp_path):
    file = tmp_path / "out.json"
    assert run("--threads", "1", "--json", str(file), "sieve", "nbody") == 0
    for sample in json.loads(file.read_text())["samples"]:
        assert len(sample["warm_up"]) >= 2
        assert sample["first_seconds"] == sample["warm_up"][0]
        if sample["steady"]:
            assert sample["warm_up"][-1] >= 0.95 * min(sample["warm_up"][:-1])


def test_budget_ends_after_a_whole_round(monkeypatch, tmp_path):
    monkeypatch.setitem(main.SETTINGS, "quick", (3, 2, 0.0, 1.0, 60.0))
    file = tmp_path / "out.json"
    assert main.main(["--quick", "--threads", "1,2", "--json", str(file), "sieve"]) == 0
    samples = json.loads(file.read_text())["samples"]
    assert len(samples) == 4
    for sample in samples:  # with no time left, each process does the least there is
        assert (len(sample["warm_up"]), len(sample["seconds"]), sample["steady"]) == (1, 1, False)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "no program 'nothing'; there are: mandelbrot,"),
        (["--threads", "0"], "'0' is not a whole number above zero"),
        (["--modes", "fast"], "no mode 'fast'; there are: interpreter, ftjit, eager"),
        (["--json", "nowhere/out.json"], "no folder nowhere to write out.json in"),
    ],
)
def test_mistakes_are_one_line_and_status_2(capsys, arguments, words):
    assert main.main(arguments) == 2
    assert words in capsys.readouterr().err


def test_html_without_matplotlib_names_the_extra(monkeypatch, capsys):
    monkeypatch.setattr(page, "can_draw", lambda: False)
    assert main.main(["--html", "out.html"]) == 2
    assert "ftjit[bench]" in capsys.readouterr().err


def test_html_is_self_contained(tmp_path):
    pytest.importorskip("matplotlib")
    file = tmp_path / "out.html"
    assert run("--threads", "1,2", "--html", str(file), "sieve", "nbody") == 0
    text = file.read_text(encoding="utf-8")
    assert text.count("<svg") == 2
    assert "machine code ran in every ftjit process" in text
    assert sys.version.split()[0] in text
    assert not re.search(r"<(script|link|img|iframe)\b|(?<!xlink:)\bsrc=|url\(http", text)
    ids = re.findall(r'\bid="([^"]+)"', text)
    references = re.findall(r'(?:href="#|url\(#)([^")]+)', text)
    assert references
    assert set(references) <= set(ids)
    assert all(ids.count(reference) == 1 for reference in references)


def test_entry_cost(capsys, tmp_path):
    file = tmp_path / "out.json"
    assert run("--measure", "entry", "--json", str(file)) == 1  # of three turns
    output = capsys.readouterr().out
    assert "costs less than 20 ns: undecided" in output
    assert "cost of entering machine code" in output
    assert re.search(r"^reclamation alone, of one entry +1\.0 ns", output, re.MULTILINE)
    assert len(json.loads(file.read_text())["answers"]["ftjit"]) == 3


@pytest.mark.parametrize(
    ("low", "high", "outcome"), [(14.0, 19.9, "holds"), (14.0, 20.1, "undecided"), (20.1, 26.0, "does not hold")]
)
def test_entry_cost_is_judged_by_its_interval(low, high, outcome):
    assert entry_cost.judge(Interval(17.0, low, high, 9)).startswith(outcome)


def test_entry_cost_fails_if_not_every_call_entered(monkeypatch, capsys):
    monkeypatch.setenv("FAKE_ENTRIES", "10")
    assert run("--measure", "entry") == 1
    assert "only 10 entries in 200,000 calls" in capsys.readouterr().err


def test_cold_cost_of_one_pair_is_undecided(capsys, tmp_path):
    file = tmp_path / "out.json"
    assert run("--measure", "cold", "--json", str(file)) == 1
    output = capsys.readouterr().out
    assert "undecided" in output
    assert "Checksums ✓" in output
    answers = [answer for pair in json.loads(file.read_text())["pairs"] for answer in pair]
    expected = catalog.load("cold").run(catalog.load("cold").SIZES["quick"])
    assert [answer["checksum"] for answer in answers] == [expected] * 4  # a pair in each order
    assert all(answer["counters"]["executors_installed"] == 1 for answer in answers)
    assert all(answer[state]["wall"] > 0 for answer in answers for state in ("on", "off"))


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [(0.99, 1.009, "holds"), (1.011, 1.02, "does not hold"), (0.99, 1.02, cold_cost.UNDECIDED)],
)
def test_cold_cost_verdict(low, high, outcome):
    assert cold_cost.judge(Interval(1.0, low, high, 30)) == outcome


def scaling_answers(**changed):
    """What every program answers, mandelbrot with ftjit something else."""
    fine = {"pairs": [[1.9, 1.95]] * 7, "checksums": ["1"], "entries": 5}
    answers = {(p.name, mode): fine for p in catalog.HOT_PROGRAMS for mode in ("interpreter", "ftjit")}
    return answers | {("mandelbrot", "ftjit"): fine | changed}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, None),
        ({"pairs": [[1.7, 1.75]] * 7}, None),
        ({"pairs": [[1.7, 2.0]] * 7}, "mandelbrot: two threads do 0.85"),
        ({"checksums": ["2"]}, "mandelbrot, ftjit: the checksums differ"),
        ({"entries": 0}, "mandelbrot: no machine code ran"),
    ],
)
def test_scaling_verdict(changed, words):
    found = scaling_cost.faults(scaling_answers(**changed))
    assert len(found) == (words is not None)
    assert words is None or found[0].startswith(words)
