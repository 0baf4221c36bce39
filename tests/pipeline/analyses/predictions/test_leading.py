import numpy as np
from scipy.special import softmax

from pipeline.analyses.predictions.leading import leading_outputs


def test_the_first_outputs_are_those_of_a_whole_ranking():
    logits = np.random.default_rng(0).normal(scale=4, size=(600, 9)).astype(np.float32)
    output, probability = leading_outputs(logits)
    ranked = np.argsort(-logits, axis=1)[:, :5]
    np.testing.assert_array_equal(output, ranked)
    expected = np.take_along_axis(softmax(logits.astype(np.float64), axis=1), ranked, axis=1)
    np.testing.assert_allclose(probability, expected, rtol=1e-6)


def test_of_equal_outputs_the_first_comes_first_and_few_are_all():
    output, probability = leading_outputs(np.zeros((2, 3)))
    assert output.tolist() == [[0, 1, 2]] * 2
    np.testing.assert_allclose(probability, 1 / 3, rtol=1e-6)
