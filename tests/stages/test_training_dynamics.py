"""The stage `training_dynamics` on a small network and its checkpoints, against plain PyTorch."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from pipeline.dataset.originals import originals
from pipeline.errors import UserError
from pipeline.formats import predictions, probes
from pipeline.formats.activations import open_activations
from pipeline.formats.manifest import open_manifest
from pipeline.formats.status import not_run, write_status
from pipeline.formats.training_dynamics import open_dynamics
from pipeline.formats.weights import read_description, write_description
from pipeline.layers.batches import Batches
from pipeline.model.architectures import BUILTIN
from pipeline.numerics.maps import localisation
from pipeline.numerics.smoothness import smoothness
from stages import training_dynamics
from tests.small.artifacts import write_predictions
from tests.small.extraction import PREPROCESSING, extract_small, make_manifest, make_weights, write_images

IMAGES = 18
PARAMS = {"run": True, "sample": 12, "layers": "auto", "units": 3, "batch_size": 5, "seed": 0}
SHOWN = 4


def other_network(seed):
    torch.manual_seed(seed)
    return BUILTIN["digits"](3).eval()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, workers):
    """A network called trained here, whose last checkpoint is not the network itself."""
    folder = tmp_path_factory.mktemp("dynamics")
    write_images(folder / "data", IMAGES)
    make_manifest(folder / "data", folder / "manifest.h5")
    make_weights(folder / "weights", folder)
    extract_small(folder / "manifest.h5", folder / "weights", folder / "activations")
    description = read_description(folder / "weights")
    write_description(folder / "weights", description.model_copy(update={"training": {"epochs": 9}}))
    (folder / "weights/checkpoints").mkdir()
    for epoch in (0, 4):
        path = folder / f"weights/checkpoints/epoch-{epoch:04d}.safetensors"
        save_file(other_network(epoch + 1).state_dict(), path)
    (folder / "given").mkdir()
    label = np.arange(IMAGES) % 3
    path = write_predictions(folder / "predictions.h5", np.arange(IMAGES), label.astype(np.int32), "abc")
    found = replace(predictions.read_predictions(path), label=label.astype(np.int32), held_out="test")
    predictions.write_predictions(path, found, made_from={})
    ids = np.array([SHOWN, 0])
    one = probes.Probes(
        ids, ("x", "y"), ("test", "test"), ids.astype(np.int32), ids.astype(np.int32),
        np.ones(2, np.float32), np.zeros(2, bool), "test",
    )  # fmt: skip
    probes.write_probes(folder / "probes.h5", one, np.zeros((2, 8, 8, 3), np.uint8), made_from={})
    return folder


@pytest.fixture
def paths(folder, tmp_path):
    names = ("activations", "weights", "given")
    files = ("manifest", "predictions", "probes")
    return {
        **{name: folder / name for name in names}, **{name: folder / f"{name}.h5" for name in files},
        "out": tmp_path / "out.h5", "metrics": tmp_path / "metrics.json",
    }  # fmt: skip


def plain(network, folder, ids):
    """Return every layer's output, and the logits, of some images, as modules give them."""
    with open_manifest(folder / "manifest.h5") as manifest:
        images = originals(manifest, np.asarray(ids))
    inputs = np.concatenate([batch.inputs for batch in Batches(images, PREPROCESSING, 50)])
    seen = {}
    for name, module in network.named_modules():
        module.register_forward_hook(lambda _m, _i, value, name=name: seen.update({name: value.clone()}))
    with torch.inference_mode():
        logits = network(torch.from_numpy(inputs))
    return seen, logits


def test_all_is_that_of_plain_pytorch_at_every_checkpoint(paths, folder):
    training_dynamics.run(training_dynamics.Params(**PARAMS), paths)
    networks = [other_network(1), other_network(5), other_network(0)]
    with open_dynamics(paths["out"]) as found, open_manifest(folder / "manifest.h5") as manifest:
        assert found.checkpoints.name == ("epoch-0000", "epoch-0004", "final")
        assert found.checkpoints.epoch.tolist() == [0, 4, -1]
        assert found.about.layers == tuple(open_activations(folder / "activations").layers)
        ids = found.sample.image_id
        expected = np.random.default_rng(0).choice(IMAGES, 12, replace=False)
        assert ids.tolist() == sorted(expected.tolist())
        assert found.sample.output.tolist() == (ids % 3).tolist()
        split = np.array(manifest.split())[ids]
        assert found.sample.counted.tolist() == (split == "test").tolist()
        for place, network in enumerate(networks):
            seen, logits = plain(network, folder, ids)
            assert found.sample.predicted[place].tolist() == logits.argmax(1).tolist()
            weight = network.features[0].weight.detach().numpy()
            assert found.checkpoints.smoothness[place] == pytest.approx(smoothness(weight))
            for name in found.about.layers:
                values = seen[name].reshape(len(ids), seen[name].shape[1], -1).numpy()
                course = found.layer(name)
                np.testing.assert_allclose(found.means(name, place), values.mean(2), rtol=1e-4, atol=1e-6)
                np.testing.assert_allclose(found.maxima(name, place), values.max(2), rtol=1e-4, atol=1e-6)
                np.testing.assert_allclose(course.zeros[place], (values == 0).mean((1, 2)), atol=1e-3)
                if values.shape[2] >= 10:
                    local = np.nanmean(localisation(seen[name].numpy()), 1)
                    np.testing.assert_allclose(course.localisation[place], local, rtol=1e-3)


