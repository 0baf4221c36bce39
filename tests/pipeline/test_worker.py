import ast
from pathlib import Path

from pipeline import worker

PIPELINE = Path(worker.__file__).parent


def imports(name):
    """Return the modules of the package that a module imports, wherever in it."""
    tree = ast.parse((PIPELINE / f"{name}.py").read_text())
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "pipeline":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("pipeline."):
            found.add(node.module.split(".")[1])
    return found


def test_the_sources_of_a_shards_key_are_all_that_the_worker_imports():
    found, new = set(), {"worker"}
    while new:
        found |= new
        new = {name for module in new for name in imports(module)} - found
    assert sorted(found) == sorted([*worker.SOURCES, *worker.WITHOUT_EFFECT])


def test_every_passing_reason_is_one_that_reading_gives():
    given = {"changed"} | {
        node.args[0].value
        for name in ("image", "image_file", "dataset", "tars", "originals")
        if (PIPELINE / f"{name}.py").exists()
        for node in ast.walk(ast.parse((PIPELINE / f"{name}.py").read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ImageError"
        if node.args and isinstance(node.args[0], ast.Constant)
    }
    assert set(worker.PASSING) - {"unreadable"} <= given
