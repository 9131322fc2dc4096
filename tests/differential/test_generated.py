"""Generated programs do with ftjit what they do without. `FTJIT_TEST_FULL=N` tries N fresh ones."""

import random

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from support.child import Server
from support.differential import VARIABLES, differences
from support.examples import FULL
from support.generator import programs

SHARDS = 4
EXAMPLES = (FULL or 40) // SHARDS


@pytest.mark.parametrize("shard", range(SHARDS))
def test_same_as_the_interpreter(shard):
    plain, hot = Server("plain", VARIABLES), Server("ftjit", VARIABLES)
    count = {"programs": 0, "in machine code": 0, "raised": 0}

    @hypothesis.seed(random.randrange(2**63) if FULL else shard)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(programs(60 if FULL else 12))  # compiling long ones takes long
    def compare(program):
        request = {"source": program.source, "hot": "hot", "warm": program.warm, "then": program.then}
        expected, got = plain.ask(request), hot.ask(request)
        assert "fault" not in expected, expected["fault"]
        assert "fault" not in got, got["fault"]
        assert got["compile_errors"] == 0, got["explain"]
        found = differences(expected, got)
        assert not found, "\n".join(found)
        count["programs"] += 1
        count["in machine code"] += bool(got["entries"])
        count["raised"] += any("raised" in text for step in expected["recorded"].values() for text in step)

    try:
        compare()
    finally:
        plain.close()
        hot.close()
    # A check that compares the interpreter with itself, or nothing but errors, would be worth nothing.
    assert count["programs"] >= EXAMPLES * 0.8
    assert count["in machine code"] > 0.7 * count["programs"]
    assert 0 < count["raised"] < count["programs"]
