import numpy as np
import pytest

from pipeline.analyses.directions.axes import axes_of, components_of, looked_at
from pipeline.analyses.directions.given import Given
from pipeline.errors import UserError
from pipeline.formats.activations import open_activations
from tests.small.artifacts import write_activations
from tests.small.atlas import make

RNG = np.random.default_rng(0)
VALUES = RNG.random((40, 4), np.float32)


def test_by_default_the_code_layer_and_the_last_map_are_looked_at(tmp_path):
    activations = open_activations(make(tmp_path)["activations"])
    assert looked_at(activations, "auto", {}) == ["features.1", "head"]
    given = {"pool": Given(("a",), np.ones((1, 2), np.float32))}
    assert looked_at(activations, "auto", given) == ["features.1", "pool", "head"]
    assert looked_at(activations, ("features.*",), {}) == ["features.0", "features.1"]
    with pytest.raises(UserError, match="directions.layers: no layer matches 'feature'"):
        looked_at(activations, ("feature",), {})


@pytest.mark.parametrize(("kept", "what"), [(("means", "maxima"), "means"), (("maxima",), "maxima")])
def test_components_of_a_map_are_of_means_where_these_are_kept(tmp_path, kept, what):
    named = {"maxima": "maxima/relu/value", "means": "mean/relu"}
    write_activations(tmp_path, **{named[name]: VALUES for name in kept})
    activations = open_activations(tmp_path)
    layer = activations.layer("relu")
    assert components_of(activations, layer).what == what
    axes = axes_of(activations, layer, None, count=9, seed=0)
    assert {name: one.direction.shape for name, one in axes.items()} == {"random": (9, 4), "pca": (4, 4)}
    assert axes["pca"].names[-1] == "component 4"
    assert axes["pca"].variance.sum() == pytest.approx(1)


def test_one_image_has_no_components(tmp_path):
    write_activations(tmp_path, (1,), **{"maxima/relu/value": VALUES[:1]})
    activations = open_activations(tmp_path)
    assert list(axes_of(activations, activations.layer("relu"), None, count=2, seed=0)) == ["random"]


def test_an_axis_along_which_no_image_differs_is_no_component(tmp_path):
    values = np.concatenate([VALUES[:, :2], VALUES[:, 1:2], np.zeros((40, 1), np.float32)], 1)
    write_activations(tmp_path, **{"maxima/relu/value": values})
    activations = open_activations(tmp_path)
    axes = axes_of(activations, activations.layer("relu"), None, count=4, seed=0)
    assert axes["pca"].names == ("component 1", "component 2")
    assert axes["pca"].direction.shape == (2, 4) and len(axes["random"].names) == 4


def test_an_axis_along_which_large_values_were_rounded_is_no_component(tmp_path):
    values = (100 + VALUES[:, :1] * [1, 0.3, 0.7, 0.9]).astype(np.float32)
    write_activations(tmp_path, **{"maxima/relu/value": values})
    activations = open_activations(tmp_path)
    assert axes_of(activations, activations.layer("relu"), None, count=4, seed=0)["pca"].names == (
        "component 1",
    )


def test_where_all_images_are_equal_there_are_no_components(tmp_path):
    write_activations(tmp_path, **{"maxima/relu/value": np.ones((40, 4), np.float32)})
    activations = open_activations(tmp_path)
    assert list(axes_of(activations, activations.layer("relu"), None, count=4, seed=0)) == ["random"]
