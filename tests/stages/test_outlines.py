"""The stage `outlines` on a network built by hand, against plain PyTorch."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.analyses.outlines.contours import outline
from pipeline.errors import UserError
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.outlines import open_outlines
from pipeline.formats.patches import About, DrawnLayer, Patches, new_patches
from pipeline.formats.status import not_run
from pipeline.formats.weights import Description
from pipeline.images.preprocess import Preprocessing
from pipeline.model.building import build_network
from pipeline.model.network import save_network
from pipeline.numerics.upsampling import centres
from pipeline.receptive_field import receptive_fields
from stages import outlines
from tests.small.artifacts import write_manifest_of

INPUT, IMAGES, RED, K = 32, 24, (21, 22, 23), 3
# Units of each layer, and how many parts of the network compute what it is ranked by: of the first, which is
# bounded, its input.
LAYERS = {"features.1": 2, "features.3": 2, "features.4": 3}
PARTS = {"features.1": 1, "features.3": 4, "features.4": 5}
PREPROCESSING = Preprocessing(input_size=INPUT, resize=None, crop="center", mean=[0.0] * 3, std=[1.0] * 3)
PARAMS = {"run": True, "sample": 18, "batch_size": 4, "seed": 0}
SOURCE = """
import torch
from torch import nn
from torchvision.ops import SqueezeExcitation

def spots(classes):
    # One unit answers to red alone, the other to green; then squeeze-and-excitation, and a mean.
    first, gate = nn.Conv2d(3, 2, 3, stride=2, padding=1, bias=False), SqueezeExcitation(2, 1)
    features = nn.Sequential(first, nn.ReLU6(), nn.Conv2d(2, 2, 3, padding=1), gate, nn.Conv2d(2, 3, 1))
    network = nn.Module()
    torch.manual_seed(0)
    for parameter in features.parameters():
        nn.init.normal_(parameter)
    with torch.no_grad():
        first.weight.zero_()
        first.weight[0, 0] = first.weight[1, 1] = 1
    class Spots(nn.Module):
        def __init__(self):
            super().__init__()
            self.features, self.head = features, nn.Linear(3, classes)
        def forward(self, images):
            return self.head(self.features(images).mean((2, 3)))
    return Spots()
"""


def place_of(number):
    """Left upper corner of an image's red square, in its pixels."""
    return 6 + 9 * (number % 3), 20 - 7 * (number % 3)


def picture(number):
    """Green noise of 40 x 36 pixels; in three of the images a red square of 6 x 6."""
    rng = np.random.default_rng(int(number))
    pixels = np.zeros((36, 40, 3), np.uint8)
    pixels[..., 1] = rng.integers(0, 256, (36, 40))
    if number in RED:
        x, y = place_of(number)
        pixels[y : y + 6, x : x + 6] = (180 + number, 0, 0)
    return pixels


