"""People's answers beside the network's, as arrays, and what is counted of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.humans.agreement import (
    CELLS,
    cells,
    consistency_interval,
    mcnemar,
    mean_consistency,
    two_proportions,
)
from pipeline.analyses.humans.reading import Answer, Given, annotators_of
from pipeline.formats.humans import NETWORK, NONE, NOT_GIVEN, Answers, Compared, Consistency, Network, Raters

TOP = 5


@dataclass(frozen=True)
class Places:
    """Where images and classes stand in the manifest."""

    image: Mapping[str, int]
    label: Mapping[str, int]

    def guess(self, label: str) -> int:
        """Return the class, or that it is none of them."""
        return self.label[label] if label else NONE


def raters_of(given: Given, places: Places, most: int) -> tuple[Raters, tuple[str, ...], Answers]:
    """Return who labelled, under which conditions, and their answers.

    Parameters
    ----------
    given
        What was read.
    places
        Of all that is named in it.
    most
        Annotators that are compared one by one, those with most answers.

    Returns
    -------
    raters, conditions, answers
        A table of counts is one rater, who says what most people do.
    """
    ranked = [name for name, _ in annotators_of(given)]
    named, tables = ranked[:most], list(given.counts)
    ties = [sum(not _majority(row) for row in given.counts[table].values()) for table in tables]
    kept = [(named.index(one.annotator), one) for one in given.answers if one.annotator in named[:most]]
    for place, table in enumerate(tables, start=len(named)):
        for path, row in given.counts[table].items():
            kept.append((place, Answer(path, table, "", (_majority(row),), None)))
    conditions = tuple(sorted({one.condition for _, one in kept}))
    raters = Raters(
        (*named, *tables), np.repeat([False, True], [len(named), len(tables)]),
        np.array([0] * len(named) + ties, np.int64), len(ranked) - len(named),
    )  # fmt: skip
    return raters, conditions, _arrays(kept, conditions, places)


def _majority(row: Counter[str]) -> str:
    """Return what most people say; nothing where two answers have the most."""
    (first, most), *rest = row.most_common(2)
    return "" if rest and rest[0][1] == most else first


def _arrays(kept: Sequence[tuple[int, Answer]], conditions: Sequence[str], places: Places) -> Answers:
    rows = sorted(
        (rater, conditions.index(one.condition), places.image[one.path], place)
        for place, (rater, one) in enumerate(kept)
    )
    widest = max(len(one.guesses) for _, one in kept)
    guess = np.full((len(rows), widest), NOT_GIVEN, np.int32)
    confidence = np.full(len(rows), np.nan, np.float32)
    for row, (*_, place) in enumerate(rows):
        one = kept[place][1]
        guess[row, : len(one.guesses)] = [places.guess(label) for label in one.guesses]
        if one.confidence is not None:
            confidence[row] = one.confidence
    columns = np.array(rows, np.int64).T
    return Answers(columns[0].astype(np.int32), columns[1].astype(np.int32), columns[2], guess, confidence)


@dataclass(frozen=True)
class Scored:
    """The answers beside the labels and the network's answers on the same images."""

    answers: Answers
    network: Network

    @property
    def row(self) -> NDArray[np.int64]:
        """(A,) the image's place among the network's; -1 where it has none."""
        place = np.searchsorted(self.network.image_id, self.answers.image_id)
        inside = np.minimum(place, max(len(self.network.image_id) - 1, 0))
        found = self.network.image_id[inside] == self.answers.image_id
        return np.where(found, inside, -1)

    @property
    def right(self) -> NDArray[np.bool_]:
        """(A,) whether the first guess is the image's label."""
        return (self.answers.guess[:, 0] == self.network.label[self.row]) & (self.row >= 0)

    @property
    def right_top5(self) -> NDArray[np.bool_]:
        """(A,) whether one of the first five guesses is."""
        label = self.network.label[self.row][:, None]
        return (self.answers.guess[:, :TOP] == label).any(axis=1) & (self.row >= 0)


