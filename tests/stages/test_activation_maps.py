"""The stage `activation_maps` on a network built by hand, whose maps NumPy knows to the pixel."""

import json

import numpy as np
import pytest
from PIL import Image

from pipeline.errors import UserError
from pipeline.formats.activation_maps import open_activation_maps
from pipeline.formats.probes import Probes, write_probes
from pipeline.formats.status import not_run, write_status
from pipeline.images.preprocess import Preprocessing
from stages import activation_maps
from tests.small.artifacts import write_manifest_of
from tests.small.networks import save_networks

INPUT, IMAGES, LARGE = 16, 6, 100_000
PROBES = (4, 1, 3)
PREPROCESSING = Preprocessing(input_size=INPUT, resize=None, crop="center", mean=[0.0] * 3, std=[1.0] * 3)
PARAMS = {"run": True, "layers": "auto", "units": 2048, "probes": 24, "batch_size": 2, "seed": 0}
SOURCE = f"""
import torch
from torch import nn

def known(classes):
    # Red; green one pixel to the right; red less green; never positive.
    first = nn.Conv2d(3, 4, 3, padding=1, bias=False)
    # The sum of four positions of each of the first three, the first of them very large.
    last = nn.Conv2d(4, 3, 2, stride=2, bias=False)
    with torch.no_grad():
        first.weight.zero_()
        last.weight.zero_()
        first.weight[0, 0, 1, 1] = first.weight[1, 1, 1, 0] = first.weight[2, 0, 1, 1] = 1
        first.weight[2, 1, 1, 1] = first.weight[3, 2, 1, 1] = -1
        for unit in range(3):
            last.weight[unit, unit] = {LARGE} if unit == 0 else 1
    features = nn.Sequential(first, nn.ReLU(), last, nn.BatchNorm2d(3), nn.ReLU())
    return nn.Sequential(features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, classes))

def flat(classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * {INPUT**2}, classes))
"""


def picture(number):
    return np.random.default_rng(int(number)).integers(0, 256, (INPUT, INPUT, 3)).astype(np.uint8)


def first_maps(number):
    """What the first convolution gives, (4, 16, 16)."""
    red, green, blue = np.moveaxis(picture(number).astype(np.float32) / 255, -1, 0)
    return np.stack([red, np.pad(green, ((0, 0), (1, 0)))[:, :-1], red - green, -blue])


def last_maps(number):
    """What the last one gives after its ReLU, (3, 8, 8); its normalisation divides by √(1 + 1e-5)."""
    kept = np.maximum(first_maps(number), 0)[:3].reshape(3, 8, 2, 8, 2)
    return kept.sum((2, 4)) * np.array([LARGE, 1, 1])[:, None, None] / np.sqrt(1 + 1e-5)


def maps_by_hand(layer, number):
    return {
        "0.0": first_maps(number),
        "0.1": np.maximum(first_maps(number), 0),
        "0.4": last_maps(number),
    }[layer]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("known")
    names = [f"a/{number}.png" for number in range(IMAGES)]
    (folder / "data/a").mkdir(parents=True)
    for number, name in enumerate(names):
        Image.fromarray(picture(number)).save(folder / "data" / name)
    write_manifest_of(folder / "manifest.h5", folder / "data", names)
    save_networks(folder, SOURCE, ("known", "flat"), PREPROCESSING)
    count, zeros = len(PROBES), np.zeros(len(PROBES), np.int32)
    probes = Probes(
        np.array(PROBES), tuple(names[number] for number in PROBES), ("train",) * count, zeros, zeros,
        np.ones(count, np.float32), np.zeros(count, np.bool_), "",
    )  # fmt: skip
    pictures = np.stack([picture(number) for number in PROBES])
    write_probes(folder / "probes.h5", probes, pictures, made_from={})
    return folder


@pytest.fixture
def paths(folder, tmp_path):
    paths = {name: folder / f"{name}.h5" for name in ("manifest", "probes")} | {"weights": folder / "known"}
    return paths | {"out": tmp_path / "maps.h5", "metrics": tmp_path / "maps.json"}


def run(paths, **changed):
    activation_maps.run(activation_maps.Params(**PARAMS | changed), paths)