def test_maps_of_the_first_probe_are_kept_of_the_first_map_and_the_last(paths, folder):
    training_dynamics.run(training_dynamics.Params(**PARAMS | {"sample": 2}), paths)
    with open_dynamics(paths["out"]) as found:
        assert SHOWN not in found.sample.image_id and found.about.shown_image == SHOWN
        assert found.about.shown_layers == ("features.1", "features.8")
        shown = found.shown("features.1")
        assert shown.unit.tolist() == [0, 8, 15]
        seen, _ = plain(other_network(5), folder, [SHOWN])
        expected = seen["features.1"][0, shown.unit].numpy()
        np.testing.assert_allclose(shown.maps[1], expected, rtol=1e-4, atol=1e-6)


def test_of_weights_from_elsewhere_the_given_files_are_followed(paths, folder, tmp_path):
    weights, given = tmp_path / "weights", tmp_path / "given"
    make_weights(weights, tmp_path)
    given.mkdir()
    paths |= {"weights": weights, "given": given}
    params = training_dynamics.Params(**PARAMS)
    training_dynamics.run(params, paths)
    with open_dynamics(paths["out"]) as found:
        assert found.state == "not applicable" and "inputs/checkpoints" in found.reason
    torch.save({"state_dict": other_network(0).state_dict()}, given / "net.pth")
    training_dynamics.run(params, paths)
    with open_dynamics(paths["out"]) as found:
        assert found.state == "not applicable" and "is the network itself" in found.reason
    assert json.loads(paths["metrics"].read_text()) == {}
    torch.save(other_network(3).state_dict(), given / "net-1.pth")
    torch.save(other_network(0).state_dict(), given / "net-2.pth")
    (given / "net.pth").unlink()
    training_dynamics.run(params, paths)
    with open_dynamics(paths["out"]) as found:
        assert found.checkpoints.name == ("net-1", "net-2")
        assert found.checkpoints.epoch.tolist() == [1, 2]
    torch.save({"other.weight": torch.ones(3)}, given / "net-3.pth")
    with pytest.raises(UserError, match=r"net-3\.pth: does not fit the network: missing"):
        training_dynamics.run(params, paths)


def test_without_probes_no_map_is_kept(paths, tmp_path):
    paths["probes"] = tmp_path / "probes.h5"
    write_status(paths["probes"], not_run("probes"), stage="probes", version=probes.VERSION)
    training_dynamics.run(training_dynamics.Params(**PARAMS), paths)
    with open_dynamics(paths["out"]) as found:
        assert (found.about.shown_image, found.about.shown_layers) == (-1, ())


def test_equal_inputs_give_equal_bytes_whatever_the_workers(paths, monkeypatch):
    contents = []
    for workers in ("1", "3"):
        monkeypatch.setenv("CONVATLAS_WORKERS", workers)
        training_dynamics.run(training_dynamics.Params(**PARAMS), paths)
        contents.append(paths["out"].read_bytes())
    assert contents[0] == contents[1]


def test_left_out_it_says_so(paths):
    training_dynamics.run(training_dynamics.Params(**PARAMS | {"run": False}), paths)
    with open_dynamics(paths["out"]) as found:
        assert found == not_run("training_dynamics")


def test_an_image_that_is_gone_is_left_out_and_all_gone_is_an_error(paths, folder):
    params = training_dynamics.Params(**PARAMS | {"sample": IMAGES})
    files = {path: path.read_bytes() for path in (folder / "data").rglob("*.png")}
    try:
        (folder / "data/0/0000.png").unlink()
        training_dynamics.run(params, paths)
        with open_dynamics(paths["out"]) as found:
            assert len(found.sample.image_id) == IMAGES - 1
        for path in files:
            path.unlink(missing_ok=True)
        with pytest.raises(UserError, match="none of 18 images can be read any more"):
            training_dynamics.run(params, paths)
    finally:
        for path, content in files.items():
            path.write_bytes(content)
