"""Settings: every one has a variable, defaults hold without, what does not parse is named."""

import dataclasses

import pytest

from ftjit import SettingError, config


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in config.VARIABLES.values():
        monkeypatch.delenv(name, raising=False)


def test_defaults():
    assert config.read() == config.Config()


def test_every_setting_has_a_variable_of_its_own():
    assert set(config.VARIABLES) == {field.name for field in dataclasses.fields(config.Config)}
    assert len(set(config.VARIABLES.values())) == len(config.VARIABLES)
    assert all(name == "FTJIT" or name.startswith("FTJIT_") for name in config.VARIABLES.values())


@pytest.mark.parametrize("name", config.VARIABLES)
def test_each_variable_is_read(name, monkeypatch):
    default = getattr(config.Config(), name)
    text, value = {
        bool: ("1", True),
        int: ("17", 17),
        frozenset: ("one,two three", frozenset({"one", "two", "three"})),
    }[type(default)]
    monkeypatch.setenv(config.VARIABLES[name], text)
    found = config.read()
    assert getattr(found, name) == value != default
    assert dataclasses.replace(found, **{name: default}) == config.Config()


@pytest.mark.parametrize("text", ["", "0", "no", "off", "false", " FALSE ", "Off"])
def test_words_for_no(text, monkeypatch):
    monkeypatch.setenv("FTJIT_VERIFY", text)
    assert config.read().verify is False


@pytest.mark.parametrize("text", ["1", "yes", "on", "true", "x"])
def test_words_for_yes(text, monkeypatch):
    monkeypatch.setenv("FTJIT_VERIFY", text)
    assert config.read().verify is True


@pytest.mark.parametrize("text", ["many", "1.5", "", "1e3"])
def test_what_does_not_parse_is_named(text, monkeypatch):
    monkeypatch.setenv("FTJIT_TICK_US", text)
    with pytest.raises(ValueError, match="FTJIT_TICK_US") as caught:
        config.read()
    assert "\n" not in str(caught.value)


def test_a_word_that_means_nothing_is_named(monkeypatch):
    monkeypatch.setenv("FTJIT_BARRIER", "fences")
    with pytest.raises(SettingError, match="FTJIT_BARRIER: there is no 'fences', only fence, membarrier"):
        config.read()


def test_settings_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.read().relearn = 1


@pytest.mark.parametrize("name", config.VARIABLES)
def test_each_setting_is_an_argument(name, monkeypatch):
    value, other = {
        bool: (True, "0"),
        int: (17, "19"),
        frozenset: (frozenset({"one", "two"}), "three"),
    }[type(getattr(config.Config(), name))]
    monkeypatch.setenv(config.VARIABLES[name], other)
    assert getattr(config.read({name: value}), name) == value
    assert getattr(config.read(), name) != value


def test_names_as_text_or_any_collection():
    assert config.read({"only": "one, two"}) == config.read({"only": ["one", "two"]})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"hot_sample": 3}, "settings: there is no 'hot_sample', only tick_us, hot_samples"),
        ({"hot_samples": 0}, "hot_samples=0: it must be between 1 and 1000000"),
        ({"hot_samples": 1.5}, "hot_samples=1.5: it must be a whole number"),
        ({"hot_samples": True}, "hot_samples=True: it must be a whole number"),
        ({"verify": 1}, "verify=1: it must be True or False"),
        ({"only": 7}, "only=7: it must be names"),
        ({"only": [7]}, r"only=\[7\]: it must be names"),
    ],
)
def test_an_argument_that_makes_no_sense_is_named(given, words):
    with pytest.raises(SettingError, match=f"^{words}"):
        config.read(given)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("FTJIT_THREADS", "FTJIT_COMPILE_THREADS"), ("FTJIT_TICKS", "FTJIT_TICK_US"), ("FTJIT_VERFY", "FTJIT_VERIFY")],
)
def test_a_variable_that_is_almost_one(name, meant, monkeypatch):
    monkeypatch.setenv(name, "1")
    assert config.slips() == [f"{name} is no setting of ftjit's: is {meant} meant?"]


@pytest.mark.parametrize(
    "name",
    [
        *config.VARIABLES.values(),
        "FTJIT_CACHE",
        "FTJIT_PYTHON",
        "FTJIT_BARRIER",
        "FTJIT_TEST_CHILD",
        "FTJIT_TEST_FULL",
        "FTJIT_TORTURE_POINT",
        "FTJIT_STRESS_PATIENCE",
        "FTJIT_UPDATE_GOLDEN",
        "FTJIT_COLOURS",
        "FTJIT",
    ],
)
def test_what_is_meant_is_no_slip(name, monkeypatch):
    monkeypatch.setenv(name, "1")
    assert config.slips() == []
