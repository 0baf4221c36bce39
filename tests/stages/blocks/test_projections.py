"""The block projections beside the blocks extract and patches."""

from types import SimpleNamespace

import pytest

from pipeline.errors import UserError
from pipeline.layers.layers import Layer
from pipeline.numerics.geometry import whole
from stages.blocks import projections

LAYERS = tuple(Layer(name, "map", 4, (2, 2), whole((8, 8), "global")) for name in ("a.1", "a.2", "b"))


def check(layers, *, run=True):
    blocks = {
        "projections": SimpleNamespace(run=run, layers=layers),
        "extract": SimpleNamespace(layers=("a.*",)),
        "patches": SimpleNamespace(layers=("a.2",)),
    }
    projections.check(blocks, SimpleNamespace(layers=LAYERS, code_layer="b"))


@pytest.mark.parametrize("layers", ["auto", ("a.2",), ("*",)])
def test_layers_that_are_drawn_are_taken(layers):
    check(layers)


def test_layer_that_is_not_drawn_is_refused_before_anything_runs():
    with pytest.raises(UserError, match="projections.layers: no layer matches 'a.1'; .*the layers are: a.2"):
        check(("a.1",))
    check(("a.1",), run=False)
