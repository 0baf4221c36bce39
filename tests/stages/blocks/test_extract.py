"""The block extract."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.errors import UserError
from pipeline.layers.layers import Layer
from pipeline.numerics.geometry import whole
from pipeline.params import read_params
from stages.blocks.extract import Params, check

BLOCK = read_params(Path(__file__).parents[3] / "params.yaml")["extract"]


@pytest.mark.parametrize(
    ("means", "images", "kept"),
    [("auto", 100_000, True), ("auto", 100_001, False), (True, 100_001, True), (False, 1, False)],
)
def test_means_are_kept_of_no_more_images_than_params_allow(means, images, kept):
    assert Params.model_validate(BLOCK | {"means": means}).keeps_means(images) is kept


def test_means_are_kept_by_default():
    assert BLOCK["means"] == "auto"


LAYERS = tuple(Layer(name, "map", 4, (2, 2), whole((8, 8), "global")) for name in ("a.1", "a.2", "b"))


def check_layers(*, patches=("*",), separability=("*",), run=True):
    blocks = {
        "extract": SimpleNamespace(layers=("a.*",)), "patches": SimpleNamespace(layers=patches),
        "separability": SimpleNamespace(run=run, layers=separability),
    }  # fmt: skip
    check(blocks, SimpleNamespace(layers=LAYERS, code_layer="b"))


@pytest.mark.parametrize("block", ["patches", "separability"])
@pytest.mark.parametrize("wrong", ["b", "a2"])
def test_layer_that_is_not_extracted_is_refused_before_anything_runs(block, wrong):
    check_layers(**{block: ("a.2",)})
    with pytest.raises(
        UserError, match=f"{block}.layers: no layer matches '{wrong}'; .*layers are: a.1, a.2"
    ):
        check_layers(**{block: (wrong,)})


def test_layers_of_what_is_left_out_are_not_checked():
    check_layers(separability=("nonsense",), run=False)
