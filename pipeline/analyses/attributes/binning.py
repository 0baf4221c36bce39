"""Bins of an attribute: of equal count, or one a word; of images, or of classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.attributes.columns import Column

OTHER = "any other"
# Groups of words; the rarer ones are one group together.
MOST_WORDS = 12


@dataclass(frozen=True)
class Bins:
    """Which of B bins each of N images lies in.

    Attributes
    ----------
    place
        (N,) int64, -1 where the attribute is missing.
    low, high
        (B,) float64, the smallest and the largest value in each; NaN where words are grouped.
    words
        (B,) of words; None for numbers.
    by_class
        Whether whole classes were put into bins, for each has one value.
    """

    place: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    words: tuple[str, ...] | None = None
    by_class: bool = False

    def __len__(self) -> int:
        return len(self.low)

    @property
    def count(self) -> NDArray[np.int64]:
        """(B,) images."""
        return np.bincount(self.place[self.place >= 0], minlength=len(self)).astype(np.int64)


def make_bins(column: Column, label: NDArray[np.integer], bins: int, least: int) -> Bins:
    """Put images into bins by an attribute.

    Parameters
    ----------
    column
        (N,) values.
    label
        (N,) classes.
    bins
        How many, where values differ enough.
    least
        Images that a bin must have: smaller ones join their neighbour.

    Returns
    -------
    Bins
        Numbers: equal values lie in one bin, and otherwise bins are of equal count; of classes where each
        class has one value. Words: the most frequent ones a bin each, then all others.
    """
    classes = _class_values(column, label)
    if column.words is not None:
        place, words = _group_words(column, least)
        none = np.full(len(words), np.nan)
        return Bins(place, none, none, words, by_class=classes is not None)
    if classes is None:
        place = _group_numbers(column.values, bins, least)
    else:
        # A class is one case, whatever the number of its images.
        known, values = classes
        group = np.full(int(label.max()) + 1, -1)
        group[known] = _group_numbers(values, min(bins, len(known) // 2), 2)
        place = np.where(column.known, group[label], -1)
    count = int(place.max(initial=-1)) + 1
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, place[place >= 0], column.values[place >= 0])
    np.maximum.at(high, place[place >= 0], column.values[place >= 0])
    return Bins(place, low, high, by_class=classes is not None)


def _class_values(
    column: Column, label: NDArray[np.integer]
) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
    """Return the classes that have values, and the value of each; None where one has several.

    Nor of fewer than four classes, or where each has one image: an image is a case of its own then.
    """
    label, values = label[column.known], column.values[column.known].astype(np.float64)
    known = np.unique(label)
    if not 4 <= len(known) < len(label):
        return None
    low, high = np.full(known.max() + 1, np.inf), np.full(known.max() + 1, -np.inf)
    np.minimum.at(low, label, values)
    np.maximum.at(high, label, values)
    return (known, low[known]) if (low[known] == high[known]).all() else None


def _group_numbers(values: NDArray[np.float64], bins: int, least: int) -> NDArray[np.int64]:
    place, known = np.full(len(values), -1, np.int64), np.isfinite(values)
    found = np.sort(values[known])
    if not len(found):
        return place
    cuts = np.unique(found[len(found) * np.arange(1, bins) // bins]) if bins > 1 else found[:0]
    cuts = cuts[cuts > found[0]]
    ends = np.append(np.searchsorted(found, cuts), len(found))
    while len(cuts):
        counts = np.diff(ends, prepend=0)
        small = int(counts.argmin())
        if counts[small] >= least:
            break
        # It joins the smaller of its neighbours.
        before = small > 0 and (small == len(counts) - 1 or counts[small - 1] <= counts[small + 1])
        cut = small - 1 if before else small
        cuts, ends = np.delete(cuts, cut), np.delete(ends, cut)
    place[known] = np.searchsorted(cuts, values[known], side="right")
    return place


def _group_words(column: Column, least: int) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    assert column.words is not None
    counts = np.bincount(column.values[column.known], minlength=len(column.words))
    order = np.lexsort((np.arange(len(counts)), -counts))
    own = order[counts[order] >= least][:MOST_WORDS]
    group = np.full(len(counts) + 1, -1, np.int64)
    group[own] = np.arange(len(own))
    words = tuple(column.words[word] for word in own)
    rest = np.setdiff1d(np.flatnonzero(counts), own)
    if counts[rest].sum() >= least:
        group[rest] = len(own)
        words = (*words, OTHER)
    # The last place is that of images without a word.
    return group[column.values], words
