"""Mean and spread against NumPy's own."""

import numpy as np

from pipeline.analyses.similar_units.spread import Spread


def test_spread_is_that_of_all_values_at_once():
    values = np.random.default_rng(0).normal(1e4, 1, (101, 6)).astype(np.float32)
    values[:, 5] = 0.1
    spread = Spread.none(6)
    for start in range(0, 101, 13):
        spread.add(values[start : start + 13])
    exact = values.astype(np.float64)
    assert spread.images == 101
    np.testing.assert_allclose(spread.mean, exact.mean(0), rtol=1e-14)
    np.testing.assert_allclose(spread.squares[:5], 101 * exact.var(0)[:5], rtol=1e-9)
    assert spread.varies.tolist() == [True] * 5 + [False]
    product = spread.standardised(values[:, 2:], slice(2, 6))
    np.testing.assert_allclose((product**2).sum(0), [1, 1, 1, 0], rtol=1e-9)
