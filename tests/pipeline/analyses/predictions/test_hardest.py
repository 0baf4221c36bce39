import numpy as np

from pipeline.analyses.predictions.hardest import hardest


def test_hard_is_what_chance_does_not_explain():
    # Of 10 images each, all right but in the last class; three wrong of ten once in 3,000 times at 97.5 %.
    labelled = np.full(12, 10)
    right = np.array([10] * 11 + [7])
    assert hardest(right, labelled).tolist() == [11]
    assert not len(hardest(np.array([10] * 11 + [9]), labelled))
    assert not len(hardest(np.array([1] * 250 + [0] * 50), np.ones(300, int)))
