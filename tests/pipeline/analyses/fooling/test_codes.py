import numpy as np
import pytest

from pipeline.analyses.fooling.codes import break_held_out
from pipeline.formats.activations import open_activations
from pipeline.formats.separability import LayerProbe, ProbeSample, Separability
from tests.small.layers import write_layers

COUNT, UNITS = 12, 5
RANDOM = np.random.default_rng(0)
CODES = RANDOM.random((COUNT, UNITS), np.float32)
WEIGHT, ODD = RANDOM.standard_normal((3, UNITS)), np.arange(1, COUNT, 2)
SAMPLE = ProbeSample(
    np.arange(0, COUNT, 2), ODD, ODD % 3, np.ones(len(ODD), np.int8), np.arange(3), drawn=False
)
PROBE = LayerProbe(WEIGHT, np.zeros(3), 1.0, True, np.zeros(len(ODD), np.int64))


def broken(folder, layers, probed=("code",)):
    write_layers(folder / "activations", layers)
    probes = {(name, "maxima"): PROBE for name in probed}
    found = Separability(probed, ("maxima",), SAMPLE, probes, {})
    return break_held_out(found, open_activations(folder / "activations"), 0)


def test_the_fraction_of_another_class_s_weights_changes_a_held_out_code(tmp_path):
    layer, kind, codes = broken(tmp_path, {"code": CODES})
    assert (layer, kind) == ("code", "maxima") and codes.image_id.tolist() == ODD.tolist()
    np.testing.assert_array_equal(codes.predicted, (CODES[ODD] @ WEIGHT.T).argmax(1))
    there = np.flatnonzero(np.isfinite(codes.fraction))
    assert len(there)
    for row in there.tolist():
        moved = CODES[ODD[row]] + 1.001 * codes.fraction[row] * WEIGHT[codes.target[row]]
        assert (WEIGHT @ moved).argmax() != codes.predicted[row]


def test_codes_of_nothing_are_left_out(tmp_path):
    dark = np.where(np.arange(COUNT)[:, None] == 3, 0, CODES).astype(np.float32)
    assert 3 not in broken(tmp_path, {"code": dark})[2].image_id
    assert broken(tmp_path / "none", {"code": np.zeros_like(CODES)}) == ("", "", None)


@pytest.mark.parametrize("probed", ["first", "second"])
def test_where_the_code_has_no_probe_the_last_layer_with_one_is_broken(tmp_path, probed):
    layers = {"first": CODES, "second": CODES[::-1].copy(), "code": CODES}
    layer, _, codes = broken(tmp_path, layers, ("first", "second")[: 1 + (probed == "second")])
    assert layer == probed
    np.testing.assert_array_equal(codes.predicted, (layers[probed][ODD] @ WEIGHT.T).argmax(1))
