"""What is shown of predictions against labels, by the number of classes."""

import numpy as np
import pytest

from pipeline.contents.writing import SectionDraft
from pipeline.figures.evaluation import OTHER, WORST, Evaluation, add_evaluation, restricted
from pipeline.formats.predictions import Calibration


def evaluation(confusion, held_out="test"):
    names = tuple(f"output {number}" for number in range(len(confusion)))
    count = int(confusion.sum())
    calibration = Calibration(
        confidence=np.array([0.4, 0.9]), accuracy=np.array([0.5, 0.7]),
        count=np.array([count // 4, count - count // 4]), low=np.array([0, 0.5]), high=np.array([0.5, 1]),
    )  # fmt: skip
    return Evaluation(names, confusion, calibration, held_out)


@pytest.fixture
def section(tmp_path):
    return SectionDraft("summary", tmp_path)


def test_of_many_classes_the_hardest_stand_in_a_table(section):
    confusion = np.diag(np.full(60, 10))
    confusion[7, 7], confusion[7, 8] = 4, 6
    add_evaluation(section, evaluation(confusion))
    assert [block.id for block in section.blocks] == ["worst-classes", "confused", "calibration"]
    worst, confused, _ = section.blocks
    assert worst.numbers == {"worst": WORST, "labelled_classes": 60}
    assert worst.rows[0][:3] == ("output 7", 10, 0.4)
    assert worst.rows[0][3] == pytest.approx((0.1682, 0.6873), abs=1e-4)
    assert confused.rows == (("output 7", "output 8", 6, 0.6),)
    assert worst.evidence.n == confused.evidence.n == 600
    assert (worst.evidence.interval, confused.evidence.interval) == ("wilson", None)


def test_of_few_classes_all_are_drawn(section):
    add_evaluation(section, evaluation(np.diag([3, 4, 5])))
    assert [block.id for block in section.blocks] == ["classes", "confusion", "calibration"]
    assert section.numbers["evaluated"] == 12


def test_the_calibration_error_is_the_mean_gap_weighed_by_images(section):
    add_evaluation(section, evaluation(np.diag([4, 4])))
    assert section.numbers["ece"] == pytest.approx((0.1 * 2 + 0.2 * 6) / 8)


def test_without_labels_nothing_is_shown(section):
    add_evaluation(section, evaluation(np.zeros((3, 3), int)))
    assert not section.blocks and not section.numbers


def test_outputs_that_are_no_label_count_as_one_column():
    matrix, columns, rows = restricted(evaluation(np.array([[5, 1, 2], [0, 0, 0], [1, 3, 4]])))
    assert (columns, rows) == (["output 0", "output 2", OTHER], ["output 0", "output 2"])
    assert matrix.tolist() == [[5, 2, 1], [1, 4, 3]]