def seen(number):
    """What the network is given: the centre of the image."""
    cut = picture(number)[2:34, 4:36]
    return torch.as_tensor(cut.astype(np.float32) / 255).permute(2, 0, 1)[None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spots")
    (folder / "inputs/network").mkdir(parents=True)
    (folder / "inputs/network/spots.py").write_text(SOURCE)
    names = [f"a/{number:02}.png" for number in range(IMAGES)]
    (folder / "data/a").mkdir(parents=True)
    for number, name in enumerate(names):
        Image.fromarray(picture(number)).save(folder / "data" / name)
    write_manifest_of(folder / "manifest.h5", folder / "data", names, size=[(40, 36)] * IMAGES)
    network = build_network("inputs/network/spots.py:spots", 2, folder / "inputs").eval()
    description = Description(
        architecture="inputs/network/spots.py:spots", weights="hand", classes=("a", "b"),
        preprocessing=PREPROCESSING,
    )  # fmt: skip
    save_network(folder / "weights", network, description, folder / "inputs")
    write_patches(folder / "patches.h5", network)
    return folder


@pytest.fixture
def paths(folder, tmp_path):
    paths = {name: folder / f"{name}.h5" for name in ("manifest", "patches")} | {
        "weights": folder / "weights"
    }
    return paths | {"out": tmp_path / "outlines.h5", "metrics": tmp_path / "outlines.json"}


@pytest.fixture(scope="module")
def network(folder):
    return build_network("inputs/network/spots.py:spots", 2, folder / "inputs").eval()


@torch.no_grad()
def plain(network, layer, number):
    """One image's maps in a layer, or in what enters a bounded one, (U, h, w), by PyTorch alone."""
    value = seen(number)
    for part in network.features[: PARTS[layer]]:
        value = part(value)
    return value[0].numpy()


def write_patches(path, network):
    fields = receptive_fields(network, INPUT)
    about = About(tuple(LAYERS), 4, 4, K, IMAGES, (INPUT, INPUT))
    with new_patches(path, about, made_from={}) as writer:
        writer.put_contexts(np.empty(0, np.int64), [])
        for layer, units in LAYERS.items():
            maxima = np.stack([plain(network, layer, number).max((1, 2)) for number in range(IMAGES)], 1)
            ids = np.argsort(-maxima, axis=1)[:, :K]
            ids[-1, -1] = -1
            value = np.take_along_axis(maxima, np.maximum(ids, 0), 1)
            bounded = {"input": value, "output_rank": np.zeros_like(ids)} if layer == "features.1" else {}
            zeros = np.zeros((units, K, 4, 4), np.uint8)
            writer.put_layer(
                layer,
                DrawnLayer(
                    LayerGeometry((16, 16), fields[layer]), units, 0,
                    value=np.minimum(value, 6) if bounded else value, image_id=ids,
                    position=np.zeros((units, K, 2), np.uint16), box=np.zeros((units, K, 4), np.float32),
                    passed_over=np.zeros(units, np.int64), unit=np.arange(units),
                    count_active=np.full(units, IMAGES), count_at_maximum=np.ones(units, np.int64),
                    **bounded,
                ),
                Patches(zeros[..., None].repeat(3, -1), zeros, np.ones((units, K), np.float32)),
            )  # fmt: skip


def test_maps_and_levels_are_those_of_plain_pytorch(paths, network):
    outlines.run(outlines.Params(**PARAMS), paths)
    sample = np.sort(np.random.default_rng(0).choice(IMAGES, 18, replace=False))
    with open_outlines(paths["out"]) as found:
        assert found.about.sample == 18
        for name, units in LAYERS.items():
            layer = found.layer(name)
            assert layer.ranked_by == ("input" if name == "features.1" else "output")
            everything = np.stack([plain(network, name, number) for number in sample], 1).reshape(units, -1)
            level = torch.as_tensor(everything).quantile(0.995, 1, interpolation="higher").numpy()
            maxima = [
                max(plain(network, name, number)[unit].max() for number in ids if number >= 0)
                for unit, ids in enumerate(layer.image_id)
            ]
            half = (level <= 0) & (np.array(maxima) > 0)
            np.testing.assert_allclose(layer.level, np.where(half, np.divide(maxima, 2), level), rtol=1e-5)
            np.testing.assert_array_equal(layer.half, half)
            for unit in range(units):
                for place, number in enumerate(layer.image_id[unit].tolist()):
                    expected = plain(network, name, number)[unit] if number >= 0 else np.zeros((16, 16))
                    np.testing.assert_allclose(found.maps(name, unit)[place], expected, rtol=1e-3, atol=1e-5)


def test_the_outline_is_the_place_that_the_unit_answers_to(paths):
    outlines.run(outlines.Params(**PARAMS | {"sample": IMAGES}), paths)
    with open_outlines(paths["out"]) as found:
        layer = found.layer("features.1")
        assert sorted(layer.image_id[0].tolist()) == list(RED)
        at = centres(layer.geometry.receptive_field, layer.geometry.map_size, found.about.input_size)
        for place, number in enumerate(layer.image_id[0].tolist()):
            rings = outline(found.maps("features.1", 0)[place], layer.level[0], at, (INPUT, INPUT))
            box = found.input_box(number)
            assert box.tolist() == [4, 2, 36, 34]
            # Into the original's pixels; there is no resizing.
            (ring,) = [one + box[:2] for one in rings]
            x, y = place_of(number)
            # Neurons stand two pixels apart and average three.
            np.testing.assert_allclose(ring.min(0), (x, y), atol=1)
            np.testing.assert_allclose(ring.max(0), (x + 6, y + 6), atol=1)


def test_after_a_gate_the_field_without_it_is_kept(paths):
    outlines.run(outlines.Params(**PARAMS), paths)
    with open_outlines(paths["out"]) as found:
        assert found.layer("features.1").ungated is None
        for name in ("features.3", "features.4"):
            layer = found.layer(name)
            assert layer.geometry.receptive_field.status == "global"
            assert (layer.ungated.size, layer.ungated.stride, layer.ungated.start) == (
                (7, 7),
                (2, 2),
                (-3, -3),
            )


def test_counts(paths):
    outlines.run(outlines.Params(**PARAMS), paths)
    counts = json.loads(paths["metrics"].read_text())
    assert (counts["sample"], counts["units"]) == (18, 7)
    assert counts["outlines"] + counts["maps_below_level"] == 7 * K - 3


def test_equal_inputs_give_equal_bytes_whatever_the_workers(paths, monkeypatch):
    contents = []
    for workers in ("1", "3"):
        monkeypatch.setenv("CONVATLAS_WORKERS", workers)
        outlines.run(outlines.Params(**PARAMS), paths)
        contents.append(paths["out"].read_bytes())
    assert contents[0] == contents[1]


def test_left_out_it_says_so(paths):
    outlines.run(outlines.Params(**PARAMS | {"run": False}), paths)
    with open_outlines(paths["out"]) as found:
        assert found == not_run("outlines")
    assert json.loads(paths["metrics"].read_text()) == {}


def test_an_image_that_is_gone_has_no_map_and_all_gone_is_an_error(paths, folder):
    params = outlines.Params(**PARAMS | {"sample": 100})
    files = {file: file.read_bytes() for file in (folder / "data/a").iterdir()}
    gone = folder / "data/a/23.png"
    try:
        gone.unlink()
        outlines.run(params, paths)
        with open_outlines(paths["out"]) as found:
            assert found.about.sample == IMAGES - 1
            for name in LAYERS:
                assert 23 not in found.layer(name).image_id
        for file in files.keys() - {gone}:
            file.unlink()
        with pytest.raises(UserError, match="none of 24 images can be read any more"):
            outlines.run(params, paths)
    finally:
        for file, data in files.items():
            file.write_bytes(data)
