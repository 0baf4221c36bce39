import numpy as np

from pipeline.analyses.neighbours.agreement import chance_agreement, hub_share, label_agreement


def test_agreement_is_a_share_of_the_neighbours_that_have_a_label():
    neighbour = np.array([[0, 0, 1, -1], [0, 1, 1, 1], [-1, -1, -1, -1]])
    np.testing.assert_allclose(label_agreement(np.array([0, 0, 1]), neighbour), [2 / 3, 1 / 4, np.nan])


def test_chance_is_the_agreement_of_neighbours_drawn_at_random():
    label = np.array([0, 0, 0, 0, 0, 1, 1, 1, 2])
    found = chance_agreement(label, np.bincount(label))
    others = [np.delete(label, own) for own in range(len(label))]
    expected = [np.mean(rest == one) for rest, one in zip(others, label, strict=True)]
    np.testing.assert_allclose(found, expected)


def test_of_one_image_there_is_no_chance():
    assert np.isnan(chance_agreement(np.array([0]), np.array([1]))).all()


def test_a_hub_stands_in_most_lists():
    assert hub_share(np.array([[1, 2], [3, 2], [2, 9], [5, 6]])) == 3 / 4
