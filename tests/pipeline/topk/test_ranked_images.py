"""Where ranks looked in their own images, and which show the network what it has seen."""

import numpy as np

from pipeline.images.preprocess import Preprocessing
from pipeline.numerics.geometry import ReceptiveField
from pipeline.topk.ranked_images import RankedImages

DIGEST = np.repeat(np.array([[1], [2], [1]], np.uint8), 16, 1)
# Of four images of the manifest, of which image 1 was not ranked.
IMAGES = RankedImages(
    np.array([0, 2, 3]), DIGEST, np.array([8, 9, 16, 8], np.int32), np.array([8, 9, 16, 8], np.int32),
    Preprocessing(input_size=(8, 8), resize=8, crop="center"),
)  # fmt: skip


def test_boxes_are_in_pixels_of_their_own_image():
    field = ReceptiveField(size=(2, 2), stride=(2, 2), start=(0, 0), status="exact")
    position = np.array([[[1, 2], [1, 2]]], np.uint16)
    boxes = IMAGES.boxes(np.array([[0, 2]]), position, field)
    assert boxes.dtype == np.float32
    assert boxes.tolist() == [[[4, 2, 6, 4], [8, 4, 12, 8]]]


def test_ranks_repeat_by_what_the_network_was_given():
    assert IMAGES.repeats(np.array([[0, 2, 3], [3, 2, 0]])).tolist() == [[False, False, True]] * 2
