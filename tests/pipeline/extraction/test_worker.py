import ast
from pathlib import Path

from pipeline.extraction import worker
from tests.dependencies import Sources

PIPELINE = Path(worker.__file__).parents[1]
SOURCES = Sources(PIPELINE.parent)


def test_the_sources_of_a_shards_key_are_all_that_the_worker_imports():
    found = {
        name.removeprefix("pipeline.")
        for name in SOURCES.closure("pipeline.extraction.worker")
        if SOURCES.files[name].name != "__init__.py"
    }
    assert sorted(found) == sorted([*worker.SOURCES, *worker.WITHOUT_EFFECT])


def test_every_passing_reason_is_one_that_reading_gives():
    given = {"changed"} | {
        node.args[0].value
        for name in (
            "images/decoding",
            "images/image_file",
            "dataset/dataset",
            "dataset/tars",
            "dataset/originals",
        )
        for node in ast.walk(ast.parse((PIPELINE / f"{name}.py").read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ImageError"
        if node.args and isinstance(node.args[0], ast.Constant)
    }
    assert set(worker.PASSING) - {"unreadable"} <= given
