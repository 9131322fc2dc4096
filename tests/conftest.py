"""`support/` is importable (pytest puts this folder on the path), Ctrl-C comes through, and the GIL stays off."""

import signal
import sys

import pytest

# A shell starts what it runs in the background with SIGINT ignored, which is inherited: the tests of Ctrl-C would send
# it to processes that do not hear it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def gil_stays_off():
    """The whole run is worthless if something has switched the GIL on."""
    is_enabled = getattr(sys, "_is_gil_enabled", None)
    before = is_enabled() if is_enabled else True
    yield
    if not before:
        assert not is_enabled(), "something switched the GIL on during the run"
