"""In small what `bench --measure limbo` shows with 100,000 executors."""

import json

import pytest
from support.child import run_python


@pytest.mark.threads
def test_limbo_beside_a_parked_thread_is_bounded(tmp_path):
    file = tmp_path / "limbo.json"
    child = run_python(
        ["-m", "ftjit", "bench", "--measure", "limbo", "--rounds", "800", "--json", str(file)], timeout=60
    )
    assert child.returncode == 0, child.stdout + child.stderr
    answer = json.loads(file.read_text())["answer"]
    assert answer["freed"] >= answer["installed"] == 800
    assert answer["entries"] > 800
