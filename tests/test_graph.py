"""dvc.yaml and the stage modules describe the same graph."""

import importlib
from pathlib import Path, PurePosixPath
from typing import Any

import h5py
import pytest
import yaml

from pipeline.params import Block, OptionalBlock, check_block
from stages.check import all_blocks
from stages.command import Stage
from tests.completeness import GATE, optional_stages
from tests.dependencies import ROOT, is_code, module_of, read_stages

STAGES = read_stages(ROOT / "dvc.yaml")
OPTIONAL = optional_stages(STAGES)
DROPPED = {"size", "nfiles"}
# These read every block: one checks them all, the other shows them all.
READ_EVERY_BLOCK = {"check", "report"}
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))


def stage_of(name: str) -> Stage:
    return importlib.import_module(module_of(name, STAGES[name])).STAGE


def paths(entries: list[Any]) -> set[str]:
    """Return the paths of deps, outs or metrics; an entry is a path, or maps one path to its flags."""
    plain = {entry if isinstance(entry, str) else next(iter(entry)) for entry in entries}
    return {_resolve(path) for path in plain}


def overlap(one: str, other: str) -> bool:
    """Tell whether two paths are the same, or one lies inside the other."""
    first, second = PurePosixPath(one), PurePosixPath(other)
    return first.is_relative_to(second) or second.is_relative_to(first)


@pytest.mark.parametrize("name", STAGES)
def test_stage_has_its_own_name_and_block(name):
    stage, entry = stage_of(name), STAGES[name]
    assert stage.name == name
    if name not in READ_EVERY_BLOCK:
        keys = [str(key) for key in entry.get("params", [])]
        assert keys[:1] == ([stage.block] if stage.block else [])
        assert all(key.startswith(f"{stage.block}.") for key in keys[1:])
    assert entry["desc"]
    assert entry["cmd"].startswith("exec "), "without exec, the shell is the stage's parent and outlives DVC"


def test_every_block_is_a_stage_s():
    schemas = {name: module.Params for name, module in all_blocks().items()}
    assert {stage.block: stage.params for stage in map(stage_of, STAGES) if stage.block} == schemas


def test_analyses_beyond_the_spine_may_be_left_out():
    kept = [name for name in OPTIONAL if not issubclass(stage_of(name).params or Block, OptionalBlock)]
    assert not kept, f"their blocks are no OptionalBlock: {kept}"


def test_what_is_left_out_writes_its_outputs_all_the_same(tmp_path, monkeypatch):
    """DVC has no optional stages: without any input there, each output is written, and says what it lacks."""
    monkeypatch.chdir(tmp_path)
    for name in OPTIONAL:
        stage = stage_of(name)
        params = check_block({**PARAMS[stage.block], "run": False}, stage.block, stage.params, source="test")
        outputs = {option: Path(path) for option, path in stage.outputs.items()}
        stage.run(params, {**{option: Path(path) for option, path in stage.inputs.items()}, **outputs})
        assert not [path for path in outputs.values() if not path.exists()]
        for path in outputs.values():
            if path.suffix == ".h5":
                assert h5py.File(path).attrs["status"] == "not run"


@pytest.mark.parametrize("name", STAGES)
def test_no_param_is_invisible_to_the_run_cache(name):
    """DVC's run-cache drops keys called `size` and `nfiles`: a changed value would bring back the old output.

    The dotted name, tracked beside the block, is not dropped.
    """
    stage = stage_of(name)
    if stage.params is not None:
        tracked = {str(key) for key in STAGES[name]["params"]}
        schema = stage.params.model_json_schema()
        own = {f"{stage.block}.{key}" for key in DROPPED & set(schema["properties"])}
        assert own <= tracked, f"rename, or track beside the block: {sorted(own - tracked)}"
        nested = [definition["properties"] for definition in schema.get("$defs", {}).values()]
        assert not [key for properties in nested for key in DROPPED & set(properties)]


@pytest.mark.parametrize("name", [name for name in STAGES if name != "check"])
def test_every_stage_waits_for_the_check(name):
    assert GATE in paths(STAGES[name]["deps"])


def test_stages_stand_in_the_order_in_which_they_run():
    for name, entry in STAGES.items():
        late = {
            other
            for other in list(STAGES)[list(STAGES).index(name) :]
            for out in paths(STAGES[other]["outs"])
            if any(overlap(out, dep) for dep in paths(entry["deps"]))
        }
        assert not late, f"{name} reads what {sorted(late)} write, which stand after it"


@pytest.mark.parametrize("name", STAGES)
def test_deps_are_the_stage_s_inputs(name):
    stage = stage_of(name)
    deps = {dep for dep in paths(STAGES[name]["deps"]) if not is_code(dep) and dep != GATE}
    given = set(stage.inputs.values()) - {"params.yaml"}
    assert not [dep for dep in deps if not any(overlap(dep, path) for path in given)], "no input reads it"
    assert not [path for path in given if not any(overlap(dep, path) for dep in deps)], "not among the deps"


@pytest.mark.parametrize("name", STAGES)
def test_outs_are_the_stage_s_outputs(name):
    stage, entry = stage_of(name), STAGES[name]
    outs = paths([*entry.get("outs", []), *entry.get("metrics", []), *entry.get("plots", [])])
    given = set(stage.outputs.values())
    assert not [out for out in outs if not any(overlap(out, path) for path in given)], "nothing writes it"
    assert not [path for path in given if not any(overlap(out, path) for out in outs)], "not among the outs"


def _resolve(path: str) -> str:
    """Put the values of params.yaml in place of `${block.key}`."""
    while "${" in path:
        before, _, rest = path.partition("${")
        dotted, _, after = rest.partition("}")
        value: Any = PARAMS
        for key in dotted.split("."):
            value = value[key]
        path = f"{before}{value}{after}"
    return path