def compare(raters: Raters, conditions: int, scored: Scored, classes: int) -> Compared:
    """Compare each rater with the network on the images that it labelled."""
    network, row, answers = scored.network, scored.row, scored.answers
    right, right_top5 = scored.right, scored.right_top5
    count = len(raters.name)
    tables = np.zeros((count, conditions, len(CELLS)), np.int64)
    same_error, top5, network_top5 = np.zeros(count, np.int64), *np.full((2, count), -1, np.int64)
    for rater in range(count):
        mine = (answers.rater == rater) & (row >= 0)
        its = network.right[row[mine]]
        for condition in range(conditions):
            here = answers.condition[mine] == condition
            tables[rater, condition] = cells(right[mine][here], its[here])
        guess, predicted = answers.guess[mine, 0], network.predicted[row[mine]]
        same_error[rater] = (~right[mine] & ~its & (guess == predicted) & (guess >= 0)).sum()
        if classes > TOP and (answers.guess[mine, 1:] != NOT_GIVEN).any():
            top5[rater] = right_top5[mine].sum()
            network_top5[rater] = network.right_top5[row[mine]].sum()
    tests = _tests(tables.sum(axis=1))
    return Compared(tables, same_error, tests[:, 0], tests[:, 1], tests[:, 2], top5, network_top5)


def _tests(tables: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return p of McNemar's test, z of two proportions and its p, (R, 3)."""
    rows = []
    for both, one, other, neither in tables.tolist():
        images = both + one + other + neither
        proportions = two_proportions(other + neither, one + neither, max(images, 1))
        rows.append((mcnemar(one, other), proportions.z, proportions.p))
    return np.array(rows, np.float64).reshape(-1, 3)


def consistencies(raters: Raters, conditions: int, scored: Scored, *, repeats: int, seed: int) -> Consistency:
    """Return the error consistency of each rater with the network, then of any two annotators.

    Tables of counts are no single person, and are compared with the network alone.
    """
    rows = []
    for first, second, tables in _pairs(raters, conditions, scored):
        if tables.any():
            low, high = consistency_interval(tables, repeats=repeats, seed=seed)
            seen = int((tables.sum(axis=1) > 0).sum())
            rows.append((first, second, mean_consistency(tables), low, high, int(tables.sum()), seen))
    columns = np.array(rows, np.float64).reshape(-1, 7).T
    types = (np.int32, np.int32, np.float64, np.float64, np.float64, np.int64, np.int64)
    return Consistency(*(column.astype(kind) for column, kind in zip(columns, types, strict=True)))


def _pairs(raters: Raters, conditions: int, scored: Scored) -> Iterator[tuple[int, int, NDArray[np.int64]]]:
    """Yield two raters and their tables, (C, 4), on the images that both labelled under one condition."""
    network, row, right = scored.network, scored.row, scored.right
    # An image under a condition, as one number.
    key = scored.answers.condition * np.int64(len(network.image_id)) + row
    mine = [(scored.answers.rater == rater) & (row >= 0) for rater in range(len(raters.name))]
    for rater, own in enumerate(mine):
        where = scored.answers.condition[own]
        its = network.right[row[own]]
        yield NETWORK, rater, _by_condition(where, its, right[own], conditions)
    named = np.flatnonzero(~raters.tabled).tolist()
    for at, first in enumerate(named):
        for second in named[at + 1 :]:
            _, one, other = np.intersect1d(
                key[mine[first]], key[mine[second]], assume_unique=True, return_indices=True
            )
            where = scored.answers.condition[mine[first]][one]
            yield (
                first,
                second,
                _by_condition(where, right[mine[first]][one], right[mine[second]][other], conditions),
            )


def _by_condition(
    where: NDArray[np.int32], first: NDArray[np.bool_], second: NDArray[np.bool_], conditions: int
) -> NDArray[np.int64]:
    return np.stack([cells(first[where == one], second[where == one]) for one in range(conditions)])
