"""Nearest units against the matrix of all correlations."""

import numpy as np
import pytest

from pipeline.analyses.similar_units.correlating import similar_units

IMAGES, UNITS = 400, (7, 1, 12)
ENDS = (0, 7, 8, 20)


def maxima(seed: int = 0) -> np.ndarray:
    """Return values with a common part, far from zero, in which some units are constant."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(IMAGES, 3)) @ rng.normal(size=(3, sum(UNITS)))
    values = (1000 + common + rng.normal(size=common.shape)).astype(np.float32)
    values[:, 4] = values[:, 15] = 0.1
    return values


def blocks(values, size=37):
    def read(units):
        for start in range(0, len(values), size):
            yield values[start : start + size, units]

    return read


def expected(values, unit, k, *, near):
    """The k nearest units by NumPy's own correlation, and their correlations."""
    with np.errstate(invalid="ignore", divide="ignore"):
        row = np.corrcoef(values.astype(np.float64).T)[unit]
    layer = np.searchsorted(ENDS, unit, side="right") - 1
    same = (np.arange(len(row)) >= ENDS[layer]) & (np.arange(len(row)) < ENDS[layer + 1])
    row = np.where((same == near) & (np.arange(len(row)) != unit), row, np.nan)
    order = [one for one in np.argsort(-row, kind="stable") if np.isfinite(row[one])][:k]
    return order, row[order]


@pytest.mark.parametrize("panel", [8 * 20, 8 * 20 * 3, 8 * 20 * 9, 1 << 20])
@pytest.mark.parametrize("k", [1, 4, 30])
def test_nearest_are_those_of_the_whole_matrix(panel, k):
    values = maxima()
    found = similar_units(blocks(values), UNITS, k, threads=2, panel=panel)
    assert found.images == IMAGES
    assert np.flatnonzero(~found.varies).tolist() == [4, 15]
    for near, kept in ((True, found.near), (False, found.far)):
        for unit in np.flatnonzero(found.varies):
            order, correlation = expected(values, unit, k, near=near)
            assert kept.unit[unit].tolist() == order + [-1] * (k - len(order))
            np.testing.assert_allclose(kept.correlation[unit, : len(order)], correlation, atol=2e-7)
        assert (kept.unit[[4, 15]] == -1).all() and np.isnan(kept.correlation[[4, 15]]).all()


def test_a_twin_is_the_nearest():
    """Whatever its scale and offset, and though another unit is nearly the same."""
    values = maxima()
    values[:, 2] = 3 * values[:, 6] - 5
    values[:, 3] = values[:, 6]
    values[0, 3] += 1
    values[:, 19] = values[:, 6]
    found = similar_units(blocks(values), UNITS, 2, threads=1)
    assert found.near.unit[6].tolist() == [2, 3] and found.near.unit[2].tolist() == [6, 3]
    assert found.near.correlation[6, 0] == 1 and found.far.unit[6, 0] == 19


def test_equal_units_come_in_their_order():
    values = maxima()
    values[:, [1, 3, 5, 6]] = values[:, [0]]
    found = similar_units(blocks(values), UNITS, 3, threads=1, panel=8 * 20 * 2)
    assert found.near.unit[:4:3].tolist() == [[1, 3, 5], [0, 1, 5]]


def test_neither_blocks_nor_panels_nor_threads_change_a_bit():
    values = np.tile(maxima(), (6, 1))
    one = similar_units(blocks(values, 1024), UNITS, 5, threads=1)
    two = similar_units(blocks(values, 1024), UNITS, 5, threads=3, panel=8 * 20 * 4)
    np.testing.assert_array_equal(one.near.unit, two.near.unit)
    np.testing.assert_array_equal(one.far.correlation, two.far.correlation)


def test_far_from_zero_nothing_cancels():
    """Sums of products that are not centred would lose every digit here."""
    values = maxima()
    shifted = (values - 1000) * np.float32(1e-3) + np.float32(4096)
    exact = shifted.astype(np.float64)
    found = similar_units(blocks(shifted), UNITS, 1, threads=1)
    for unit in (0, 8, 19):
        other = found.near.unit[unit, 0]
        assert found.near.correlation[unit, 0] == pytest.approx(
            np.corrcoef(exact[:, unit], exact[:, other])[0, 1], abs=1e-6
        )


def test_values_that_are_not_finite_concern_their_unit_alone():
    values = maxima()
    values[3, 0], values[9, 9] = np.nan, np.inf
    found = similar_units(blocks(values), UNITS, 3, threads=1)
    assert np.flatnonzero(~found.varies).tolist() == [0, 4, 9, 15]
    assert not np.isin([0, 9], found.far.unit).any() and np.isfinite(found.near.correlation[1]).all()
