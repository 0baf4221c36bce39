"""Boxes: from positions in a map to pixels of the original image."""

import numpy as np
import pytest

from pipeline.images.preprocess import Preprocessing
from pipeline.numerics.geometry import ReceptiveField
from pipeline.topk.boxes import image_boxes, input_boxes

POOL5 = ReceptiveField(size=(195, 190), stride=(32, 16), start=(-66, -5), status="exact")


def test_input_boxes_follow_start_stride_and_size():
    boxes = input_boxes(np.array([[[0, 0], [2, 5]]], np.uint16), POOL5, (224, 224))
    assert boxes.tolist() == [[[-5, -66, 185, 129], [75, -2, 265, 193]]]


@pytest.mark.parametrize("status", ["global", "unknown"])
def test_global_and_unknown_layers_see_the_whole_input(status):
    layer = ReceptiveField(size=(1, 1), stride=(1, 1), start=(0, 0), status=status)
    assert input_boxes(np.zeros((2, 2), np.uint16), layer, (120, 224)).tolist() == [[0, 0, 224, 120]] * 2


def test_image_boxes_undo_resize_and_crop_for_each_image():
    preprocessing = Preprocessing(input_size=(100, 100), resize=100, crop="center")
    boxes = np.array([[[0, 0, 100, 100], [10, 20, 30, 40]], [[0, 0, 100, 100], [-10, 0, 5, 5]]], float)
    width, height = np.array([[200, 400], [100, 200]]), np.array([[200, 200], [300, 200]])
    expected = [[[0, 0, 200, 200], [120, 40, 160, 80]], [[0, 100, 100, 200], [-20, 0, 10, 10]]]
    mapped = image_boxes(boxes, width, height, preprocessing)
    assert mapped.dtype == np.float32
    assert mapped.tolist() == expected
