"""The pixels of torchvision's transforms."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from pipeline.errors import UserError
from pipeline.images.network_input import RESAMPLING, normalise, normalise_tensor, prepare
from pipeline.images.preprocess import Preprocessing
from tests.small.resizing import CASES

SIZES = [(50, 37), (37, 50), (33, 47), (1, 1), (7, 90), (90, 7), (64, 64), (65, 63), (31, 31), (200, 11)]
# Grey levels of 255, on white noise, the worst case: float32 box edges move values across a rounding border.
TOLERANCE = {"nearest": 0, "box": 0, "bilinear": 2, "hamming": 2, "bicubic": 2, "lanczos": 2}
TOLERANCE_ON_PHOTOGRAPHS = 1


def noise(width, height, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def photograph(width, height):
    """Smooth, with the spectrum of a photograph: noise on all scales."""
    rng = np.random.default_rng(1)
    total = np.zeros((height, width, 3))
    for scale in (2, 4, 8, 16, 32):
        coarse = rng.uniform(0, 50, (height // scale + 2, width // scale + 2, 3)).astype(np.uint8)
        picture = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        total += np.asarray(picture)
    return total.clip(0, 255).astype(np.uint8)


def reference(rgb, preprocessing):
    steps = []
    if preprocessing.resize is not None:
        mode = transforms.InterpolationMode(preprocessing.interpolation)
        steps.append(transforms.Resize(preprocessing.resize, interpolation=mode))
    if preprocessing.crop == "center":
        steps.append(transforms.CenterCrop(preprocessing.input_size))
    return np.asarray(transforms.Compose(steps)(Image.fromarray(rgb)))


@pytest.mark.parametrize("interpolation", sorted(RESAMPLING))
@pytest.mark.parametrize(("resize", "size"), CASES)
def test_pixels_are_those_of_torchvision(interpolation, resize, size):
    preprocessing = Preprocessing(input_size=size, resize=resize, interpolation=interpolation)
    for width, height in SIZES:
        rgb = noise(width, height)
        expected = reference(rgb, preprocessing).astype(int)
        prepared = prepare(rgb, preprocessing)
        assert prepared.shape == (*size, 3)
        assert prepared.dtype == np.uint8
        difference = np.abs(expected - prepared)
        assert difference.max() <= TOLERANCE[interpolation], (width, height)
        assert (difference > 1).mean() < 0.005


@pytest.mark.parametrize("interpolation", sorted(RESAMPLING))
@pytest.mark.parametrize(("resize", "size"), [(256, 224), (232, 224), (224, 224), (342, 299)])
def test_photographs_differ_by_one_grey_level_at_most(interpolation, resize, size):
    preprocessing = Preprocessing(input_size=size, resize=resize, interpolation=interpolation)
    rgb = photograph(500, 375)
    difference = np.abs(reference(rgb, preprocessing).astype(int) - prepare(rgb, preprocessing))
    assert difference.max() <= TOLERANCE_ON_PHOTOGRAPHS
    assert difference.mean() < 0.02


def test_long_thin_images_are_not_resized_whole():
    """All of it would have 7 gigapixels."""
    preprocessing = Preprocessing(input_size=224, resize=256, interpolation="box")
    assert prepare(noise(30000, 1), preprocessing).shape == (224, 224, 3)
    assert prepare(noise(1, 30000), preprocessing).shape == (224, 224, 3)


def test_without_resize_and_crop_the_pixels_stay():
    preprocessing = Preprocessing(input_size=(8, 9), resize=None, crop="none")
    rgb = noise(9, 8)
    assert np.array_equal(prepare(rgb, preprocessing), rgb)
    with pytest.raises(UserError, match="10x9 pixels"):
        prepare(noise(9, 10), preprocessing)


def test_normalise_is_to_tensor_and_normalize_bit_for_bit():
    preprocessing = Preprocessing(input_size=(5, 6), mean=(0.1, 0.5, 0.9), std=(0.2, 0.3, 1.0))
    batch = np.stack([noise(6, 5, seed) for seed in range(3)])
    steps = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize(preprocessing.mean, preprocessing.std)]
    )
    expected = torch.stack([steps(Image.fromarray(image)) for image in batch])
    normalised = normalise(batch, preprocessing)
    assert np.array_equal(normalised, expected.numpy())
    assert torch.from_numpy(normalised).is_contiguous(memory_format=torch.channels_last)


DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")),
]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("mean", [(0.485, 0.456, 0.406), (0.4,)])
def test_tensors_are_normalised_to_the_same_bits(device, mean):
    preprocessing = Preprocessing(input_size=(16, 16), mean=mean, std=(0.229,) * len(mean))
    batch = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(len(mean), 3)
    found = normalise_tensor(torch.from_numpy(batch).to(device), preprocessing)
    assert np.array_equal(found.cpu().numpy(), normalise(batch, preprocessing))
    assert found.is_contiguous(memory_format=torch.channels_last)


GREY = {"mean": (0.4,), "std": (0.2,)}


def test_grey_is_pillows_luma_of_what_the_network_would_see_in_colour():
    for size in ((20, 20), (40, 50)):
        grey = prepare(noise(50, 37), Preprocessing(input_size=size, resize=30, **GREY))
        colour = prepare(noise(50, 37), Preprocessing(input_size=size, resize=30))
        assert np.array_equal(grey, np.asarray(Image.fromarray(colour).convert("L"))[..., np.newaxis])


def test_an_image_that_is_grey_keeps_its_values():
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    rgb = np.repeat(values[..., np.newaxis], 3, axis=2)
    preprocessing = Preprocessing(input_size=(16, 16), crop="none", **GREY)
    assert np.array_equal(prepare(rgb, preprocessing)[..., 0], values)
    batch = normalise(prepare(rgb, preprocessing)[np.newaxis], preprocessing)
    expected = transforms.Normalize(0.4, 0.2)(transforms.ToTensor()(values))
    assert np.array_equal(batch[0], expected.numpy())


def test_an_image_may_be_read_only():
    rgb = noise(50, 37)
    preprocessing = Preprocessing(input_size=(32, 32), resize=40)
    expected = prepare(rgb, preprocessing)
    rgb.flags.writeable = False
    assert np.array_equal(prepare(rgb, preprocessing), expected)
