"""How the network does in each bin of an attribute."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.attributes.binning import Bins
from pipeline.formats.attributes import BinNumbers
from pipeline.numerics.bootstrap import bootstrap_means
from pipeline.numerics.contingency import chance_of_shuffles
from pipeline.numerics.intervals import Z_95, wilson

# Bins of the confidence, of equal width, that a calibration error is of.
CONFIDENCE_BINS = 10
RESAMPLED = 2000  # samples of classes behind an interval


@dataclass(frozen=True)
class Images:
    """N labelled images, what the network says of them, and a seed for what is drawn.

    Attributes
    ----------
    label : (N,) int64
        Classes.
    right : (N,) bool
    confidence : (N,) float64
        Probabilities of the predicted outputs.
    seed
        Of shuffles and bootstrap samples.
    """

    label: NDArray[np.int64]
    right: NDArray[np.bool_]
    confidence: NDArray[np.float64]
    seed: int


def number_bins(bins: Bins, images: Images) -> BinNumbers:
    """Count each bin, and find the intervals of what is counted.

    Parameters
    ----------
    bins
        (N,) images in B bins.
    images
        The same images.

    Returns
    -------
    BinNumbers
        Of images: their share right with Wilson's interval. Of classes: the mean of the classes' shares, with
        a percentile bootstrap interval over classes (Russakovsky et al. 2015). Confidence with an interval of
        1.96 standard errors.
    """
    count = bins.count
    known = bins.place >= 0
    right = np.bincount(bins.place[known], images.right[known], len(bins)).astype(np.int64)
    low, high = wilson(right, count)
    accuracy = right / count
    classes = np.zeros(len(bins), np.int64)
    if bins.by_class:
        for one in range(len(bins)):
            shares = _class_shares(bins.place == one, images)[:, None]
            classes[one], accuracy[one] = len(shares), shares.mean()
            ends = bootstrap_means(shares, repeats=RESAMPLED, seed=images.seed)
            low[one], high[one] = ends[0][0], ends[1][0]
    confidence, half = _confidence(bins, images)
    return BinNumbers(
        bins.low, bins.high, bins.words, count, right, classes, accuracy, low, high, confidence,
        np.maximum(confidence - half, 0), np.minimum(confidence + half, 1),
        calibration_error(bins.place[known], len(bins), images.right[known], images.confidence[known]),
    )  # fmt: skip


def calibration_error(
    place: NDArray[np.int64], bins: int, right: NDArray[np.bool_], confidence: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the expected calibration error of the images in each bin (Guo et al. 2017).

    Parameters
    ----------
    place
        (N,) the bin of each image, 0 to `bins` - 1.
    bins
        How many; each has an image.
    right, confidence
        (N,) of the images.

    Returns
    -------
    (B,) float64
        Mean of |accuracy - confidence| over bins of the confidence, weighted by their images.
    """
    edges = np.linspace(0, 1, CONFIDENCE_BINS + 1)
    # A bin holds its upper end, not its lower one.
    part = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, CONFIDENCE_BINS - 1)
    cell, shape = place * CONFIDENCE_BINS + part, (bins, CONFIDENCE_BINS)
    surplus = np.bincount(cell, right - confidence, bins * CONFIDENCE_BINS).reshape(shape)
    return np.asarray(np.abs(surplus).sum(1) / np.bincount(place, minlength=bins))


def chance(bins: Bins, images: Images, *, repeats: int) -> float:
    """Return how often chance alone makes the bins differ as much, 0 to 1; NaN where there is one bin.

    Which images are right is shuffled among them; where bins are of classes, the classes' shares among these.
    """
    if len(bins) < 2:
        return float("nan")
    if not bins.by_class:
        known, count = bins.place >= 0, bins.count
        lost = np.bincount(bins.place[known], ~images.right[known], len(bins)).astype(np.int64)
        return chance_of_shuffles(count, lost, repeats=repeats, seed=images.seed)
    shares = [_class_shares(bins.place == one, images) for one in range(len(bins))]
    return _chance_of_classes(shares, repeats=repeats, seed=images.seed)


def _class_shares(chosen: NDArray[np.bool_], images: Images) -> NDArray[np.float64]:
    """Return the share right of each class that has any of some images."""
    count = np.bincount(images.label[chosen])
    right = np.bincount(images.label[chosen], images.right[chosen])
    return right[count > 0] / count[count > 0]


def _chance_of_classes(shares: list[NDArray[np.float64]], *, repeats: int, seed: int) -> float:
    """Return how often shuffled shares differ between groups, by the sum of squares, as much as they do."""
    rng, values = np.random.default_rng(seed), np.concatenate(shares)
    sizes = np.array([len(one) for one in shares])
    starts = np.append(0, np.cumsum(sizes)[:-1])

    def unlike(one: NDArray[np.float64]) -> float:
        return float((np.add.reduceat(one, starts) ** 2 / sizes).sum())

    least = unlike(values) * (1 - 1e-9)
    as_much = sum(unlike(rng.permutation(values)) >= least for _ in range(repeats))
    return (1 + as_much) / (1 + repeats)


def _confidence(bins: Bins, images: Images) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each bin's mean confidence, and half of its interval."""
    known = bins.place >= 0
    place, count = bins.place[known], bins.count
    given = images.confidence[known]
    mean = np.bincount(place, given, len(bins)) / count
    square = np.bincount(place, (given - mean[place]) ** 2, len(bins)) / np.maximum(count - 1, 1)
    return mean, Z_95 * np.sqrt(square / count)
