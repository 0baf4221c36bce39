import numpy as np
import pytest

from pipeline.formats.similarity import VERSION, Similarity, Training, read_similarity, write_similarity
from pipeline.formats.status import not_run, write_status

RNG = np.random.default_rng(0)
TRAINING = Training(("a", "final"), np.array([0, -1]), RNG.random((2, 3, 3)))


@pytest.mark.parametrize("training", [None, TRAINING])
def test_similarities_come_back(tmp_path, training):
    given = Similarity(
        ("x", "y", "z"), np.array([3, 4, 8]), RNG.random((3, 3)), RNG.random((2, 3, 3)), training
    )
    write_similarity(tmp_path / "similarity.h5", given, made_from={})
    found = read_similarity(tmp_path / "similarity.h5")
    assert found.layers == given.layers
    for name in ("image_id", "cka", "halves"):
        np.testing.assert_array_equal(getattr(found, name), getattr(given, name))
    assert (found.training is None) == (training is None)
    if training is not None:
        assert found.training.name == training.name
        np.testing.assert_array_equal(found.training.epoch, training.epoch)
        np.testing.assert_array_equal(found.training.cka, training.cka)


def test_a_status_comes_back(tmp_path):
    write_status(tmp_path / "x.h5", not_run("similarity"), stage="similarity", version=VERSION)
    assert read_similarity(tmp_path / "x.h5") == not_run("similarity")
