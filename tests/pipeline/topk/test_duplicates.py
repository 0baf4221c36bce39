"""Ranks that show an input again, and ranks by outputs that tie."""

import numpy as np

from pipeline.topk.duplicates import duplicates, equal_rows, output_ranks


def test_only_equal_inputs_are_duplicates():
    images = np.array([2, 3, 5, 7, 11])
    digest = np.array([[1, 1], [1, 2], [1, 1], [0, 2], [1, 2]], np.uint8)
    image_id = np.array([[11, 2, 5, 3, 7], [7, 5, 3, 2, 11]])
    expected = [[False, False, True, True, False], [False, False, False, True, True]]
    assert duplicates(image_id, images, digest).tolist() == expected


def test_any_ranking_marks_what_brute_force_marks():
    rng = np.random.default_rng(0)
    digest = rng.integers(0, 2, (60, 4)).astype(np.uint8)
    image_id = rng.permuted(np.tile(np.arange(60), (9, 1)), axis=1)[:, :20]
    found = duplicates(image_id, np.arange(60), digest)
    for row, ids in enumerate(image_id):
        seen = [digest[one].tobytes() for one in ids]
        assert found[row].tolist() == [one in seen[:rank] for rank, one in enumerate(seen)]


def test_equal_rows_have_equal_numbers():
    numbers = equal_rows(np.array([[1, 2], [3, 4], [1, 2]], np.uint8))
    assert numbers[0] == numbers[2] != numbers[1]


def test_equal_outputs_share_their_rank():
    value = np.array([[6, 6, 6, 5], [6, 4, 4, 1]], np.float32)
    assert output_ranks(value).tolist() == [[0, 0, 0, 3], [0, 1, 1, 3]]
