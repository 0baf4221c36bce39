"""Presets laid over a params file, and those of this project against the schemas."""

import re
import subprocess

import pytest
import yaml

from pipeline.errors import UserError
from pipeline.presets import DEFAULT, choose, main, merge, read_presets
from stages.check import all_blocks, check_schemas
from tests.dependencies import ROOT

PARAMS = """\
# What to run.
model:
  name: small    # the network
  training:
    steps: [0, 1]  # kept
    rate: 0.1
  about: "quoted"
count: null  # all of them
"""
PRESETS = {
    "default": {"model": {"name": "small", "training": {"steps": [0, 1]}}, "count": None},
    "large": {"model": {"name": "big", "training": {"steps": [0, 1, 5]}}},
    "few": {"count": 3},
}
OWN = read_presets(ROOT / "presets")


@pytest.fixture
def params(tmp_path):
    (tmp_path / "presets").mkdir()
    for name, values in PRESETS.items():
        text = yaml.safe_dump(values, default_flow_style=None)
        (tmp_path / "presets" / f"{name}.yaml").write_text(text)
    (tmp_path / "params.yaml").write_text(PARAMS)
    return tmp_path / "params.yaml"


@pytest.fixture
def tracked(params):
    """The params file, committed."""
    git(params, "init", "--quiet")
    git(params, "add", "--all")
    commit(params)
    return params


def git(params, *command):
    who = ["-c", "user.name=Test", "-c", "user.email=test@localhost"]
    subprocess.run(["git", *who, *command], cwd=params.parent, check=True)


def commit(params):
    git(params, "commit", "--quiet", "--all", "--message", "Parameters")


def words(text):
    """Lines without the spaces before their comments, which shift with the values."""
    return [re.sub(r" +#", " #", line) for line in text.splitlines()]


def select(params, name):
    choose(name, params, params.parent / "presets")


def test_values_change_and_comments_stay(params):
    select(params, "large")
    expected = PARAMS.replace("small", "big").replace("[0, 1]", "[0, 1, 5]")
    assert words(params.read_text()) == words(expected)


def test_default_goes_back_to_every_byte(tracked):
    select(tracked, "default")
    assert tracked.read_text() == PARAMS
    select(tracked, "large")
    select(tracked, "default")
    assert tracked.read_text() == PARAMS


def test_one_preset_leaves_nothing_behind_in_the_next(tracked):
    select(tracked, "large")
    commit(tracked)
    select(tracked, "few")
    assert words(tracked.read_text()) == words(PARAMS.replace("null", "3"))


def test_committed_edits_stay(tracked):
    tracked.write_text(PARAMS.replace("rate: 0.1", "rate: 0.5"))
    commit(tracked)
    select(tracked, "large")
    assert "rate: 0.5" in tracked.read_text() and "name: big" in tracked.read_text()


@pytest.mark.parametrize("before", [PARAMS, PARAMS.replace("small", "big")])
def test_edits_that_nobody_holds_are_not_written_over(tracked, before):
    edited = before.replace("rate: 0.1", "rate: 0.5")
    tracked.write_text(edited)
    with pytest.raises(UserError, match=r"params\.yaml has edits that are not committed"):
        select(tracked, "few")
    assert tracked.read_text() == edited


@pytest.mark.parametrize("edit", ["", "  name: own\n"])
def test_preset_that_was_edited_since_is_laid_over_what_it_had_written(tracked, edit):
    choose("large", tracked, tracked.parent / "presets")
    (tracked.parent / "presets" / "large.yaml").write_text("model: {name: huge}\n")
    if edit:
        tracked.write_text(tracked.read_text().replace("  name: big", edit.rstrip()))
        with pytest.raises(UserError, match=r"params\.yaml has edits that are not committed"):
            choose("large", tracked, tracked.parent / "presets")
        return
    choose("large", tracked, tracked.parent / "presets")
    assert "name: huge" in tracked.read_text()


def test_without_git_a_value_of_no_preset_is_not_written_over(params):
    select(params, "large")
    select(params, "few")
    edited = params.read_text().replace("small", "mine")
    params.write_text(edited)
    with pytest.raises(UserError, match="not committed"):
        select(params, "large")
    assert params.read_text() == edited


def test_unknown_preset_is_refused_with_the_nearest(params, capsys):
    assert main(["lagre", "--params", str(params), "--presets", str(params.parent / "presets")]) == 1
    assert "no preset 'lagre'; did you mean 'large'?" in capsys.readouterr().err
    assert params.read_text() == PARAMS


def test_key_that_is_gone_is_named(params):
    params.write_text(PARAMS.replace("  name: small    # the network\n", ""))
    with pytest.raises(UserError, match="lack the key 'name'"):
        select(params, "large")


@pytest.mark.parametrize("name", OWN)
def test_preset_is_valid(name):
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    for changes in (OWN[DEFAULT], OWN[name]):
        merge(values, _plain(changes))
    check_schemas(values, all_blocks(), f"presets/{name}.yaml over params.yaml")


def test_default_holds_each_key_that_a_preset_changes():
    changed = {key for name, preset in OWN.items() if name != DEFAULT for key in _leaves(preset)}
    assert changed == set(_leaves(OWN[DEFAULT]))


@pytest.mark.parametrize("name", [name for name in OWN if name != DEFAULT])
def test_preset_holds_only_what_differs(name):
    default, preset = _leaves(OWN[DEFAULT]), _leaves(OWN[name])
    assert not [key for key, value in preset.items() if default.get(key) == value]


def _leaves(values, prefix=""):
    """Return the values below all blocks by dotted key."""
    found = {}
    for key, value in values.items():
        found |= _leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


def _plain(values):
    return {k: _plain(v) if isinstance(v, dict) else list(v) if isinstance(v, list) else v
            for k, v in values.items()}  # fmt: skip
