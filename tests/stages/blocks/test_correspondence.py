from types import SimpleNamespace

import pytest
from pydantic import ValidationError
from torchvision import models

from pipeline.errors import UserError
from pipeline.layers.layers import code_layer, describe_layers
from stages.blocks.correspondence import Params, check

NETWORK = models.alexnet(weights=None).eval()
PREVIEW = SimpleNamespace(layers=describe_layers(NETWORK, 64), code_layer=code_layer(NETWORK, 64))


def block(**changed):
    params = {
        "run": True, "layers": "auto", "most": 6, "probes": 8, "warps": 2, "points": 8, "rotation": 15.0,
        "scale": (0.8, 1.25), "translation": 0.15, "right": 0.1, "patches": (0.1,), "random_networks": 1,
        "repeats": 100, "seed": 0,
    }  # fmt: skip
    return {"correspondence": Params(**params | changed)}


def test_a_layer_that_is_not_there_is_found_before_any_stage():
    check(block(), PREVIEW)
    with pytest.raises(UserError, match=r"correspondence\.layers"):
        check(block(layers=("nothing",)), PREVIEW)


def test_what_is_left_out_is_not_checked():
    check(block(layers=("nothing",), run=False), PREVIEW)


@pytest.mark.parametrize(
    "changed",
    [{"scale": (1.2, 0.8)}, {"scale": (0.1, 1.0)}, {"translation": 0.6}, {"patches": (0.0,)}, {"right": 0.0}],
)
def test_what_cannot_be_is_refused(changed):
    with pytest.raises(ValidationError):
        block(**changed)


def test_more_points_than_memory_holds_are_refused():
    block(probes=500, warps=20, points=100)
    with pytest.raises(ValidationError, match="make 1,010,000 points together; lower one of them"):
        block(probes=500, warps=20, points=101)
