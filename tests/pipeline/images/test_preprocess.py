"""The geometry of torchvision's transforms, the way back, and what may be written in params."""

import json

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.images.network_input import prepare
from pipeline.images.preprocess import Preprocessing, placement
from pipeline.images.way_back import to_image, view
from pipeline.params import check_block
from tests.small.resizing import CASES


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
    reach = 1.5 * max(placement(width, height, preprocessing).scale) + 1
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


@pytest.mark.parametrize("grey", [{}, {"mean": [0.4], "std": [0.2]}])
def test_it_is_written_and_read_back(grey):
    preprocessing = Preprocessing(input_size=224, resize=256, interpolation="bicubic", **grey)
    assert preprocessing.channels == (1 if grey else 3)
    assert Preprocessing.model_validate_json(preprocessing.model_dump_json()) == preprocessing
    assert Preprocessing.model_validate(json.loads(preprocessing.model_dump_json())) == preprocessing


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"input_size": 0}, "input_size"),
        ({"input_size": [32, 32], "resize": 0}, "resize"),
        ({"input_size": [32, 32], "resiez": 3}, "resize"),
        ({"input_size": [32, 32], "mean": [0.5, 0.5]}, r"mean.* 3 values .* or 1 .*got \[0.5, 0.5\]"),
        ({"input_size": [32, 32], "mean": [0.5]}, "as many values, got 1 and 3; write 3 each"),
        ({"input_size": [32, 32], "std": []}, "std"),
        ({"input_size": [32, 32], "std": [0.5, 0.5, 0.0]}, "std"),
        ({"input_size": [32, 32], "mean": [0.5, 0.5, float("nan")]}, "mean"),
        ({"input_size": [32, 32], "resize": 16, "crop": "none"}, "crop: none"),
        ({"input_size": [32, 32], "interpolation": "cubic"}, "bicubic"),
    ],
)
def test_mistakes_are_named(block, words):
    with pytest.raises(UserError, match=words):
        check_block(block, "preprocessing", Preprocessing, source="params.yaml")
