import ast
from pathlib import Path

from pipeline.extraction import shard

PIPELINE = Path(shard.__file__).parents[1]


def test_every_passing_reason_is_one_that_reading_gives():
    given = {"changed"} | {
        node.args[0].value
        for name in (
            "images/decoding",
            "images/guarded",
            "images/image_file",
            "dataset/dataset",
            "dataset/tars",
            "dataset/originals",
        )
        for node in ast.walk(ast.parse((PIPELINE / f"{name}.py").read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ImageError"
        if node.args and isinstance(node.args[0], ast.Constant)
    }
    assert set(shard.PASSING) - {"unreadable"} <= given
