"""Predictions against labels."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, log_loss

from pipeline.analyses.predictions.predictions import (
    accuracy,
    confusion,
    counted_split,
    held_out,
    joined,
    rank_outputs,
    reliability,
)
from pipeline.errors import UserError


@pytest.fixture
def scores():
    rng = np.random.default_rng(0)
    logits = (rng.normal(size=(200, 8)) * 3 + 500).astype(np.float32)
    return logits, rng.integers(-1, 8, 200)


@pytest.fixture
def predictions(scores):
    return rank_outputs(*scores)


def test_rows_equal_the_definition(scores, predictions):
    logits, label = scores
    expected = log_softmax(logits.astype(float), axis=1)
    np.testing.assert_array_equal(predictions.predicted, expected.argmax(axis=1))
    np.testing.assert_allclose(predictions.probability, np.exp(expected.max(axis=1)), rtol=1e-6)
    for row, right in enumerate(label):
        order = np.argsort(-logits[row], kind="stable").tolist()
        assert predictions.label_rank[row] == (order.index(right) if right >= 0 else -1)
        if right >= 0:
            assert predictions.log_loss[row] == pytest.approx(-expected[row, right], rel=1e-5)
        else:
            assert np.isnan(predictions.log_loss[row])


def test_equal_logits_rank_by_index():
    found = rank_outputs(np.zeros((3, 4)), np.array([0, 2, -1]))
    assert found.predicted.tolist() == [0, 0, 0]
    assert found.label_rank.tolist() == [0, 2, -1]
    assert found.correct.tolist() == [True, False, False]


def test_shards_joined_equal_the_whole(scores, predictions):
    logits, label = scores
    parts = [
        rank_outputs(logits[rows], label[rows]) for rows in (slice(0, 30), slice(30, 31), slice(31, 200))
    ]
    np.testing.assert_array_equal(joined(parts).log_loss, predictions.log_loss)
    assert len(joined(parts)) == 200


def test_accuracy_equals_counting(scores, predictions):
    logits, label = scores
    known = label >= 0
    right = int((logits.argmax(axis=1) == label)[known].sum())
    interval = binomtest(right, int(known.sum())).proportion_ci(method="wilson")
    found = accuracy(predictions, 8)
    assert found["images"] == known.sum()
    assert found["accuracy"] == pytest.approx(right / known.sum())
    assert (found["accuracy_low"], found["accuracy_high"]) == pytest.approx((interval.low, interval.high))
    five = np.argsort(-logits, axis=1)[:, :5]
    assert found["top5_accuracy"] == pytest.approx((five == label[:, None]).any(axis=1)[known].mean())
    probability = np.exp(log_softmax(logits.astype(float), axis=1))[known]
    assert found["log_loss"] == pytest.approx(log_loss(label[known], probability, labels=range(8)), rel=1e-5)


def test_no_top_five_of_five_outputs(predictions):
    assert "top5_accuracy" not in accuracy(predictions, 5)


def test_nothing_is_labelled(scores):
    found = rank_outputs(scores[0], np.full(200, -1))
    assert accuracy(found, 8) == {"images": 0}
    assert not len(confusion(found).images)
    calibration = reliability(found, 5, "count")
    assert calibration.error == 0
    assert calibration.count.sum() == 0


def test_confusion_equals_scikit_learns(scores, predictions):
    known = scores[1] >= 0
    expected = confusion_matrix(scores[1][known], predictions.predicted[known], labels=range(8))
    found = confusion(predictions)
    label, predicted = np.nonzero(expected)
    np.testing.assert_array_equal(found.label, label)
    np.testing.assert_array_equal(found.predicted, predicted)
    np.testing.assert_array_equal(found.images, expected[label, predicted])


def by_hand(predictions, edges):
    known = predictions.rows(predictions.label >= 0)
    error, rows = 0.0, []
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        inside = (known.probability > low) & (known.probability <= high)
        if inside.any():
            confidence, right = known.probability[inside].mean(), known.correct[inside].mean()
            error += inside.mean() * abs(right - confidence)
            rows.append((inside.sum(), confidence, right))
    return error, np.array(rows)


def test_reliability_in_bins_of_equal_width_equals_counting(predictions):
    found = reliability(predictions, 10)
    error, rows = by_hand(predictions, np.linspace(0, 1, 11))
    assert found.error == pytest.approx(error, rel=1e-5)
    filled = found.count > 0
    np.testing.assert_allclose(
        np.stack([found.count, found.confidence, found.accuracy], 1)[filled], rows, rtol=1e-5
    )
    assert np.isnan(found.accuracy[~filled]).all()


def test_bins_of_equal_count_share_the_images(predictions):
    found = reliability(predictions, 7, "count")
    assert np.ptp(found.count) <= 1
    assert found.count.sum() == (predictions.label >= 0).sum()
    assert (np.diff(found.confidence) > 0).all()
    assert ((found.low <= found.confidence) & (found.confidence <= found.high)).all()


def test_a_bin_holds_its_upper_end():
    even = rank_outputs(np.zeros((3, 2)), np.zeros(3, int))
    assert reliability(even, 2).count.tolist() == [3, 0]


def test_a_sure_network_that_is_right_is_calibrated():
    found = rank_outputs(np.eye(4) * 1000, np.arange(4))
    assert reliability(found, 15).error == pytest.approx(0)
    assert reliability(found, 15).count[-1] == 4


@pytest.mark.parametrize(
    ("splits", "expected"),
    [
        (["train", "test"], "test"),
        (["val", "train"], "val"),
        (["val", "test"], "test"),
        ([], None),
        (["train"], None),
        (["fold1"], None),
    ],
)
def test_which_split_counts(splits, expected):
    assert held_out(np.array(splits)) == expected


@pytest.mark.parametrize(
    ("splits", "trained", "drawn", "expected"),
    [
        (["train", "test"], True, True, ("test", "held out")),
        (["train", "dev"], True, False, ("dev", "held out")),
        (["train"], True, False, (None, "trained on")),
        (["train", "test"], False, True, (None, "unknown")),
        (["train", "val"], False, False, ("val", "declared")),
        (["test"], False, False, ("test", "declared")),
        (["train"], False, False, (None, "unknown")),
    ],
)
def test_what_is_known_of_the_images_that_count(splits, trained, drawn, expected):
    assert counted_split(np.array(splits), trained=trained, drawn=drawn) == expected


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_logits_that_are_not_finite_are_refused(bad):
    with pytest.raises(UserError, match="NaN or infinite"):
        rank_outputs(np.array([[0, bad]]), np.array([0]))


def test_the_leading_outputs_are_those_of_a_whole_ranking():
    logits = np.random.default_rng(0).normal(scale=4, size=(600, 9)).astype(np.float32)
    found = rank_outputs(logits, np.full(600, -1))
    ranked = np.argsort(-logits, axis=1)[:, :5]
    np.testing.assert_array_equal(found.leading, ranked)
    expected = np.take_along_axis(softmax(logits.astype(np.float64), axis=1), ranked, axis=1)
    np.testing.assert_allclose(found.leading_probability, expected, rtol=1e-6)


def test_of_equal_outputs_the_first_leads_and_few_are_all():
    found = rank_outputs(np.zeros((2, 3)), np.full(2, -1))
    assert found.leading.tolist() == [[0, 1, 2]] * 2
    np.testing.assert_allclose(found.leading_probability, 1 / 3, rtol=1e-6)
