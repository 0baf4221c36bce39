"""The stage `projections` on a small network, against captum."""

import json

import numpy as np
import pytest
import torch
from captum.attr import NeuronDeconvolution, NeuronGuidedBackprop
from PIL import Image

from pipeline.analyses.projections.cuts import Cut, likeness
from pipeline.errors import UserError
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.patches import About, DrawnLayer, Patches, new_patches
from pipeline.formats.projections import open_projections
from pipeline.formats.status import Status, not_run
from pipeline.formats.weights import Description
from pipeline.images.preprocess import Preprocessing
from pipeline.model.building import build_network
from pipeline.model.network import save_network
from pipeline.receptive_field import receptive_fields
from stages import projections
from tests.small.artifacts import write_manifest_of

INPUT, IMAGES, K, SIDE = 24, 10, 4, 20
# Units of each layer; a neuron of the last sees more than the image is long.
LAYERS = {"features.1": 5, "features.5": 6, "features.8": 4}
ORACLES = {"deconvnet": NeuronDeconvolution, "guided_backprop": NeuronGuidedBackprop}
PREPROCESSING = Preprocessing(input_size=INPUT, resize=None, crop="center", mean=[0.5] * 3, std=[0.25] * 3)
PARAMS = {
    "run": True, "layers": "auto", "units": 3, "k": 3, "methods": tuple(ORACLES), "side": SIDE,
    "batch_size": 2, "seed": 0,
}  # fmt: skip
SOURCE = """
import torch
from torch import nn

class Small(nn.Module):
    def __init__(self, activation):
        super().__init__()
        torch.manual_seed(0)
        self.features = nn.Sequential(
            nn.Conv2d(3, 5, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Conv2d(5, 6, 3, padding=1),
            nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Conv2d(6, 4, 5), activation,
        )
        self.head = nn.Linear(4, 2)

    def forward(self, images):
        return self.head(self.features(images).mean((2, 3)))

def rectified(classes): return Small(nn.ReLU())
def gated(classes): return Small(nn.SiLU())
"""


def size_of(number):
    """Width and height; the last two are smaller than what the network is given."""
    return (18, 30) if number >= IMAGES - 2 else (28, 26)


def picture(number):
    width, height = size_of(number)
    return np.random.default_rng(number).integers(0, 256, (height, width, 3)).astype(np.uint8)


def seen(number):
    """What the network is given, (1, 3, 24, 24), and where in it the image lies, x0, y0, x1, y1."""
    pixels = picture(number)
    if number >= IMAGES - 2:
        padded = np.zeros((INPUT, INPUT, 3), np.uint8)
        padded[:, 3:21] = pixels[3:27]
        pixels, place = padded, (3, 0, 21, 24)
    else:
        pixels, place = pixels[1:25, 2:26], (0, 0, 24, 24)
    return torch.as_tensor((pixels / np.float32(255) - 0.5) / 0.25).permute(2, 0, 1)[None].float(), place


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    (folder / "inputs/network").mkdir(parents=True)
    (folder / "inputs/network/small.py").write_text(SOURCE)
    names = [f"a/{number:02}.png" for number in range(IMAGES)]
    (folder / "data/a").mkdir(parents=True)
    for number, name in enumerate(names):
        Image.fromarray(picture(number)).save(folder / "data" / name)
    write_manifest_of(
        folder / "manifest.h5", folder / "data", names, size=[size_of(n) for n in range(IMAGES)]
    )
    networks = {factory: save(folder, factory) for factory in ("rectified", "gated")}
    write_patches(folder / "patches.h5", networks["rectified"])
    return folder, networks


def save(folder, factory):
    source = f"inputs/network/small.py:{factory}"
    network = build_network(source, 2, folder / "inputs").eval().requires_grad_(False)
    torch.manual_seed(1)
    network.features[4].running_mean.normal_()
    network.features[4].weight.normal_()
    description = Description(
        architecture=source, weights="hand", classes=("a", "b"), preprocessing=PREPROCESSING
    )
    save_network(folder / factory, network, description, folder / "inputs")
    return network


@pytest.fixture
def paths(made, tmp_path):
    paths = {name: made[0] / f"{name}.h5" for name in ("manifest", "patches")} | {
        "weights": made[0] / "rectified"
    }
    return paths | {"out": tmp_path / "projections.h5", "metrics": tmp_path / "projections.json"}


@torch.no_grad()
def maps_of(network, layer, number):
    return network.features[: int(layer.split(".")[1]) + 1](seen(number)[0])[0].numpy()


