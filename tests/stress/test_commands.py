"""`python -m ftjit stress` and `soak` as a user types them."""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from ftjit_stress import main, soak
from ftjit_stress.harness.catalogue import modules
from ftjit_stress.harness.messages import Request

SHORT = ["--only", "neighbours", "--seconds", "0.3", "--seed", "9"]


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["--list"]) == 0
    out = capsys.readouterr().out
    assert "message_passing" in out
    assert "swap_storm" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "nix"], "no scenario 'nix'; --list names them"),
        (["--nemesis", "hydra"], "no nemesis 'hydra'"),
        (["--json", "/no/such/folder/x.json"], "no folder /no/such/folder"),
        (["--seconds", "-1"], "'-1' is not a number of seconds"),
        (["--shard", "3/2"], "'3/2' is not I/N"),
        (["--mode", "fast"], "invalid choice: 'fast'"),
        (["--shard", "900/900"], "nothing to run"),
    ],
)
def test_mistakes_are_clear(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_both_modes_side_by_side_and_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = ["--json", str(tmp_path / "run.json")]
    drawn = importlib.util.find_spec("matplotlib") is not None
    if drawn:
        files += ["--html", str(tmp_path / "run.html")]
    assert main.main([*SHORT, *files]) == 0
    captured = capsys.readouterr()
    assert "seed 9" in captured.err
    assert "2 runs: 2 held; with machine code 0 forbidden in" in captured.out
    content = json.loads((tmp_path / "run.json").read_text())
    assert content["held"] is True
    assert [run["mode"] for run in content["runs"]] == ["interpreter", "ftjit"]
    assert content["runs"][1]["answer"]["counters"]["entries"] > 0
    if drawn:
        page = (tmp_path / "run.html").read_text()
        assert page.count("<svg") == 3
        assert not re.search(r"""(src|href)=["']?https?:|url\(["']?https?:""", page)


def test_html_without_matplotlib(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(main.page, "can_draw", lambda: False)
    assert main.main([*SHORT, "--html", "x.html"]) == 2
    assert "--html needs matplotlib" in capsys.readouterr().err


def test_shards_cover_everything_once() -> None:
    plans = [main.plan_of(main.make_parser().parse_args(["--shard", f"{n}/3"])) for n in (1, 2, 3)]
    names = [request.scenario for plan in plans for request in plan.requests() if request.mode == "ftjit"]
    assert sorted(names) == sorted(main.modules())


def soaking(state: Path, seconds: float = 0.3) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "ftjit", "soak", "--state", str(state), "--only", "neighbours"]
    command += ["--seconds", str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_soak_stops_at_ctrl_c_and_goes_on(tmp_path: Path) -> None:
    state = tmp_path / "soak.json"
    rounds = []
    for _ in range(2):
        process = soaking(state)
        deadline = time.monotonic() + 60
        before = rounds[-1] if rounds else 0
        while not (state.exists() and json.loads(state.read_text())["round"] > before) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0, out + err
        assert "stopping" in out
        assert "Traceback" not in err
        rounds.append(json.loads(state.read_text())["round"])
    assert rounds[0] < rounds[1]


def test_ctrl_c_does_not_wait_for_a_run(tmp_path: Path) -> None:
    state = tmp_path / "soak.json"
    process = soaking(state, seconds=100)
    assert process.stdout is not None
    assert "Ctrl-C stops it" in process.stdout.readline()
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, out + err
    assert json.loads(state.read_text())["runs"] == 0
    assert not (tmp_path / "soak-findings").exists()


def test_a_soak_is_the_seeds(tmp_path: Path) -> None:
    state = soak.State(seed=3, round=4)
    once, again = (list(soak.requests_of(state, ["coherence", "fork"], 1.0)) for _ in range(2))
    assert once == again
    state.round = 5
    assert once != list(soak.requests_of(state, ["coherence", "fork"], 1.0))


def test_a_soak_goes_on_in_the_midst_of_a_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped after three runs of a round it does the rest of it, each run once, and then the next round."""
    file, ran = tmp_path / "soak.json", []

    def carry_out(requests: Sequence[Request], jobs: int, report: object) -> None:
        if len(ran) == 3 and "again" not in ran:
            ran.append("again")
            raise KeyboardInterrupt
        ran.extend(request.scenario for request in requests)

    monkeypatch.setattr(soak, "carry_out", carry_out)
    arguments = argparse.Namespace(only=[], seconds=1.0, jobs=1, state=file)
    deadline = time.monotonic() + 60
    names = list(modules())
    with pytest.raises(KeyboardInterrupt):
        soak.soak_round(soak.State(seed=1), names, arguments, deadline)
    state = soak.State.read(file)
    assert (state.round, state.done) == (0, 3)
    soak.soak_round(state, names, arguments, deadline)
    ran.remove("again")
    assert sorted(ran) == sorted(names)
    assert (state.round, state.done) == (1, 0)


def test_soak_keeps_findings(tmp_path: Path, stress) -> None:
    state = soak.State(seed=1)
    soak.took_in(state, stress("planted:FORBIDDEN", "interpreter", seconds=0.1), tmp_path / "soak.json")
    assert len(state.findings) == 1
    folder = Path(state.findings[0])
    assert "as it should not be" in (folder / "README.txt").read_text()
    assert json.loads((folder / "verdict.json").read_text())["status"] == "forbidden"
    assert "1 findings" in soak.summary(state)


def test_soak_refuses_a_strange_state(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.json").write_text('{"hello": 1}')
    assert soak.main(["--state", str(tmp_path / "notes.json")]) == 2
    assert "is not the state of a soak" in capsys.readouterr().err
