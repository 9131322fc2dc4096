"""The reclamation core in C, without Python: whole under each sanitizer, and broken, one place at a time."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

from model.breaks import BREAKS as OF_THE_MODEL  # noqa: E402
from torture import run  # noqa: E402
from torture.breaks import BREAKS  # noqa: E402
from torture.build import SANITIZERS, TortureError, build, compiler_for  # noqa: E402

QUICK = [
    run.Setting("none", "membarrier", "storm"),
    run.Setting("none", "fence", "tight"),
    run.Setting("address", "fence", "storm"),
    run.Setting("undefined", "membarrier", "storm"),
    run.Setting("thread", "fence", "storm"),
    run.Setting("address", "dense", "heap"),
    run.Setting("thread", "sealed", "heap"),
]
QUICK_CONTROLS = ["nested_pin", "dead_record_early", "leave_release"]


def needs(sanitizer: str) -> None:
    try:
        compiler_for(sanitizer)
    except TortureError as error:
        pytest.skip(str(error))


def assert_whole(setting: run.Setting, seconds: float, seed: int) -> None:
    """Nothing is found, and enough has happened: executors swapped and freed, forks, threads that ended."""
    needs(setting.sanitizer)
    outcome = run.run_once(setting, seconds, seed, build(setting.sanitizer, unit=setting.unit))
    assert not outcome.caught, f"seed {seed}: {outcome.caught}\n{outcome.output}"
    report = outcome.report
    if setting.unit == "heap":
        assert min(int(str(report[key])) for key in ("entered", "swaps", "freed", "forks")) > 10, report
        return
    assert report["freed"] == report["retired"], report
    assert min(int(str(report[key])) for key in ("entered", "swaps", "freed", "advances")) > 10, report
    assert report["asymmetric"] == (setting.form == "membarrier"), report
    if setting.scenario == "storm":
        assert report["forks"], report
        assert report["threads_ended"], report


@pytest.mark.threads
@pytest.mark.parametrize("setting", QUICK, ids=lambda setting: "-".join(vars(setting).values()))
def test_nothing_is_found(setting: run.Setting) -> None:
    assert_whole(setting, 1.0, 11)


@pytest.mark.full
@pytest.mark.threads
@pytest.mark.parametrize("setting", [s for each in run.SETTINGS.values() for s in each], ids=str)
def test_nothing_is_found_for_long(setting: run.Setting) -> None:
    assert_whole(setting, 30.0, 1011)


def assert_caught(tag: str, limit: float) -> None:
    for setting in run.TRIALS_OF.get(tag, run.TRIALS):
        needs(setting.sanitizer)
    result = run.control(tag, limit, 1)
    assert result.caught, f"{BREAKS[tag]}: not found within {result.seconds:.0f} s"


@pytest.mark.threads
@pytest.mark.parametrize("tag", QUICK_CONTROLS)
def test_a_broken_protocol_is_caught(tag: str) -> None:
    assert_caught(tag, 40.0)


@pytest.mark.full
@pytest.mark.threads
@pytest.mark.parametrize("tag", [tag for tag in BREAKS if tag not in run.MODEL_ONLY])
def test_every_control_is_caught(tag: str) -> None:
    assert_caught(tag, 300.0)


@pytest.mark.parametrize("sanitizer", SANITIZERS)
def test_nothing_is_freed_without_a_barrier(sanitizer: str) -> None:
    """A sandbox that forbids membarrier after the start: memory is held, and counted."""
    needs(sanitizer)
    environ = {**run.OPTIONS, "FTJIT_BARRIER": "", "ASAN_OPTIONS": "detect_leaks=0"}
    answer = subprocess.run([build(sanitizer), "--sandbox"], env=environ, capture_output=True, text=True, timeout=60)
    if answer.returncode == 77:
        pytest.skip("no membarrier, or no seccomp")
    assert answer.returncode == 0, answer.stderr
    assert "barriers_refused" in answer.stdout


def tags_in(files: list[Path]) -> set[str]:
    text = "".join(file.read_text() for file in files)
    return set(re.findall(r"\bBROKEN\((\w+)\)", text)) | set(re.findall(r"\bORDER\(\w+, (\w+)\)", text))


def test_every_control_is_in_the_code_and_every_one_in_the_code_is_a_control() -> None:
    core = [path for pattern in ("*.c", "*.h") for path in (REPOSITORY / "cdefs").glob(pattern)]
    actors = [path for pattern in ("*.c", "*.h") for path in (REPOSITORY / "torture").glob(pattern)]
    assert tags_in(core + actors) - {"tag"} == set(BREAKS)
    assert set(run.MODEL_ONLY) | set(run.TRIALS_OF) <= set(BREAKS)


def test_what_cannot_show_here_is_a_switch_of_the_model_which_knows_no_other_controls() -> None:
    switches = {entry.tag for entry in OF_THE_MODEL if entry.in_c}
    assert switches >= run.MODEL_ONLY
    assert switches <= set(BREAKS)


def test_every_control_is_in_the_readme() -> None:
    page = (REPOSITORY / "torture" / "README.md").read_text()
    assert {tag for tag in BREAKS if f"`{tag}`" not in page} == set()


def test_a_normal_build_has_no_trace_of_torture(tmp_path: Path) -> None:
    needs("none")
    for unit in ("epoch", "record"):
        made = tmp_path / f"{unit}.o"
        source = REPOSITORY / "cdefs" / f"{unit}.c"
        subprocess.run([compiler_for("none"), "-std=gnu11", "-O2", "-c", source, "-o", made], check=True)
        names = subprocess.run(["nm", made], check=True, capture_output=True, text=True).stdout
        assert "reclaim" in names or "record_register" in names
        assert "torture" not in names
        assert "early" not in names


def test_a_wrong_tag_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run.main(["--break", "no_such"])
    assert stopped.value.code == 2
    assert "there is no control 'no_such'" in capsys.readouterr().err


def test_without_a_compiler_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(TortureError, match="apt-get install clang-19"):
        build("thread")
