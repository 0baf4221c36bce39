import numpy as np

from pipeline.formats.scorecard import CENTRE, RANDOM, VERSION, read_scorecard, write_scorecard
from pipeline.formats.status import not_run, write_status
from tests.small.scorecard import METHODS, scorecard

FOUND = scorecard()


def equal(one, other):
    assert vars(one).keys() == vars(other).keys()
    for name, values in vars(one).items():
        np.testing.assert_array_equal(values, getattr(other, name), err_msg=name)


def test_what_is_written_is_read(tmp_path):
    write_scorecard(tmp_path / "scorecard.h5", FOUND, made_from={})
    found = read_scorecard(tmp_path / "scorecard.h5")
    assert found.about == FOUND.about
    equal(found.images, FOUND.images)
    assert found.images.by_label.dtype == np.bool_
    assert list(found.orders) == [*METHODS, CENTRE, RANDOM] and list(found.likeness) == list(METHODS)
    for name, one in FOUND.orders.items():
        equal(found.orders[name], one)
    for name, one in FOUND.likeness.items():
        equal(found.likeness[name], one)


def test_areas_are_trapezoids_over_the_share_of_pixels():
    deletion, insertion = FOUND.orders["saliency"].areas(FOUND.images.share)
    middle = FOUND.orders["saliency"].deletion[:, 1]
    np.testing.assert_allclose(deletion, (0.9 / 2 + middle + 0.1 / 2) / 2)
    assert insertion.shape == (8,) and (insertion > deletion).all()


def test_equal_scorecards_give_equal_bytes(tmp_path):
    for name in ("a.h5", "b.h5"):
        write_scorecard(tmp_path / name, FOUND, made_from={})
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_left_out_it_says_why(tmp_path):
    write_status(tmp_path / "s.h5", not_run("scorecard"), stage="scorecard", version=VERSION)
    assert read_scorecard(tmp_path / "s.h5") == not_run("scorecard")
