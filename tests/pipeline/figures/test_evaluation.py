"""What is shown of predictions against labels, by the number of classes."""

import csv

import numpy as np
import pytest

from pipeline.contents.writing import SectionDraft
from pipeline.figures.evaluation import (
    MOST_LISTED,
    MOST_ROWS,
    Evaluation,
    add_evaluation,
    most_frequent,
    square_of,
)
from pipeline.formats.predictions import Calibration, Confusion


def evaluation(matrix, held_out="test", names=None):
    names = names or tuple(f"output {number}" for number in range(len(matrix)))
    label, predicted = np.nonzero(matrix)
    count = int(matrix.sum())
    calibration = Calibration(
        confidence=np.array([0.4, 0.9]), accuracy=np.array([0.5, 0.7]),
        count=np.array([count // 4, count - count // 4]), low=np.array([0, 0.5]), high=np.array([0.5, 1]),
    )  # fmt: skip
    return Evaluation(names, Confusion(label, predicted, matrix[label, predicted]), calibration, held_out)


@pytest.fixture
def section(tmp_path):
    return SectionDraft("summary", tmp_path)


def test_of_many_classes_those_that_are_clearly_hard_stand_in_a_table(section):
    matrix = np.diag(np.full(60, 10))
    matrix[7, 7], matrix[7, 8] = 4, 6
    # 8 of 10 where 593 of 600 are right: once in 200 times by chance, and there are 60 classes.
    matrix[9, 9], matrix[9, 8] = 8, 2
    add_evaluation(section, evaluation(matrix))
    assert [block.id for block in section.blocks] == ["worst-classes", "confused", "calibration"]
    worst, confused, _ = section.blocks
    assert (worst.numbers["worst"], worst.numbers["hard"], worst.numbers["labelled_classes"]) == (1, 1, 60)
    assert worst.rows[0][:3] == ("output 7", 10, 0.4)
    assert worst.rows[0][3] == pytest.approx((0.1682, 0.6873), abs=1e-4)
    assert [row[:3] for row in confused.rows] == [
        ("output 7", "output 8", (6, 10)), ("output 9", "output 8", (2, 10))
    ]  # fmt: skip
    assert confused.rows[0][3] == pytest.approx((0.3127, 0.8318), abs=1e-4)
    assert worst.evidence.n == confused.evidence.n == 600
    assert (worst.evidence.interval, confused.evidence.interval) == ("wilson", "wilson")


def test_of_classes_of_one_image_each_nothing_is_said(section):
    matrix = np.eye(60, dtype=int)
    matrix[:7] = np.roll(matrix[:7], 1, axis=1)
    add_evaluation(section, evaluation(matrix))
    assert [block.id for block in section.blocks] == ["confused", "calibration"]


def test_of_few_classes_all_are_drawn(section):
    add_evaluation(section, evaluation(np.diag([3, 4, 5])))
    assert [block.id for block in section.blocks] == ["classes", "confusion", "calibration"]
    assert section.numbers["evaluated"] == 12


def test_an_output_that_is_no_label_is_named(section):
    add_evaluation(section, evaluation(np.array([[5, 1, 2], [0, 0, 0], [1, 3, 4]])))
    (confused,) = (block for block in section.blocks if block.id == "confused")
    assert [row[:3] for row in confused.rows] == [
        ("output 2", "output 1", (3, 8)), ("output 0", "output 2", (2, 8)),
        ("output 0", "output 1", (1, 8)), ("output 2", "output 0", (1, 8)),
    ]  # fmt: skip
    rows = list(csv.reader((section.folder / "confusion.csv").open()))
    assert ["output 2", "output 1", "3", "0.375"] in rows


def test_classes_are_compared_by_their_place_and_not_by_their_name(section):
    add_evaluation(section, evaluation(np.diag([3, 4]), names=("crane", "crane")))
    assert "confused" not in [block.id for block in section.blocks]


def test_errors_are_listed_down_to_where_the_left_out_ones_tie():
    assert most_frequent([3, 2, 2]) == 3
    assert most_frequent([9, 5, *[1] * 30]) == 2
    assert most_frequent([1] * 30) == 0
    assert most_frequent([*range(40, 0, -1)]) == MOST_LISTED


def test_the_calibration_error_is_the_mean_gap_weighed_by_images(section):
    add_evaluation(section, evaluation(np.diag([4, 4])))
    assert section.numbers["ece"] == pytest.approx((0.1 * 2 + 0.2 * 6) / 8)


def test_without_labels_nothing_is_shown(section):
    add_evaluation(section, evaluation(np.zeros((3, 3), int)))
    assert not section.blocks and not section.numbers


def test_further_outputs_have_columns_of_their_own():
    drawn = square_of(evaluation(np.array([[5, 1, 2], [0, 0, 0], [1, 3, 4]])))
    assert (drawn.columns, drawn.rows) == (["output 0", "output 2", "output 1"], ["output 0", "output 2"])
    assert drawn.images.tolist() == [[5, 2, 1], [1, 4, 3]]
    assert drawn.folded == 0


def test_too_many_further_outputs_are_one_column():
    matrix = np.zeros((MOST_ROWS + 2, MOST_ROWS + 2), int)
    matrix[0] = 1
    drawn = square_of(evaluation(matrix))
    assert drawn.columns == ["output 0", f"{MOST_ROWS + 1} other outputs"]
    assert drawn.images.tolist() == [[1, MOST_ROWS + 1]]
    assert drawn.folded == MOST_ROWS + 1
