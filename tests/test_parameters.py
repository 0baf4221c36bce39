"""Each parameter is read by its stage, and the range that params.yaml states is the schema's."""

import ast
import importlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from stages.check import all_blocks
from tests.completeness import comments
from tests.dependencies import BLOCKS, ROOT, Sources, module_of, parse, read_stages

SOURCES = Sources(ROOT)
STAGES = [module_of(name, entry) for name, entry in read_stages(ROOT / "dvc.yaml").items()]
SAID = comments(ROOT / "params.yaml")
RANGE = re.compile(r"(\d+(?:\.\d+)?) to (below )?(\d+(?:\.\d+)?)")
# Reads the parameter `run` for the stages that import it.
BEGINNING = "stages.beginning"
BOUNDS = {
    "minimum": "low", "exclusiveMinimum": "low", "minLength": "low",
    "maximum": "high", "exclusiveMaximum": "below", "maxLength": "high",
}  # fmt: skip


def fields(block: str) -> dict[str, Any]:
    """Return the JSON schema of each key of a block by its dotted name, those of its parts included."""
    schema = all_blocks()[block].Params.model_json_schema()
    return dict(_properties(block, schema, schema.get("$defs", {})))


def _properties(
    prefix: str, schema: Mapping[str, Any], parts: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    for name, about in schema["properties"].items():
        yield f"{prefix}.{name}", about
        if "$ref" in about:
            yield from _properties(f"{prefix}.{name}", parts[about["$ref"].rpartition("/")[2]], parts)


def stage_module(block: str) -> str:
    return next(module for module in STAGES if importlib.import_module(module).STAGE.block == block)


def bounds(about: Mapping[str, Any]) -> list[dict[str, float]]:
    """Return the ranges that a key's schema allows, one for each type of value that has any."""
    kinds = [
        {BOUNDS[key]: kind[key] for key in BOUNDS if key in kind} for kind in about.get("anyOf", [about])
    ]
    return [kind for kind in kinds if kind]


def stated(comment: str) -> list[dict[str, float]]:
    """Return the ranges that a comment states as "1 to 9" or "0 to below 1"."""
    return [
        {"low": float(low), "below" if below else "high": float(high)}
        for low, below, high in RANGE.findall(comment)
    ]


@pytest.mark.parametrize("block", all_blocks())
def test_every_key_is_read(block):
    """By its name, in the stage or beside the schema, or with the part that it stands in."""
    stage = stage_module(block)
    modules = {stage, f"{BLOCKS}.{block}"} | (SOURCES.imports(stage) & {BEGINNING})
    files = [SOURCES.files[module] for module in modules]
    nodes = [node for file in files for node in ast.walk(parse(file))]
    read = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    whole = {
        node.value.attr
        for node in nodes
        if isinstance(node, ast.Attribute)
        and node.attr == "model_dump"
        and isinstance(node.value, ast.Attribute)
    }
    names = [name.split(".") for name in fields(block)]
    assert not [".".join(name) for name in names if name[-1] not in read and name[-2] not in whole]


@pytest.mark.parametrize("block", all_blocks())
def test_ranges_in_comments_are_those_of_the_schema(block):
    wrong = {
        name: SAID[name]
        for name, about in fields(block).items()
        if (found := stated(SAID.get(name, ""))) and about.get("enum") is None
        if not any(one in bounds(about) for one in found)
    }
    assert not wrong
