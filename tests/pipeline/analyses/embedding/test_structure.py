"""Whether codes differ by more than round-off."""

import numpy as np
import pytest

from pipeline.analyses.embedding.structure import FEWEST, count_distinct, why_no_structure, why_too_few


def test_points_are_counted_once_for_all_that_lie_near_them():
    points = np.array([[0, 0], [10, 0], [0.5, 0.5], [10.4, 0], [0, 20], [0, 0]])
    assert count_distinct(points, 1.0) == 3
    assert count_distinct(points, 0.0) == 5
    assert count_distinct(points, 1.0, most=2) == 2
    assert count_distinct(points[:0], 1.0) == 0


@pytest.mark.parametrize(
    ("precision", "relative", "structure"),
    [
        ("float32", 1e-6, False), ("float32", 1e-4, True), ("bfloat16", 1e-3, False), ("bfloat16", 0.1, True),
        ("float16", 1e-3, False), ("float16", 0.01, True),
    ],
)  # fmt: skip
def test_what_counts_as_round_off_is_the_precision_of_the_network(precision, relative, structure):
    points = 100 * relative * np.eye(8)
    assert (not why_no_structure(points, 100.0, precision)) == structure


def test_a_reason_is_a_sentence_with_the_number_of_images():
    assert why_too_few(1) == "A map needs at least 5 images, and there is one."
    assert why_too_few(FEWEST) == ""
    assert "all 1,200 images are the same" in why_no_structure(np.zeros((1200, 3)), 1.0, "float32")
