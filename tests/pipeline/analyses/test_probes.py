import numpy as np
import pytest

from pipeline.analyses.probes import RIGHT, UNKNOWN, WRONG, Wanted, draw


def drawn(group, verdict, right=2, wrong=2, most=24, seed=0, least=0):
    group, verdict = np.asarray(group, np.int64), np.asarray(verdict, np.int8)
    return draw(group, verdict, Wanted(right, wrong, least, most), seed)


def test_so_many_right_and_wrong_ones_of_each_group():
    group, verdict = np.repeat(np.arange(4), 50), np.tile([RIGHT] * 40 + [WRONG] * 10, 4)
    rows = drawn(group, verdict, right=3, wrong=1)
    assert len(set(rows.tolist())) == 16
    for number in range(4):
        of_group = rows[group[rows] == number]
        assert sorted(verdict[of_group].tolist()) == [WRONG, RIGHT, RIGHT, RIGHT]


def test_one_of_each_group_before_any_second_and_half_of_them_wrong():
    group, verdict = np.repeat(np.arange(6), 50), np.tile([RIGHT] * 40 + [WRONG] * 10, 6)
    rows = drawn(group, verdict)
    assert len(rows) == 24
    for place in range(4):
        assert sorted(group[rows[6 * place : 6 * place + 6]].tolist()) == list(range(6))
        assert verdict[rows[6 * place : 6 * place + 6]].sum() == 3


def test_a_group_that_lacks_one_kind_gives_what_it_has():
    rows = drawn([0, 0, 0, 1], [RIGHT, RIGHT, RIGHT, WRONG])
    assert sorted(np.array([0, 0, 0, 1])[rows].tolist()) == [0, 0, 1]


def test_without_verdicts_as_many_as_of_both_kinds():
    rows = drawn(np.repeat([3, 9], 20), np.full(40, UNKNOWN), right=2, wrong=1)
    assert np.bincount(np.repeat([3, 9], 20)[rows], minlength=10)[[3, 9]].tolist() == [3, 3]


@pytest.mark.parametrize("count", [0, 1, 300])
def test_no_more_than_wanted_and_no_fewer_than_there_are(count):
    assert len(drawn(np.arange(count), np.full(count, RIGHT))) == min(count, 24)


def test_the_seed_alone_decides():
    group, verdict = np.repeat(np.arange(3), 100), np.tile([RIGHT, WRONG], 150)
    first, again, other = (drawn(group, verdict, seed=seed).tolist() for seed in (0, 0, 1))
    assert first == again != other


def test_every_image_of_a_kind_is_drawn_as_often():
    counts = np.zeros(10)
    for seed in range(400):
        counts[drawn(np.zeros(10), np.full(10, RIGHT), right=1, wrong=0, seed=seed)] += 1
    assert counts.min() > 15 and counts.max() < 75


def test_of_few_groups_more_are_drawn_each():
    group, verdict = np.repeat([0, 1], 30), np.tile([RIGHT, RIGHT, WRONG], 20)
    rows = drawn(group, verdict, least=12)
    assert len(rows) == 16 and rows[:8].tolist() == drawn(group, verdict).tolist()
    for one in (0, 1):
        assert np.bincount(verdict[rows][group[rows] == one]).tolist() == [4, 4]
    assert len(drawn(group, verdict, wrong=0, least=12)) == 12
    assert len(drawn(group, verdict, least=12, most=10)) == 10
    assert len(drawn(group[:5], verdict[:5], least=12)) == 5, "that is all there is"
    assert not len(drawn(group, verdict, right=0, wrong=0, least=12))
