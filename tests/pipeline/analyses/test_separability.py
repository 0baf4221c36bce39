import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pipeline.analyses.separability import fit_probe, make_task

RNG = np.random.default_rng(0)
STRENGTHS = (10.0, 0.01, 0.1)


def blobs(count, classes, units=6, spread=1.0):
    label = np.arange(count) % classes
    centres = np.random.default_rng(1).standard_normal((classes, units))
    values = centres[label] + spread * RNG.standard_normal((count, units))
    return (100 * values + 40).astype(np.float32), label.astype(np.int64)


@pytest.mark.parametrize("classes", [2, 5])
def test_a_probe_is_scikit_learn_s_on_the_same_matrix(classes):
    values, label = blobs(300, classes)
    others, _ = blobs(200, classes)
    task = make_task(label, STRENGTHS, most_steps=100, seed=0)
    probe = fit_probe(values, task)

    def model(strength):
        return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=100, tol=1e-3))

    scores = {}
    scaled = StandardScaler().fit_transform(values)
    for strength in sorted(STRENGTHS):
        # The scaling is that of all images to fit to: it knows no label.
        chosen = LogisticRegression(C=strength, max_iter=100, tol=1e-3).fit(
            scaled[~task.validation], label[~task.validation]
        )
        scores[strength] = chosen.score(scaled[task.validation], label[task.validation])
    best = max(scores, key=scores.get)
    assert probe.strength == best
    assert probe.converged
    expected = model(best).fit(values, label)
    np.testing.assert_array_equal(probe.predict(others), expected.predict(others))
    if classes > 2:
        scores = others @ probe.weight.T + probe.intercept
        np.testing.assert_allclose(scores, expected.decision_function(others), atol=1e-4)
    else:
        margin = np.diff(others @ probe.weight.T + probe.intercept)[:, 0]
        np.testing.assert_allclose(margin, expected.decision_function(others), atol=1e-4)


def test_a_fifth_of_each_class_chooses_and_a_class_of_one_image_keeps_it():
    label = np.repeat([0, 1, 2], [50, 20, 1])
    task = make_task(label, STRENGTHS, most_steps=10, seed=3)
    assert task.strengths == (0.01, 0.1, 10.0)
    taken = np.bincount(label, task.validation, 3)
    assert taken[0] in (10, 11) and taken[1] in (4, 5) and taken[2] == 0
    again = make_task(label, STRENGTHS, most_steps=10, seed=3)
    np.testing.assert_array_equal(task.validation, again.validation)
    pairs = make_task(np.repeat(np.arange(500), 2), STRENGTHS, most_steps=10, seed=0)
    assert 150 < pairs.validation.sum() < 250


def test_a_unit_that_does_not_vary_gets_no_weight():
    values, label = blobs(60, 3)
    values[:, 2] = 7
    probe = fit_probe(values, make_task(label, (1.0,), most_steps=100, seed=0))
    np.testing.assert_allclose(probe.weight[:, 2], 0, atol=1e-9)
    assert np.isfinite(probe.weight).all()


def test_a_solver_that_runs_out_of_steps_says_so():
    values, label = blobs(200, 5, spread=3)
    assert not fit_probe(values, make_task(label, (1e6,), most_steps=2, seed=0)).converged
