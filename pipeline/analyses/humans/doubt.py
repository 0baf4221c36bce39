"""How much people differ on an image, and how the network's probabilities stand to their shares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, xlogy


def entropy(counts: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the entropy of people's shares, (S,) nats, of counts (S, K) with at least one person a row."""
    shares = counts / counts.sum(axis=1, keepdims=True)
    return -xlogy(shares, shares).sum(axis=1) + 0.0  # no negative zero


def log_probabilities(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the logarithms of the softmax of logits (S, O), float64."""
    return np.asarray(log_softmax(np.asarray(logits, np.float64), axis=1))


def network_entropy(log_probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the entropy of the network's probabilities, (S,) nats, of their logarithms (S, O)."""
    return -(np.exp(log_probability) * log_probability).sum(axis=1)


def cross_entropy(
    counts: NDArray[np.integer], log_probability: NDArray[np.float64], output: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Return the cross-entropy of the network's probabilities under people's shares (Peterson et al. 2019).

    Parameters
    ----------
    counts
        (S, K) people who chose each class.
    log_probability
        (S, O) of the network's outputs.
    output
        (K,) the output of each class, -1 where it has none.

    Returns
    -------
    (S,) float64
        Nats, at least the entropy of the shares; NaN where people chose a class that is no output.
    """
    shares = counts / counts.sum(axis=1, keepdims=True)
    has_output = output >= 0
    told = log_probability[:, output[has_output]]
    value = -(shares[:, has_output] * told).sum(axis=1)
    return np.where(counts[:, ~has_output].any(axis=1), np.nan, value)


def equal_bins(values: NDArray[np.floating], bins: int) -> NDArray[np.int64]:
    """Return the bin of each value, counts as equal as equal values, which stay together, allow.

    Parameters
    ----------
    values
        (S,) at least one.
    bins
        At most so many, at least 1.

    Returns
    -------
    (S,) int64
        0, 1, … without gaps, ascending with the values.
    """
    edges = np.unique(np.quantile(values, np.arange(1, bins) / bins))
    return np.unique(np.searchsorted(edges, values), return_inverse=True)[1].astype(np.int64)