def write_patches(path, network):
    """Rank all images by their maxima; the last unit of a layer has no winner, the one before it one."""
    fields = receptive_fields(network, INPUT)
    about = About(tuple(LAYERS), 4, 4, K, IMAGES, (INPUT, INPUT))
    with new_patches(path, about, made_from={}) as writer:
        writer.put_contexts(np.empty(0, np.int64), [])
        for layer, units in LAYERS.items():
            maps = np.stack([maps_of(network, layer, number) for number in range(IMAGES)], 1)
            maxima, size = maps.max((2, 3)), maps.shape[2:]
            ids = np.argsort(-maxima, axis=1)[:, :K]
            flat = maps.reshape(units, IMAGES, -1).argmax(2)
            position = np.stack(np.unravel_index(np.take_along_axis(flat, ids, 1), size), -1)
            ids[-1], ids[-2, 1:] = -1, -1
            zeros = np.zeros((units, K, 4, 4), np.uint8)
            value = np.where(ids < 0, -np.inf, np.take_along_axis(maxima, np.maximum(ids, 0), 1))
            drawn = DrawnLayer(
                LayerGeometry(size, fields[layer]), units, 1,
                value=value.astype(np.float32), image_id=ids,
                position=position.astype(np.uint16), box=np.zeros((units, K, 4), np.float32),
                passed_over=np.zeros(units, np.int64), unit=np.arange(units),
                count_active=np.full(units, IMAGES), count_at_maximum=np.ones(units, np.int64),
            )  # fmt: skip
            writer.put_layer(
                layer, drawn, Patches(zeros[..., None].repeat(3, -1), zeros, np.ones((units, K), np.float32))
            )


def by_captum(network, layer, number, unit, method):
    """The signal by captum cut to what is seen of the image in the receptive field, (h, w, 3)."""
    maps, (inputs, place) = maps_of(network, layer, number), seen(number)
    y, x = np.unravel_index(maps[unit].argmax(), maps[unit].shape)
    module = network.get_submodule(layer)
    signal = ORACLES[method](network, module).attribute(inputs.requires_grad_(), (unit, int(y), int(x)))
    field = receptive_fields(network, INPUT)[layer]
    (top, left), (bottom, right) = field.seen((int(y), int(x)))
    box = field.start[1] + x * field.stride[1], field.start[0] + y * field.stride[0]
    return signal[0].permute(1, 2, 0).detach().numpy(), box, field.size, place, (top, left, bottom, right)


@pytest.mark.parametrize("method", ORACLES)
def test_projections_are_those_of_captum_to_the_pixel(made, paths, method):
    projections.run(projections.Params(**PARAMS | {"side": 24}), paths)
    network = made[1]["rectified"]
    with open_projections(paths["out"]) as found:
        assert found.about.layers == tuple(LAYERS)
        for layer in LAYERS:
            units = found.layer(layer).unit.tolist()
            assert len(units) == 3 and units[0] == 0
            for row, unit in enumerate(units):
                one = found.unit(layer, row)
                for rank in np.flatnonzero(one.image_id >= 0).tolist():
                    signal, (x, y), size, (x0, y0, x1, y1), _ = by_captum(
                        network, layer, int(one.image_id[rank]), unit, method
                    )
                    # Along an axis in which the field is longer than the image, all of the image.
                    left, width = (x, size[1]) if size[1] <= x1 - x0 else (x0, x1 - x0)
                    top, height = (y, size[0]) if size[0] <= y1 - y0 else (y0, y1 - y0)
                    assert one.extent[rank].tolist() == [height, width]
                    expected = np.zeros((height, width, 3), np.float32)
                    for row_of in range(max(top, y0), min(top + height, y1)):
                        for column in range(max(left, x0), min(left + width, x1)):
                            expected[row_of - top, column - left] = signal[row_of, column]
                    largest = np.abs(expected).max()
                    assert one.largest[method][rank] == pytest.approx(largest, rel=1e-5)
                    shown = one.maps[method][rank, :height, :width].astype(np.float32)
                    # Kept in float16.
                    np.testing.assert_allclose(shown * largest, expected, rtol=1e-3, atol=1e-5 * largest)


def test_long_projections_are_brought_down(paths):
    projections.run(projections.Params(**PARAMS | {"side": 24}), paths)
    with open_projections(paths["out"]) as found:
        whole = found.unit("features.8", 0)
    projections.run(projections.Params(**PARAMS | {"side": 8, "units": 1}), paths)
    with open_projections(paths["out"]) as found:
        small = found.unit("features.8", 0)
        assert found.unit("features.1", 0).maps["deconvnet"].shape == (3, 3, 3, 3)
    assert whole.extent[0].tolist() == [24, 24] and small.extent[0].tolist() == [8, 8]
    means = whole.maps["deconvnet"][0].astype(np.float32).reshape(8, 3, 8, 3, 3).mean((1, 3))
    shown = small.maps["deconvnet"][0].astype(np.float32)
    np.testing.assert_allclose(shown, means / np.abs(means).max(), atol=3e-3)


