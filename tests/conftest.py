"""Shared set-up: `support/` is importable (pytest puts this folder on the path), and the GIL stays off."""

import sys

import pytest


@pytest.fixture(autouse=True, scope="session")
def gil_stays_off():
    """The whole run is worthless if something has switched the GIL on."""
    is_enabled = getattr(sys, "_is_gil_enabled", None)
    before = is_enabled() if is_enabled else True
    yield
    if not before:
        assert not is_enabled(), "something switched the GIL on during the run"