def test_maps_of_first_and_last_convolution_after_their_relu_are_those_known(paths):
    run(paths)
    with open_activation_maps(paths["out"]) as found:
        assert found.layers == ("0.1", "0.4")
        assert found.image_id.tolist() == list(PROBES)
        for name in found.layers:
            layer = found.layer(name)
            assert layer.units == len(layer.unit) == {"0.1": 4, "0.4": 3}[name]
            for place, number in enumerate(PROBES):
                expected = maps_by_hand(name, number)
                np.testing.assert_allclose(found.maps(name, place), expected, rtol=1e-3, atol=1e-6)
                np.testing.assert_allclose(layer.largest[place], expected.max((1, 2)), rtol=1e-5)
                np.testing.assert_allclose(layer.sparsity[place], (expected == 0).mean((1, 2)), rtol=1e-6)


def test_values_that_float16_cannot_hold_are_divided(paths):
    run(paths)
    with open_activation_maps(paths["out"]) as found:
        layer = found.layer("0.4")
        assert layer.largest[:, 0].max() > np.finfo(np.float16).max
        assert layer.scale[0] > 1 and layer.scale[1:].tolist() == [1, 1]


def test_a_unit_that_is_never_positive_has_maps_of_zeros_and_no_localisation(paths):
    run(paths)
    with open_activation_maps(paths["out"]) as found:
        layer = found.layer("0.1")
        assert (layer.sparsity[:, 3] == 1).all() and np.isnan(layer.localisation[:, 3]).all()
        assert not np.isnan(layer.localisation[:, :3]).any()
    numbers = json.loads(paths["metrics"].read_text())
    assert numbers["images"] == 3 and set(numbers["sparsity"]) == {"0.1", "0.4"}


def test_before_the_relu_maps_are_negative_too(paths):
    run(paths, layers=("0.0",))
    with open_activation_maps(paths["out"]) as found:
        assert found.layers == ("0.0",)
        np.testing.assert_allclose(found.maps("0.0", 0), first_maps(PROBES[0]), rtol=1e-3, atol=1e-6)
        assert (found.layer("0.0").smallest[:, 3] < -0.9).all()


def test_of_more_units_and_probes_a_sample_and_the_first(paths):
    run(paths, units=2, probes=2)
    with open_activation_maps(paths["out"]) as found:
        assert found.image_id.tolist() == list(PROBES[:2])
        unit = found.layer("0.1").unit
        assert len(unit) == 2
        expected = maps_by_hand("0.1", PROBES[1])[unit]
        np.testing.assert_allclose(found.maps("0.1", 1), expected, rtol=1e-3, atol=1e-6)


def test_equal_inputs_give_equal_bytes_whatever_the_workers(paths, monkeypatch):
    contents = []
    for workers in ("1", "3"):
        monkeypatch.setenv("CONVATLAS_WORKERS", workers)
        run(paths)
        contents.append(paths["out"].read_bytes())
    assert contents[0] == contents[1]


def test_without_a_map_it_does_not_apply(paths, folder):
    run(paths | {"weights": folder / "flat"})
    with open_activation_maps(paths["out"]) as found:
        assert found == activation_maps.NO_MAPS
    assert json.loads(paths["metrics"].read_text()) == {}


def test_left_out_or_without_probes_it_says_so(paths, tmp_path):
    run(paths, run=False)
    with open_activation_maps(paths["out"]) as found:
        assert found == not_run("activation_maps")
    write_status(tmp_path / "probes.h5", not_run("probes"), stage="probes", version=1)
    run(paths | {"probes": tmp_path / "probes.h5"})
    with open_activation_maps(paths["out"]) as found:
        assert found == not_run("probes")


def test_a_layer_that_is_not_there_is_named(paths):
    with pytest.raises(UserError, match=r"activation_maps.layers: no layer matches '0.9'"):
        run(paths, layers=("0.9",))


def test_a_probe_that_is_gone_has_no_maps(paths, folder):
    file = folder / "data/a/1.png"
    content = file.read_bytes()
    try:
        file.unlink()
        run(paths)
        with open_activation_maps(paths["out"]) as found:
            assert found.image_id.tolist() == [4, 3]
            expected = maps_by_hand("0.4", 3)
            np.testing.assert_allclose(found.maps("0.4", 1), expected, rtol=1e-3, atol=1e-6)
    finally:
        file.write_bytes(content)
