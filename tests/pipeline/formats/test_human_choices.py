from dataclasses import fields

import numpy as np

from pipeline.formats.human_choices import rightness
from pipeline.formats.humans import People, read_people, write_humans
from pipeline.formats.status import Status
from tests.small.humans import choices, humans

NOBODY = Status("not applicable", "nobody")


def test_choices_come_back_beside_labels_and_without(tmp_path):
    given = choices(left_out=(1, 2, 3))
    for labels in (humans(), NOBODY):
        write_humans(tmp_path / "humans.h5", People(labels, given), made_from={})
        found = read_people(tmp_path / "humans.h5")
        assert found.humans == NOBODY or labels is not NOBODY
        for one in fields(given):
            before, after = getattr(given, one.name), getattr(found.choices, one.name)
            if one.name in ("scores", "whole"):
                before, after = vars(before), vars(after)
                assert all(np.array_equal(before[name], after[name]) for name in before)
            elif isinstance(before, np.ndarray):
                np.testing.assert_array_equal(before, after)
                assert before.dtype == after.dtype, one.name
            else:
                assert before == after


def test_the_reason_why_there_are_none_comes_back(tmp_path):
    write_humans(tmp_path / "humans.h5", People(humans(), NOBODY), made_from={})
    found = read_people(tmp_path / "humans.h5")
    assert found.choices == NOBODY and not isinstance(found.humans, Status)


def test_unsure_is_half_right():
    value = np.array([[1, 2], [1, 2], [3, -1]], np.float32)
    assert rightness(np.array([1, 0, -1], np.int8), value).tolist() == [1, 0, 0.5]
