import numpy as np

from pipeline.images.preprocess import Preprocessing
from pipeline.images.way_back import to_image
from pipeline.images.way_in import to_input

PREPROCESSING = Preprocessing(input_size=(20, 30), resize=24, crop="center")


def test_boxes_go_in_the_way_that_they_come_back():
    random = np.random.default_rng(0)
    corner, size = random.uniform(0, 8, (5, 2)), random.uniform(1, 10, (5, 2))
    boxes = np.concatenate([corner, corner + size], 1)
    image = to_image(boxes, 100, 60, PREPROCESSING)
    np.testing.assert_allclose(to_input(image, 100, 60, PREPROCESSING), boxes)


def test_they_are_cut_to_what_is_seen_and_left_out_where_nothing_is():
    whole, outside = [0, 0, 100, 60], [0, 0, 3, 60]
    found = to_input(np.array([whole, outside]), 100, 60, PREPROCESSING)
    assert found.tolist() == [[0, 0, 30, 20]]
    assert to_input(np.zeros((0, 4)), 100, 60, PREPROCESSING).shape == (0, 4)
