"""The block extract."""

from pathlib import Path

import pytest

from pipeline.params import read_params
from stages.blocks.extract import Params

BLOCK = read_params(Path(__file__).parents[3] / "params.yaml")["extract"]


@pytest.mark.parametrize(
    ("means", "images", "kept"),
    [("auto", 100_000, True), ("auto", 100_001, False), (True, 100_001, True), (False, 1, False)],
)
def test_means_are_kept_of_no_more_images_than_params_allow(means, images, kept):
    assert Params.model_validate(BLOCK | {"means": means}).keeps_means(images) is kept


def test_means_are_kept_by_default():
    assert BLOCK["means"] == "auto"
