"""The block dataset: what is refused, and what is refused early."""

from types import SimpleNamespace

import pytest

from pipeline.errors import UserError
from pipeline.params import check_block
from stages.blocks import dataset


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"path": ""}, "dataset.path"),
        ({"path": "x", "sample": 0}, "dataset.sample"),
        ({"path": "x", "held_out": 1.0}, "dataset.held_out"),
        ({"path": "x", "max_bad_fraction": 1.5}, "dataset.max_bad_fraction"),
        ({"path": "x", "seed": -1}, "dataset.seed"),
        ({"path": "x", "check": "all"}, "pixels"),
        ({"path": "x", "sampel": 3}, "sample"),
    ],
)
def test_mistakes_are_named(block, words):
    with pytest.raises(UserError, match=words):
        check_block(block, "dataset", dataset.Params, source="params.yaml")


def blocks(path, sample="none"):
    return {"dataset": SimpleNamespace(path=str(path)), "sample": SimpleNamespace(dataset=sample)}


def test_a_dataset_that_is_not_there_or_empty_is_refused_early(tmp_path):
    with pytest.raises(UserError, match=r"dataset\.path: .*nowhere does not exist"):
        dataset.check(blocks(tmp_path / "nowhere"), None)
    (tmp_path / "images.txt").touch()
    with pytest.raises(UserError, match=r"dataset\.path: .*images\.txt is no dataset"):
        dataset.check(blocks(tmp_path / "images.txt"), None)
    (tmp_path / "images.txt").unlink()
    (tmp_path / "class").mkdir()
    with pytest.raises(UserError, match="holds no files"):
        dataset.check(blocks(tmp_path), None)
    (tmp_path / "class" / "image.png").touch()
    dataset.check(blocks(tmp_path), None)


def test_a_sample_that_is_not_made_yet_is_no_mistake():
    dataset.check(blocks("data/cifar10", "cifar10"), None)
