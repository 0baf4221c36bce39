"""The blocks patches and separability, which name layers among those that are extracted."""

from types import SimpleNamespace

import pytest

from pipeline.errors import UserError
from pipeline.layers.layers import Layer
from pipeline.numerics.geometry import whole
from stages.blocks import patches, separability

LAYERS = tuple(Layer(name, "map", 4, (2, 2), whole((8, 8), "global")) for name in ("a.1", "a.2", "b"))


def check(block, layers, *, run=True):
    name = block.__name__.rpartition(".")[2]
    blocks = {
        name: SimpleNamespace(run=run, layers=layers),
        "extract": SimpleNamespace(layers=("a.*",)),
    }
    block.check(blocks, SimpleNamespace(layers=LAYERS, code_layer="b"))


@pytest.mark.parametrize("block", [patches, separability])
def test_layer_that_is_not_extracted_is_refused_before_anything_runs(block):
    check(block, ("*",))
    check(block, ("a.2",))
    for wrong in ("b", "a2"):
        with pytest.raises(
            UserError, match=f"layers: no layer matches '{wrong}'; .*the layers are: a.1, a.2"
        ):
            check(block, (wrong,))


def test_layers_of_what_is_left_out_are_not_checked():
    check(separability, ("nonsense",), run=False)
