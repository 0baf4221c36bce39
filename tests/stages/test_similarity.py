"""The stage `similarity` on activations and training dynamics made by hand."""

import json

import numpy as np
import pytest

from pipeline.analyses.similarity import centred, cka
from pipeline.formats import training_dynamics
from pipeline.formats.similarity import read_similarity
from pipeline.formats.status import not_run, write_status
from stages import similarity
from tests.small.artifacts import write_activations
from tests.small.dynamics import IMAGES, LAYERS, write_dynamics
from tests.small.layers import write_layers

PARAMS = {"run": True, "sample": 30, "seed": 0}
RNG = np.random.default_rng(0)


def run(paths, **changed):
    similarity.run(similarity.Params(**PARAMS | changed), paths)
    return read_similarity(paths["out"])


@pytest.fixture
def paths(tmp_path):
    """Activations of two layers, the second the first rotated, and no training."""
    first = RNG.standard_normal((IMAGES, 6)).astype(np.float32)
    rotation, _ = np.linalg.qr(RNG.standard_normal((6, 6)))
    write_layers(tmp_path / "activations", {"relu": first, "head": (first @ rotation).astype(np.float32)})
    status = not_run("training_dynamics")
    dynamics = tmp_path / "dynamics.h5"
    write_status(dynamics, status, stage="training_dynamics", version=training_dynamics.VERSION)
    return {
        "activations": tmp_path / "activations", "dynamics": dynamics,
        "out": tmp_path / "similarity.h5", "metrics": tmp_path / "metrics.json", "first": first,
    }  # fmt: skip


def test_without_a_training_the_means_of_the_extraction_are_compared(paths):
    found = run(paths)
    assert found.training is None and len(found.image_id) == 30
    assert set(found.image_id) <= set(range(IMAGES))
    np.testing.assert_allclose(found.cka, 1, atol=1e-5)
    np.testing.assert_allclose(found.halves, np.ones((2, 2, 2)), atol=1e-5)
    numbers = json.loads(paths["metrics"].read_text())
    assert (numbers["images"], numbers["layers"]) == (30, 2)
    assert numbers["first_last"] == pytest.approx(1, abs=1e-5)


def test_of_a_training_each_checkpoint_is_compared_with_the_last(paths):
    means = {name: RNG.random((3, IMAGES, units), np.float32) for name, (units, _) in LAYERS.items()}
    means["relu"][1] = means["relu"][2] * 3 + 1
    write_dynamics(paths["dynamics"], means=means)
    found = run(paths, sample=IMAGES)
    assert found.image_id.tolist() == (np.arange(IMAGES) * 2).tolist()
    own = [centred(means[name][-1]) for name in ("relu", "head")]
    np.testing.assert_allclose(found.cka, cka(own, own))
    assert found.training.name == ("epoch-0", "epoch-2", "final")
    np.testing.assert_array_equal(found.training.cka[2], found.cka)
    np.testing.assert_allclose(found.training.cka[1, 0, 0], 1, atol=1e-6)
    expected = cka([centred(means["head"][0])], own)[0]
    np.testing.assert_array_equal(found.training.cka[0, 1], expected)


def test_few_images_and_means_that_were_not_kept_are_reasons(paths, tmp_path):
    write_activations(tmp_path / "none", **{"maxima/relu/value": np.ones((40, 4), np.float32)})
    found = run(paths | {"activations": tmp_path / "none"})
    assert found.state == "not applicable" and "extract.means" in found.reason
    write_layers(tmp_path / "few", {"relu": paths["first"][:3]})
    found = run(paths | {"activations": tmp_path / "few"})
    assert found.state == "not applicable" and "with 3 images" in found.reason
    assert json.loads(paths["metrics"].read_text()) == {}
    assert run(paths, run=False) == not_run("similarity")


def test_of_five_images_there_are_no_halves(paths, tmp_path):
    write_layers(tmp_path / "few", {"relu": paths["first"][:5]})
    found = run(paths | {"activations": tmp_path / "few"})
    assert found.halves.shape == (0, 1, 1) and found.cka.shape == (1, 1)


def test_equal_inputs_give_equal_bytes(paths):
    run(paths)
    before = paths["out"].read_bytes()
    run(paths)
    assert paths["out"].read_bytes() == before
