"""The stage `concepts` on a small network with random weights, against plain PyTorch."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.analyses.directions.concepts import concept_scores, random_sets_of
from pipeline.dataset.originals import originals
from pipeline.errors import UserError
from pipeline.formats.concepts import open_concepts
from pipeline.formats.manifest import open_manifest
from pipeline.formats.status import not_run
from pipeline.formats.weights import read_description
from pipeline.images.network_input import normalise, prepare
from pipeline.model.network import load_network
from stages import concepts
from tests.end_to_end.artifact_tables import faults, read_document
from tests.end_to_end.project import ROOT
from tests.small.artifacts import write_predictions
from tests.small.extraction import extract_small, make_manifest, make_weights, write_images

IMAGES = 40
MAP, CODE, PARTS = "features.8", "classifier.1", 9
PARAMS = {
    "run": True, "layers": "auto", "random_sets": 3, "random_images": 12, "outputs": 2, "images": 7,
    "batch_size": 5, "seed": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory, workers):
    """Noise, two concepts of plain colours, and predictions of which output 1 has the most images."""
    folder = tmp_path_factory.mktemp("concepts")
    write_images(folder / "dataset", IMAGES)
    make_manifest(folder / "dataset", folder / "manifest.h5")
    make_weights(folder / "weights", folder)
    for name, colour in {"red": (255, 0, 0), "white": (255, 255, 255)}.items():
        (folder / "given" / name).mkdir(parents=True)
        for number in range(9):
            shade = tuple(max(0, part - 5 * number) for part in colour)
            Image.new("RGB", (12, 10), shade).save(folder / "given" / name / f"{number}.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVATLAS_DEVICE", "cpu")
        extract_small(folder / "manifest.h5", folder / "weights", folder / "activations")
        predicted = np.array([0] * 9 + [1] * 25 + [2] * 6, np.int32)
        write_predictions(folder / "predictions.h5", np.arange(IMAGES), predicted, ("a", "b", "c"))
        paths = {name: folder / name for name in ("activations", "weights", "given")}
        paths |= {name: folder / f"{name}.h5" for name in ("manifest", "predictions")}
        paths |= {"out": folder / "concepts.h5", "metrics": folder / "concepts.json"}
        concepts.run(concepts.Params(**PARAMS), paths)
        yield paths


def test_concepts_are_told_from_noise_and_outputs_asked_by_their_images(folder):
    with open_concepts(folder["out"]) as found:
        about = found.about
        assert (about.layers, about.concept, about.output) == ((MAP, CODE), ("red", "white"), ("a", "b"))
        assert about.concept_images.tolist() == [9, 9]
        assert about.output_images.tolist() == [7, 7]
        for name in about.layers:
            layer = found.layer(name)
            assert (layer.accuracy > 0.9).all()
            assert layer.score.shape == (2, 3, 2)
            np.testing.assert_allclose(np.linalg.norm(layer.direction, axis=1), 1, rtol=1e-5)
    metrics = json.loads(folder["metrics"].read_text())
    assert metrics[MAP]["red"]["accuracy"] == pytest.approx(layer.accuracy[0].mean(), abs=0.1)


def test_slopes_are_those_of_plain_pytorch(folder):
    """Along the code's directions all images have one slope: the difference in the logit, exactly."""
    network = load_network(folder["weights"])
    weight = network.classifier[2].weight.numpy()
    with open_concepts(folder["out"]) as found:
        layer = found.layer(CODE)
        # The mean of three directions says which way all three point where they agree.
        for row in range(2):
            for output in range(2):
                if np.ptp(layer.score[row, :, output]) == 0:
                    expected = concept_scores(weight[output : output + 1], layer.direction[row : row + 1])
                    np.testing.assert_array_equal(layer.score[row, 0, output], expected)
        assert set(np.unique(layer.score)) <= {0, 1}


def test_a_map_s_slope_is_summed_over_positions(folder):
    preprocessing = read_description(folder["weights"]).preprocessing
    with open_manifest(folder["manifest"]) as manifest:
        images = originals(manifest, np.arange(IMAGES))
        looking = concepts._Looking(
            folder["weights"], concepts.open_activations(folder["activations"]), (MAP,), manifest, 4
        )
        found = looking.slopes(np.arange(6), 1)[MAP]
        pooled = looking.vectors(looking.batches(np.arange(6)))[MAP]
    network = load_network(folder["weights"])
    inputs = normalise(
        np.stack([prepare(images.read(number), preprocessing) for number in range(6)]), preprocessing
    )
    value = network.features[:PARTS](torch.from_numpy(inputs)).detach().requires_grad_()
    (slope,) = torch.autograd.grad(network.classifier(value.flatten(1))[:, 1].sum(), value)
    np.testing.assert_allclose(found, slope.sum((2, 3)).numpy(), rtol=1e-3, atol=1e-7)
    np.testing.assert_allclose(pooled, value.detach().mean((2, 3)).numpy(), rtol=1e-3, atol=1e-7)


def test_equal_inputs_give_equal_bytes(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("CONVATLAS_WORKERS", "3")
    concepts.run(concepts.Params(**PARAMS), folder | {"out": tmp_path / "concepts.h5"})
    assert (tmp_path / "concepts.h5").read_bytes() == folder["out"].read_bytes()
    assert len(random_sets_of(np.arange(IMAGES), 3, 12, 0)) == 3


def test_the_file_is_as_documented(folder):
    described = read_document((ROOT / "docs" / "artifacts.md").read_text(encoding="utf-8"))
    assert list(faults(folder["out"], described["concepts.h5"])) == []


def test_without_examples_it_is_not_applicable_and_nothing_is_made_up(folder, tmp_path):
    given = tmp_path / "given"
    given.mkdir()
    (given / ".gitkeep").touch()
    paths = folder | {"out": tmp_path / "concepts.h5", "metrics": tmp_path / "m.json", "given": given}
    concepts.run(concepts.Params(**PARAMS), paths)
    with open_concepts(paths["out"]) as found:
        assert found.state == "not applicable"
        assert "inputs/concepts/<name>/" in found.reason
    concepts.run(concepts.Params(**PARAMS | {"run": False}), paths)
    with open_concepts(paths["out"]) as found:
        assert found == not_run("concepts")


def test_an_output_that_is_not_there_is_named(folder, tmp_path):
    paths = folder | {"out": tmp_path / "concepts.h5", "metrics": tmp_path / "m.json"}
    with pytest.raises(UserError, match="concepts.outputs: the network has no output 'bb'"):
        concepts.run(concepts.Params(**PARAMS | {"outputs": ("bb",)}), paths)
