"""Principal components of an array read in parts."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from pipeline.errors import UserError
from pipeline.numerics.pca import Moments, from_moments, principal_components


@pytest.fixture
def codes():
    rng = np.random.default_rng(3)
    return (rng.normal(size=(300, 40)) * np.linspace(5, 0.1, 40) @ rng.normal(size=(40, 40)) + 100).astype(
        np.float32
    )


def in_parts(codes, size=70):
    return lambda: (codes[start : start + size] for start in range(0, len(codes), size))


def assert_equals_scikit_learn(found, codes, components):
    reference = PCA(components, svd_solver="full").fit(codes.astype(np.float64))
    np.testing.assert_allclose(found.variance, reference.explained_variance_, rtol=1e-6)
    np.testing.assert_allclose(np.abs((found.axes * reference.components_).sum(axis=1)), 1, atol=1e-6)
    assert found.explained == pytest.approx(reference.explained_variance_ratio_.sum(), rel=1e-6)
    np.testing.assert_allclose(np.abs(found.project(codes)), np.abs(reference.transform(codes)), atol=2e-3)


def test_axes_equal_scikit_learns(codes):
    assert_equals_scikit_learn(principal_components(in_parts(codes), 40, 8), codes, 8)


def test_wide_codes_by_passes_equal_scikit_learns(codes):
    assert_equals_scikit_learn(principal_components(in_parts(codes), 40, 8, widest=10), codes, 8)


def test_lanczos_equals_scikit_learns():
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(200, 1500)) * np.linspace(3, 0.1, 1500) ** 2
    assert_equals_scikit_learn(principal_components(in_parts(wide), 1500, 5), wide, 5)


def test_lanczos_with_fewer_varying_axes_than_asked_for():
    rng = np.random.default_rng(0)
    low_rank = rng.normal(size=(100, 3)) @ rng.normal(size=(3, 1100))
    found = principal_components(in_parts(low_rank), 1100, 20)
    assert found.explained == pytest.approx(1)
    np.testing.assert_allclose(found.axes @ found.axes.T, np.eye(20), atol=1e-8)


def test_merged_moments_equal_those_of_one_pass(codes):
    whole = Moments(40).add(codes)
    merged = Moments(40)
    for part in in_parts(codes, 41)():
        merged.merge(Moments(40).add(part))
    np.testing.assert_allclose(merged.mean, whole.mean, rtol=1e-12)
    np.testing.assert_allclose(np.triu(merged.scatter), np.triu(whole.scatter), rtol=1e-9, atol=1e-6)
    assert merged.count == 300


def test_moments_equal_the_definition_with_a_large_offset():
    rows = np.random.default_rng(1).normal(size=(50, 4)) + 1e7
    moments = Moments(4).add(rows[:20]).add(rows[20:])
    centred = rows - rows.mean(axis=0)
    np.testing.assert_allclose(np.triu(moments.scatter), np.triu(centred.T @ centred), rtol=1e-7)
    assert moments.total_variance == pytest.approx(rows.var(axis=0, ddof=1).sum(), rel=1e-7)


def test_largest_entry_of_each_axis_is_positive(codes):
    axes = principal_components(in_parts(codes), 40, 6).axes
    assert (axes[np.arange(6), np.abs(axes).argmax(axis=1)] > 0).all()


def test_equal_bytes_twice(codes):
    first, second = (principal_components(in_parts(codes), 40, 6).project(codes) for _ in range(2))
    assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize(("rows", "width", "expected"), [(3, 40, 2), (300, 4, 4)])
def test_fewer_axes_where_fewer_exist(codes, rows, width, expected):
    found = principal_components(in_parts(codes[:rows, :width]), width, 50)
    assert found.axes.shape == (expected, width)
    assert found.explained == pytest.approx(1)


def test_nothing_varies():
    found = principal_components(in_parts(np.ones((20, 5))), 5, 3)
    assert found.explained == 0
    assert not found.variance.any()
    assert not found.project(np.ones((2, 5))).any()


def test_one_image_is_refused():
    with pytest.raises(UserError, match="at least 2 images, got 1"):
        from_moments(Moments(3).add(np.ones((1, 3))), 2)


@pytest.mark.parametrize("widest", [100, 2])
def test_values_that_are_not_finite_are_refused(widest):
    with pytest.raises(UserError, match="NaN or infinite"):
        principal_components(in_parts(np.array([[1.0, np.nan, 0]] * 4)), 3, 2, widest=widest)


def test_another_width_is_refused():
    with pytest.raises(UserError, match="rows of 3 values"):
        Moments(3).add(np.ones((2, 4)))
