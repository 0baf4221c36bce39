"""The pixels and the geometry of torchvision's transforms, and the way back."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from pipeline.errors import UserError
from pipeline.params import check_block
from pipeline.preprocess import RESAMPLING, Preprocessing, geometry, normalise, prepare, to_image, view

SIZES = [(50, 37), (37, 50), (33, 47), (1, 1), (7, 90), (90, 7), (64, 64), (65, 63), (31, 31), (200, 11)]
CASES = [
    (40, (32, 32)), (32, (32, 32)), (33, (32, 32)), (None, (32, 32)), (20, (32, 32)), ((25, 35), (17, 23)),
    ((15, 45), (32, 32)), (40, (31, 33)), (64, (56, 56)), (29, (28, 28)),
]  # fmt: skip
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
        assert np.array_equal(prepare(Image.fromarray(rgb), preprocessing), prepared)


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


@pytest.mark.parametrize(("resize", "size"), CASES)
@pytest.mark.parametrize(("width", "height"), [(300, 200), (211, 333), (64, 48), (20, 30)])
def test_boxes_come_back_to_a_fraction_of_a_pixel(resize, size, width, height):
    """The image's red is its x, its green its y: what a network pixel shows tells where it comes from."""
    y, x = np.mgrid[:height, :width]
    rgb = np.stack([x * 255 / width, y * 255 / height, x * 0], axis=-1).round().astype(np.uint8)
    preprocessing = Preprocessing(input_size=size, resize=resize)
    prepared = prepare(rgb, preprocessing).astype(float)
    rows, columns = np.mgrid[: size[0], : size[1]]
    boxes = np.stack([columns, rows, columns + 1, rows + 1], axis=-1)
    found = to_image(boxes, width, height, preprocessing)
    middle_x, middle_y = (found[..., 0] + found[..., 2]) / 2, (found[..., 1] + found[..., 3]) / 2
    reach = 1.5 * max(geometry(width, height, preprocessing).scale) + 1
    inside = (
        (middle_x > reach) & (middle_x < width - reach) & (middle_y > reach) & (middle_y < height - reach)
    )
    level = np.array([width, height]) / 255
    seen = prepared[..., :2] * level + 0.5
    error = np.abs(seen - np.stack([middle_x, middle_y], axis=-1))[inside]
    assert not inside.any() or error.max() <= level.max() * 1.1


def test_the_whole_input_is_the_view():
    preprocessing = Preprocessing(input_size=224, resize=256)
    assert view(256, 512, preprocessing) == (16.0, 144.0, 240.0, 368.0)
    assert view(512, 1024, preprocessing) == (32.0, 288.0, 480.0, 736.0)


def test_the_view_ends_where_the_image_ends():
    preprocessing = Preprocessing(input_size=(32, 32))
    assert view(20, 50, preprocessing) == (0.0, 9.0, 20.0, 41.0)
    assert to_image(np.array([0, 0, 32, 32]), 20, 50, preprocessing).tolist() == [-6.0, 9.0, 26.0, 41.0]


def test_boxes_keep_their_shape_and_may_leave_the_image():
    preprocessing = Preprocessing(input_size=(10, 10), resize=(10, 20))
    boxes = np.array([[[0, 0, 1, 1], [-3, -2, 14, 11]]], np.float32)
    mapped = to_image(boxes, 40, 40, preprocessing)
    assert mapped.tolist() == [[[10.0, 0.0, 12.0, 4.0], [4.0, -8.0, 38.0, 44.0]]]


def test_it_is_written_and_read_back():
    preprocessing = Preprocessing(input_size=224, resize=256, interpolation="bicubic")
    assert Preprocessing.model_validate_json(preprocessing.model_dump_json()) == preprocessing
    assert Preprocessing.model_validate(json.loads(preprocessing.model_dump_json())) == preprocessing


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"input_size": 0}, "input_size"),
        ({"input_size": [32, 32], "resize": 0}, "resize"),
        ({"input_size": [32, 32], "resiez": 3}, "resize"),
        ({"input_size": [32, 32], "mean": [0.5, 0.5]}, "mean"),
        ({"input_size": [32, 32], "std": [0.5, 0.5, 0.0]}, "std"),
        ({"input_size": [32, 32], "mean": [0.5, 0.5, float("nan")]}, "mean"),
        ({"input_size": [32, 32], "resize": 16, "crop": "none"}, "crop: none"),
        ({"input_size": [32, 32], "interpolation": "cubic"}, "bicubic"),
    ],
)
def test_mistakes_are_named(block, words):
    with pytest.raises(UserError, match=words):
        check_block(block, "preprocessing", Preprocessing, source="params.yaml")
