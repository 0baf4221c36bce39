import ast
from pathlib import Path

import numpy as np
import torch

from pipeline.extraction import shard
from pipeline.extraction.reduction import Reduced
from pipeline.layers.batches import Batch
from tests.small.extraction import PREPROCESSING

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


class Engine:
    """Says when a batch is sent to the network and when its numbers are asked for."""

    device = torch.device("cpu")

    def __init__(self, seen):
        self.seen, self.count = seen, 0

    def run(self, inputs):
        number, self.count = self.count, self.count + 1
        self.seen.append(f"run {number}")
        reduced = Reduced()
        reduced.fetched = lambda: self.seen.append(f"fetch {number}") or reduced
        return reduced


def decoded(seen):
    pixels, digest = np.zeros((2, 4, 4, 3), np.uint8), np.zeros((2, 16), np.uint8)
    for number in range(3):
        seen.append(f"decode {number}")
        yield Batch([0, 1], pixels, digest + number, PREPROCESSING)


def test_a_batch_is_computed_while_the_next_is_decoded_and_fetched_before_that_is_sent():
    seen = []
    found = list(shard.reduced(Engine(seen), decoded(seen)))
    middle = ["run 0", "decode 1", "fetch 0", "run 1", "decode 2", "fetch 1", "run 2"]
    assert seen == ["decode 0", *middle, "fetch 2"]
    assert [int(one.rows["input_digest"][0, 0]) for one in found] == [0, 1, 2]
    assert list(shard.reduced(Engine(seen), [])) == []
