"""The benchmark programs compute what they say, the same in every thread, and know nothing about ftjit."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ftjit_bench import catalog, script
from ftjit_bench.programs import (
    cold,
    fannkuch,
    float_recurrence,
    int_recurrence,
    mandelbrot,
    matrix_product,
    nbody,
    shared_class,
    sieve,
    spectral_norm,
)

FOLDER = Path(catalog.__file__).parent / "programs"
SMALL = {
    "mandelbrot": (12, 13),
    "sieve": (500, 600),
    "spectral_norm": (10, 11),
    "matrix_product": (8, 9),
    "int_recurrence": (20, 21),
    "float_recurrence": (20, 21),
    "nbody": (10, 11),
    "fannkuch": (200, 201),
    "shared_class": (20, 21),
    "word_count": (2000, 4000),
    "edit_distance": (8, 20),
    "shortest_paths": (4, 5),
    "json_text": (3, 4),
    "bank": (50, 60),
    "least_recently_used": (50, 60),
    "game_of_life": (3, 4),
    "tokens": (4, 5),
    "complex_plane": (6, 7),
    "reports": (20, 30),
    "queens": (5, 6),
    "cold": (2, 3),
}


def test_every_file_is_in_the_catalogue():
    files = {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}
    assert files == set(catalog.BY_NAME) == set(SMALL)


@pytest.mark.parametrize("name", SMALL)
def test_same_checksum_every_time_and_in_every_thread(name):
    program = catalog.load(name)
    size, other_size = SMALL[name]
    alone = program.run(size)
    assert isinstance(alone, (int, float, str))
    assert script.run_in_threads(program.run, size, 4) == [alone] * 4
    assert program.run(other_size) != alone


@pytest.mark.parametrize("name", SMALL)
def test_sizes_and_docstring(name):
    program = catalog.load(name)
    assert set(program.SIZES) == {"quick", "full"}
    assert program.SIZES["quick"] < program.SIZES["full"]
    assert "size" in program.__doc__
    assert "ftjit" not in (FOLDER / f"{name}.py").read_text()


@pytest.mark.parametrize("name", [*(program.name for program in catalog.HOT_PROGRAMS), "bank", "cold"])
def test_runs_as_a_script_without_the_package(name, tmp_path):
    size = SMALL[name][0]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [
        sys.executable,
        str(FOLDER / f"{name}.py"),
        "--size",
        str(size),
        "--threads",
        "2",
        "--repeat",
        "2",
    ]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    checksum = catalog.load(name).run(size)
    lines = [f"repeat {r} thread {t} checksum {checksum!r}" for r in (1, 2) for t in (1, 2)]
    assert (done.returncode, done.stdout.splitlines(), done.stderr) == (0, lines, "")


def test_script_refuses_a_bad_size_in_one_line(capsys):
    with pytest.raises(SystemExit) as exit_:
        script.main(sieve.run, sieve.SIZES, ["--size", "many"])
    assert exit_.value.code == 2
    assert "'many' is not a whole number above zero" in capsys.readouterr().err


def test_failure_in_a_thread_is_raised():
    def fail(size):
        raise ZeroDivisionError(size)

    with pytest.raises(ZeroDivisionError):
        script.run_in_threads(fail, 1, 2)


def test_sieve_finds_the_primes():
    assert sieve.find_primes(30) == [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]
    assert len(sieve.find_primes(1000)) == 168


def test_mandelbrot_escape_times():
    assert mandelbrot.escape_time(0.0, 0.0, 50) == 50
    assert mandelbrot.escape_time(-1.0, 0.0, 50) == 50  # 0, -1, 0, -1, ... stays
    assert mandelbrot.escape_time(1.0, 0.0, 50) == 3  # 0, 1, 2 are within 2; then 5


def test_spectral_norm_has_the_published_value():
    assert f"{spectral_norm.run(100):.4f}" == "1.2742"


def test_matrix_product_of_small_matrices():
    assert matrix_product.multiply([[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]) == [
        [19.0, 22.0],
        [43.0, 50.0],
    ]


def test_collatz_length_of_27_is_111():
    assert int_recurrence.collatz_length(27) == 111


def test_logistic_map_by_hand(monkeypatch):
    monkeypatch.setattr(float_recurrence, "STEPS", 1)
    # r is 2.8 alone, so x becomes 2.8 / 4: one crossing at height 0.7
    assert float_recurrence.run(1) == 2.8 * 0.5 * 0.5 + 1


def test_nbody_has_the_published_energies():
    bodies = nbody.make_bodies()
    pairs = list(nbody.combinations(bodies, 2))
    assert f"{nbody.energy(bodies, pairs):.9f}" == "-0.169075164"
    nbody.advance(bodies, pairs, 0.01, 1000)
    assert f"{nbody.energy(bodies, pairs):.9f}" == "-0.169087605"


def test_fannkuch_has_the_published_values(monkeypatch):
    monkeypatch.setattr(fannkuch, "LENGTH", 7)
    assert fannkuch.run(5040) == "228/16"


def test_balls_stay_in_the_box_and_bounce():
    ball = shared_class.Ball(10, 10, -7, 3)
    for _ in range(500):
        ball.move(shared_class.BOX)
        assert shared_class.BOX.contains(ball.x, ball.y)
    assert ball.bounces > 0


def test_cold_program_notices_a_reader_that_lies(monkeypatch):
    import json

    monkeypatch.setattr(json, "loads", lambda text: [])
    with pytest.raises(ValueError, match="json does not read back"):
        cold.run(2)
