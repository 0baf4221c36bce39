"""How the filters of the first layer look: how coloured each is, how fine, and whether the two go together.

AlexNet's two streams learned grey filters of high frequency and coloured ones of low frequency (Krizhevsky,
Sutskever & Hinton 2012, figure 3).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from pipeline.formats.filters import Separation

# The spectrum is read off as finely: cycles in so many pixels.
GRID = 64
# A filter whose norm is less than this share of the largest shows nothing.
FAINT = 0.01
# Filters of each group, at least.
FEWEST = 2


def colourfulness(weight: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the share of each filter's energy that is not grey: in what its three channels differ.

    Parameters
    ----------
    weight
        (units, 3, y, x).

    Returns
    -------
    (units,) float64
        0: the channels are alike; 2/3 on average in noise; 1: they add up to nothing. NaN of zeros.
    """
    energy = np.square(weight, dtype=np.float64).sum((1, 2, 3))
    grey = 3 * np.square(weight.mean(1, dtype=np.float64)).sum((1, 2))
    share = np.divide(grey, energy, out=np.full(len(weight), np.nan), where=energy > 0)
    return np.clip(1 - share, 0, 1)


def frequency(weight: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return each filter's dominant frequency: where the power of its channels together is largest.

    Parameters
    ----------
    weight
        (units, channels, y, x), y and x at most 64.

    Returns
    -------
    (units,) float64
        Cycles a pixel, 0 to 0.71, in steps of 1/64 down and across. NaN of a filter of zeros.
    """
    grid = max(GRID, *weight.shape[2:])
    down, across = np.fft.fftfreq(grid), np.fft.rfftfreq(grid)
    radius = np.hypot(*np.meshgrid(down, across, indexing="ij")).ravel()
    found = np.full(len(weight), np.nan)
    for unit, channels in enumerate(weight):
        power = np.square(np.abs(np.fft.rfft2(channels, (grid, grid)))).sum(0)
        if power.any():
            found[unit] = radius[power.argmax()]
    return found


def is_clear(norm: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Tell which filters show anything: (units,) norms; those below a hundredth of the largest do not."""
    return (norm > 0) & (norm >= FAINT * norm.max(initial=0))


def separation(
    colour: NDArray[np.floating],
    frequencies: NDArray[np.floating],
    norm: NDArray[np.floating],
    *,
    permutations: int,
    seed: int,
) -> Separation | None:
    """Split filters by colour, where the two groups differ most, and compare their frequencies.

    The split minimises the variance within the groups (Otsu 1979) and knows nothing of frequencies, so that
    dealing these out anew (a permutation test, two-sided) is a fair comparison.

    Parameters
    ----------
    colour, frequencies, norm
        (units,) of `colourfulness`, `frequency`, and the filters' norms; faint filters are left out.
    permutations
        How often frequencies are dealt out.
    seed
        Of the dealing.

    Returns
    -------
    Separation or None
        None where a group has fewer than two filters.
    """
    clear = is_clear(norm)
    colour, frequencies = colour[clear], frequencies[clear]
    threshold = _split(np.sort(colour))
    if threshold is None:
        return None
    is_grey, rank = colour < threshold, rankdata(frequencies)
    share = _share(rank, is_grey)
    rng = np.random.default_rng(seed)
    dealt = np.array([_share(rng.permutation(rank), is_grey) for _ in range(permutations)])
    # Equal shares differ in their last bits.
    as_far = np.count_nonzero(np.abs(dealt - 0.5) >= abs(share - 0.5) - 1e-9)
    grey = int(is_grey.sum())
    return Separation(threshold, grey, len(colour) - grey, share, (as_far + 1) / (permutations + 1))


def _split(colour: NDArray[np.floating]) -> float | None:
    """Return the middle of the gap at which ascending values fall into two groups that vary least."""
    gaps = [
        (colour[:cut].var() * cut + colour[cut:].var() * (len(colour) - cut), cut)
        for cut in range(FEWEST, len(colour) - FEWEST + 1)
        if colour[cut] > colour[cut - 1]
    ]
    if not gaps:
        return None
    _, cut = min(gaps)
    return float(colour[cut - 1] + colour[cut]) / 2


def _share(rank: NDArray[np.float64], is_grey: NDArray[np.bool_]) -> float:
    """Return the share of pairs in which the grey one ranks higher (Mann and Whitney's U)."""
    grey = int(is_grey.sum())
    return float(rank[is_grey].sum() - grey * (grey + 1) / 2) / (grey * (len(rank) - grey))
