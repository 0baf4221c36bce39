"""Principal components of an array that is read in parts.

`Moments` adds up the first two moments of rows; `principal_components` takes the axes from them, or, where
the rows are so wide that a square matrix of them would not fit, from several passes over the parts.
Why not scikit-learn's: docs/decisions/0017-numerics-of-our-own.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse.linalg
from numpy.typing import NDArray

from pipeline.errors import UserError

Parts = Callable[[], Iterable[NDArray[np.floating]]]

# A square float64 matrix of this side takes 0.5 GiB; beyond it the axes are found by subspace iteration.
WIDEST_SCATTER = 8192
# Below this side LAPACK's whole decomposition takes a second or so; above it Lanczos is several times faster.
WHOLE_DECOMPOSITION = 1024
ROWS_AT_ONCE = 4096
EXTRA_AXES = 16
SUBSPACE_PASSES = 6


@dataclass(frozen=True)
class Components:
    """The axes of largest variance.

    Attributes
    ----------
    mean : (D,) float64
    axes : (C, D) float64
        Orthonormal, by falling variance; the entry of largest size in each is positive.
    variance : (C,) float64
        Variance of the rows along each axis (divisor N - 1), not negative.
    total_variance : float
        Variance summed over all D dimensions.
    count : int
        Rows seen.
    """

    mean: NDArray[np.float64]
    axes: NDArray[np.float64]
    variance: NDArray[np.float64]
    total_variance: float
    count: int

    @property
    def explained(self) -> float:
        """Share of the total variance that the axes keep, 0 to 1; 0 where nothing varies."""
        return float(self.variance.sum() / self.total_variance) if self.total_variance > 0 else 0.0

    def project(self, rows: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return (n, C) float32 coordinates of (n, D) rows along the axes."""
        parts = [
            _centred(rows[start : start + ROWS_AT_ONCE], self.mean) @ self.axes.T for start in _starts(rows)
        ]
        return (
            np.concatenate(parts).astype(np.float32) if parts else np.empty((0, len(self.axes)), np.float32)
        )


class Moments:
    """Count, mean and scatter matrix of rows, in float64; partial sums merge in any grouping.

    Attributes
    ----------
    count : int
    mean : (D,) float64
    scatter : (D, D) float64
        Sum of the outer products of the centred rows; only the upper triangle is kept up.

    Notes
    -----
    Chan, Golub & LeVeque (1979): each part is centred by its own mean, so that a large common offset does not
    cancel the digits of the variance.
    """

    def __init__(self, width: int) -> None:
        self.count = 0
        self.mean = np.zeros(width)
        # Fortran order lets BLAS's symmetric update work in place.
        self.scatter = np.zeros((width, width), order="F")

    def add(self, rows: NDArray[np.floating]) -> Moments:
        """Add (n, D) rows.

        Raises
        ------
        UserError
            A value is NaN or infinite, or D is another than before.
        """
        check_rows(rows, len(self.mean))
        for start in _starts(rows):
            part = rows[start : start + ROWS_AT_ONCE].astype(np.float64)
            mean = part.mean(axis=0)
            part -= mean
            self.scatter = scipy.linalg.blas.dsyrk(1.0, part.T, beta=1.0, c=self.scatter, overwrite_c=1)
            self._join(len(part), mean)
        return self

    def merge(self, other: Moments) -> Moments:
        """Add what another partial sum has seen."""
        if other.count:
            self.scatter += other.scatter
            self._join(other.count, other.mean)
        return self

    @property
    def total_variance(self) -> float:
        """Variance summed over the dimensions (divisor N - 1); 0 for fewer than two rows."""
        return float(np.trace(self.scatter) / (self.count - 1)) if self.count > 1 else 0.0

    def _join(self, count: int, mean: NDArray[np.float64]) -> None:
        """Take over another part's count and mean, and the scatter between the two means."""
        delta = mean - self.mean
        total = self.count + count
        if self.count:
            weight = self.count * count / total
            self.scatter = scipy.linalg.blas.dsyr(weight, delta, a=self.scatter, overwrite_a=1)
        self.mean = self.mean + delta * (count / total)
        self.count = total


def principal_components(
    parts: Parts, width: int, components: int, *, widest: int = WIDEST_SCATTER
) -> Components:
    """Find the axes of largest variance of rows that are read in parts.

    Parameters
    ----------
    parts
        Called for each pass; gives the same (n, D) parts in the same order.
    width
        D.
    components
        Axes wanted; fewer come back where D or N - 1 is smaller.
    widest
        Largest D for which the D x D scatter matrix is held.

    Raises
    ------
    UserError
        A value is NaN or infinite.
    """
    if width > widest:
        return _from_passes(parts, width, components)
    moments = Moments(width)
    for part in parts():
        moments.add(part)
    return from_moments(moments, components)