def test_another_unit_that_is_active_at_the_place_is_compared(made, paths):
    projections.run(projections.Params(**PARAMS), paths)
    network, compared = made[1]["rectified"], 0
    with open_projections(paths["out"]) as found:
        for row, unit in enumerate(found.layer("features.5").unit.tolist()):
            one = found.unit("features.5", row)
            for rank in np.flatnonzero(one.image_id >= 0).tolist():
                maps = maps_of(network, "features.5", int(one.image_id[rank]))
                y, x = np.unravel_index(maps[unit].argmax(), maps[unit].shape)
                active = set(np.flatnonzero(maps[:, y, x] > 0).tolist()) - {unit}
                assert one.other[rank] in (active or {-1})
                if active:
                    compared += 1
                    assert one.alike["deconvnet"][rank] == pytest.approx(
                        alike(network, int(one.image_id[rank]), unit, int(one.other[rank]), (y, x)), abs=1e-4
                    )
    assert compared > 3


def alike(network, number, unit, other, position):
    """Spearman's correlation by captum's signals, of the pixels of the field that are in the image."""
    inputs, (x0, y0, x1, y1) = seen(number)
    field = receptive_fields(network, INPUT)["features.5"]
    top, left = (field.start[axis] + int(position[axis]) * field.stride[axis] for axis in (0, 1))
    rows, columns = slice(max(top, y0), min(top + 9, y1)), slice(max(left, x0), min(left + 9, x1))
    assert field.size == (9, 9)
    cuts = []
    for one in (unit, other):
        oracle = NeuronDeconvolution(network, network.features[5])
        signal = (
            oracle.attribute(inputs.clone().requires_grad_(), (one, *map(int, position)))[0].detach().numpy()
        )
        values = signal[:, rows, columns].transpose(1, 2, 0)
        cuts.append(Cut(values, np.ones(values.shape[:2], bool)))
    return likeness(*cuts)


def test_layers_behind_an_activation_without_a_rule_have_none(made, paths):
    projections.run(projections.Params(**PARAMS), paths | {"weights": made[0] / "gated"})
    with open_projections(paths["out"]) as found:
        assert found.about.layers == ("features.1", "features.5")
        assert found.about.refused == {"features.8": "features.8: silu is no rectifier"}
    assert json.loads(paths["metrics"].read_text())["layers_refused"] == 1
    params = PARAMS | {"layers": ("features.8",)}
    projections.run(projections.Params(**params), paths | {"weights": made[0] / "gated"})
    with open_projections(paths["out"]) as found:
        assert found == Status("not applicable", "no layer has projections: features.8: silu is no rectifier")


def test_counts_and_comparison(paths):
    projections.run(projections.Params(**PARAMS), paths)
    metrics = json.loads(paths["metrics"].read_text())
    with open_projections(paths["out"]) as found:
        layers = [found.layer(name) for name in LAYERS]
        comparison = found.about.comparison["deconvnet"]
    assert (metrics["layers"], metrics["units"]) == (3, 9)
    assert metrics["projections"] == sum(int((layer.image_id >= 0).sum()) for layer in layers)
    assert comparison.shape == (4, 3, 3)
    units = np.concatenate([np.nanmean(layer.alike["deconvnet"], 1) for layer in layers])
    assert comparison[-1, 0, 0] == pytest.approx(np.nanmean(units), rel=1e-6)
    assert metrics["deconvnet_alike"] == pytest.approx(comparison[-1, 0, 0], rel=1e-5)


def test_equal_inputs_give_equal_bytes_whatever_the_workers(paths, monkeypatch):
    contents = []
    for workers in ("1", "3"):
        monkeypatch.setenv("CONVATLAS_WORKERS", workers)
        projections.run(projections.Params(**PARAMS), paths)
        contents.append(paths["out"].read_bytes())
    assert contents[0] == contents[1]


def test_left_out_it_says_so(paths):
    projections.run(projections.Params(**PARAMS | {"run": False}), paths)
    with open_projections(paths["out"]) as found:
        assert found == not_run("projections")
    assert json.loads(paths["metrics"].read_text()) == {}


def test_an_image_that_is_gone_has_no_place_and_all_gone_is_an_error(made, paths):
    projections.run(projections.Params(**PARAMS), paths)
    with open_projections(paths["out"]) as found:
        number = int(found.unit("features.5", 0).image_id[0])
    files = {file: file.read_bytes() for file in (made[0] / "data/a").iterdir()}
    gone = made[0] / f"data/a/{number:02}.png"
    try:
        gone.unlink()
        projections.run(projections.Params(**PARAMS), paths)
        with open_projections(paths["out"]) as found:
            one = found.unit("features.5", 0)
        assert one.image_id[0] == -1 and one.image_id[1] >= 0
        assert not one.extent[0].any() and np.isnan(one.across["deconvnet"][0])
        for file in files.keys() - {gone}:
            file.unlink()
        with pytest.raises(UserError, match="no image can be read any more"):
            projections.run(projections.Params(**PARAMS), paths)
    finally:
        for file, data in files.items():
            file.write_bytes(data)
