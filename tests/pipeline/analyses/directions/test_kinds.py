import numpy as np

from pipeline.analyses.directions.kinds import LabelledImages, filled, first_different
from pipeline.images.preprocess import Preprocessing

PREPROCESSING = Preprocessing(input_size=(8, 8), resize=None, crop="none", mean=[0.5], std=[0.5])


def test_near_duplicates_are_passed_over_and_places_left_empty():
    again = np.array([[0, 1, 0, 0], [0, 1, 1, 1], [0, 0, 0, 0]], bool)
    np.testing.assert_array_equal(first_different(again, 3), [[0, 2, 3], [0, -1, -1], [0, 1, 2]])
    # Fewer ranks than places.
    np.testing.assert_array_equal(first_different(again[:, :2], 3), [[0, -1, -1], [0, -1, -1], [0, 1, -1]])


def test_places_are_filled_with_their_ranks():
    values = np.array([[5.0, 4, 3], [9, 8, 7]])
    np.testing.assert_array_equal(
        filled(values, np.array([[2, 0], [1, -1]]), -np.inf), [[3, 5], [8, -np.inf]]
    )


def test_purity_is_of_the_classes_that_the_ranked_images_have():
    label = np.array([0, 0, 1, 2, -1, 5], np.int32)
    size = np.full(6, 8, np.int32)
    seen = LabelledImages(np.arange(5), np.zeros((5, 16), np.uint8), size, size, PREPROCESSING, label)
    assert seen.classes == 3
    found = seen.purity(np.array([[0, 1], [0, 2], [0, 4], [0, -1]]))
    np.testing.assert_allclose(found, [1, 1 - np.log(2) / np.log(3), np.nan, np.nan])
    # One class; two classes of one image each, where every row would be as pure.
    for ranked in ([0, 1], [1, 2]):
        alone = LabelledImages(np.array(ranked), seen.digest, size, size, PREPROCESSING, label)
        assert np.isnan(alone.purity(np.array([[1, 1]]))).all()