def from_moments(moments: Moments, components: int) -> Components:
    """Return at most `components` axes of the rows that `moments` has seen."""
    components = _possible(components, len(moments.mean), moments.count)
    if len(moments.mean) <= WHOLE_DECOMPOSITION or components * 4 > len(moments.mean):
        values, vectors = _whole(moments.scatter, components)
    else:
        values, vectors = _leading(moments.scatter, components)
    return _components(moments.mean, values, vectors, moments.total_variance, moments.count)


def joined(one: Moments, other: Moments) -> Moments:
    """Return the moments of both; neither is changed."""
    return Moments(len(one.mean)).merge(one).merge(other)


def check_rows(rows: NDArray[np.floating], width: int) -> None:
    """Refuse rows of another width, and values that are not finite."""
    if rows.ndim != 2 or rows.shape[1] != width:
        raise UserError(
            f"codes: expected rows of {width} values, got an array of shape {rows.shape}; extract again"
        )
    if not np.isfinite(rows).all():
        raise UserError(
            "codes: NaN or infinite values; the network overflows: check its weights and preprocessing"
        )


def _whole(scatter: NDArray[np.float64], components: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    width = len(scatter)
    values, vectors = scipy.linalg.eigh(
        scatter, lower=False, subset_by_index=(width - components, width - 1), check_finite=False
    )
    return values[::-1], vectors[:, ::-1]


def _leading(
    scatter: NDArray[np.float64], components: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lanczos with a fixed start, so that equal input gives equal axes."""
    upper = np.triu(scatter)
    whole = upper + np.triu(scatter, 1).T
    start = np.random.default_rng(0).standard_normal(len(scatter))
    try:
        values, vectors = scipy.sparse.linalg.eigsh(whole, k=components, which="LA", v0=start)
    except scipy.sparse.linalg.ArpackError:
        # Lanczos breaks down where fewer axes vary than were asked for.
        return _whole(scatter, components)
    order = np.argsort(-values, kind="stable")
    return values[order], vectors[:, order]


def _from_passes(parts: Parts, width: int, components: int) -> Components:
    """Subspace iteration (Halko, Martinsson & Tropp 2011, algorithm 4.4) on the covariance, never formed."""
    mean, total, count = _mean_and_variance(parts, width)
    components = _possible(components, width, count)
    size = min(components + EXTRA_AXES, width)
    basis = np.linalg.qr(np.random.default_rng(0).standard_normal((width, size)))[0]
    for _ in range(SUBSPACE_PASSES):
        basis = np.linalg.qr(_scatter_times(parts, mean, basis))[0]
    image = _scatter_times(parts, mean, basis)
    values, vectors = np.linalg.eigh(basis.T @ image)
    leading = slice(None, -components - 1, -1)
    return _components(mean, values[leading], basis @ vectors[:, leading], total, count)


def _mean_and_variance(parts: Parts, width: int) -> tuple[NDArray[np.float64], float, int]:
    """Return mean (D,), summed variance and count, in one pass."""
    count, mean, spread = 0, np.zeros(width), 0.0
    for part in parts():
        check_rows(part, width)
        if len(part) == 0:
            continue
        own = part.mean(axis=0, dtype=np.float64)
        delta = own - mean
        spread += sum(float((_centred(part[s : s + ROWS_AT_ONCE], own) ** 2).sum()) for s in _starts(part))
        spread += float(delta @ delta) * count * len(part) / (count + len(part))
        mean = mean + delta * (len(part) / (count + len(part)))
        count += len(part)
    return mean, spread / max(count - 1, 1), count


def _scatter_times(
    parts: Parts, mean: NDArray[np.float64], basis: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the scatter matrix times (D, C) vectors."""
    result = np.zeros_like(basis)
    for part in parts():
        for start in _starts(part):
            rows = _centred(part[start : start + ROWS_AT_ONCE], mean)
            result += rows.T @ (rows @ basis)
    return result


def _components(
    mean: NDArray[np.float64],
    values: NDArray[np.float64],
    vectors: NDArray[np.float64],
    total: float,
    count: int,
) -> Components:
    """Put eigenvalues and eigenvectors (D, C) of the scatter matrix into their final form."""
    axes = np.ascontiguousarray(vectors.T)
    largest = np.abs(axes).argmax(axis=1)
    axes *= np.where(axes[np.arange(len(axes)), largest] < 0, -1.0, 1.0)[:, None]
    return Components(mean, axes, np.maximum(values, 0.0) / max(count - 1, 1), total, count)


def _possible(components: int, width: int, count: int) -> int:
    """Return how many axes there can be: N rows span at most N - 1."""
    if count < 2:
        raise UserError(f"principal components: need at least 2 images, got {count}")
    return min(components, width, count - 1)


def _centred(rows: NDArray[np.floating], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    return rows.astype(np.float64) - mean


def _starts(rows: NDArray[np.floating]) -> range:
    return range(0, len(rows), ROWS_AT_ONCE)
