import numpy as np

from pipeline.analyses.attributes.columns import box_columns, column_of


def test_texts_become_places_in_words():
    column = column_of("light", "dataset", ["day", "", "night", "day"])
    assert column.words == ("day", "night")
    assert column.values.tolist() == [0, -1, 1, 0]
    assert column.known.tolist() == [True, False, True, True]
    assert column.rows(np.array([2])).values.tolist() == [1]


def test_numbers_stay_and_nan_is_not_known():
    column = column_of("hour", "dataset", np.array([1, np.nan], np.float32))
    assert column.words is None and column.known.tolist() == [True, False]


def test_the_largest_box_of_an_image_counts():
    image = np.array([0, 0, 2])
    box = np.array([[0, 0, 10, 10], [40, 20, 60, 60], [30, 10, 70, 30]], np.float32)
    width, height = np.array([100, 100, 100], np.int32), np.array([80, 80, 40], np.int32)
    scale, away, count, edge = box_columns(image, box, width, height)
    np.testing.assert_allclose(scale.values, [800 / 8000, np.nan, 800 / 4000])
    np.testing.assert_allclose(away.values, [0, np.nan, 0], atol=1e-12)
    np.testing.assert_array_equal(count.values, [2, np.nan, 1])
    assert edge.values.tolist() == [0, -1, 0]
    moved = box + np.array([40, 0, 40, 0], np.float32)
    *_, edge = box_columns(image, moved, width, height)
    assert edge.values.tolist() == [1, -1, 1]
    # The middle lies 40 right of the image's, of half a diagonal of 64.03.
    np.testing.assert_allclose(box_columns(image, moved, width, height)[1].values[0], 40 / np.hypot(50, 40))
