from types import SimpleNamespace

import pytest
from torchvision import models

from pipeline.errors import UserError
from pipeline.layers.layers import code_layer, describe_layers
from stages.blocks.inversion import Params, check

NETWORK = models.alexnet(weights=None).eval()
PREVIEW = SimpleNamespace(layers=describe_layers(NETWORK, 64), code_layer=code_layer(NETWORK, 64))


def block(**changed):
    params = {
        "run": True, "layers": "auto", "most": 4, "probes": 8, "restarts": 1, "schedule": ((1, 0.004),),
        "total_variation": (1, 10, 100), "sixth_norm": 8e-10, "batch_size": 2, "seed": 0,
    }  # fmt: skip
    return {"inversion": Params(**params | changed)}


def test_a_layer_that_is_not_there_is_found_before_any_stage():
    check(block(), PREVIEW)
    check(block(layers=("features.*",)), PREVIEW)
    with pytest.raises(UserError, match=r"inversion\.layers"):
        check(block(layers=("nothing",)), PREVIEW)


def test_what_is_left_out_is_not_checked():
    check(block(layers=("nothing",), run=False), PREVIEW)
