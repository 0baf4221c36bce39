"""Concept vectors and their scores (TCAV; Kim et al., ICML 2018).

A linear classifier tells the examples of a concept from random images by what a layer makes of them; the
normal of its plane is the concept's direction. Its score for an output is the share of that output's images
on which the logit rises along it. Random images against other random images give directions that stand for
nothing, and a score counts only where it differs from theirs.

The paper's t-test takes the scores of a concept's runs for independent, though they share its examples. So
beside it stands a test whose unit is the concept: its mean slope, one number, against those of random sets
that were treated as it was, each told from all others. Of 80 sets of noise taken for concepts, at 0.05, it
calls 2 % different, the paper's 10 %.

Here a map is taken in its mean over positions, so that a direction is one of the layer's units, and the
logit's derivative is that along the direction at every position at once; the paper takes the map as a vector.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student_t
from scipy.stats import ttest_ind
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import train_test_split

from pipeline.analyses.directions.making import normalised
from pipeline.formats.concepts import LayerConcepts

Vectors = NDArray[np.float32]
# Of the paper's classifier.
PENALTY, MOST_PASSES, HELD_OUT = 0.01, 1000, 1 / 3


@dataclass(frozen=True)
class Learnt:
    """A direction (U,) of length 1, towards the first of two sets, and its accuracy on held-out images."""

    direction: Vectors
    accuracy: float


def learn_direction(examples: Vectors, others: Vectors, seed: int) -> Learnt:
    """Learn to tell examples (n, U) from other images (m, U), each set counting as much as the other."""
    vectors = np.concatenate([examples, others])
    label = np.arange(len(vectors)) < len(examples)
    seen, held_out, of_seen, of_held_out = train_test_split(
        vectors, label, test_size=HELD_OUT, stratify=label, random_state=seed
    )
    # Penalty and steps are for numbers about 1; one factor for all units leaves the direction as it is.
    middle = seen.mean(0)
    scale = float(np.sqrt(np.mean((seen - middle) ** 2))) or 1.0
    seen, held_out = (seen - middle) / scale, (held_out - middle) / scale
    classifier = SGDClassifier(
        alpha=PENALTY, max_iter=MOST_PASSES, class_weight="balanced", random_state=seed
    ).fit(seen, of_seen)
    normal = classifier.coef_
    if not normal.any():
        # No unit tells them apart, so no direction is better than another.
        normal = np.random.default_rng(seed).standard_normal(normal.shape)
    return Learnt(normalised(normal)[0], float(classifier.score(held_out, of_held_out)))


def concept_scores(slope: Vectors, directions: Vectors) -> NDArray[np.float64]:
    """Return for each direction (R, U) the share of images whose logit rises along it, (R,).

    Parameters
    ----------
    slope
        (n, U) the logit's derivative with respect to the layer's units on each image, summed over positions.
    directions
        (R, U).
    """
    return np.asarray((slope.astype(np.float64) @ directions.astype(np.float64).T > 0).mean(0))


def layer_concepts(
    examples: Sequence[Vectors],
    random_sets: Sequence[Vectors],
    slopes: Sequence[Vectors],
    *,
    seed: int,
) -> LayerConcepts:
    """Learn all concepts of a layer against each set of random images, and score them for each output.

    Parameters
    ----------
    examples
        (n, U) of each of Q concepts.
    random_sets
        (m, U) of each of R sets; for the control each is told from all others.
    slopes
        (n, U) of each of T outputs, as `concept_scores` takes them.
    seed
        Of held-out images and of the classifier.
    """
    sets = range(len(random_sets))
    found = [
        [learn_direction(vectors, random_sets[number], seed + number) for number in sets]
        for vectors in examples
    ]
    control = [
        [
            learn_direction(random_sets[number], random_sets[(number + step) % len(sets)], seed + number)
            for step in sets[1:]
        ]
        for number in sets
    ]
    first = [runs[0] for runs in control]
    score, random_score = np.stack([_scores(one, slopes) for one in found]), _scores(first, slopes)
    direction = _mean_directions(found)
    slope, random_slope = _mean_slopes(direction, slopes), _mean_slopes(_mean_directions(control), slopes)
    return LayerConcepts(
        direction, np.array([[one.accuracy for one in runs] for runs in found]), score,
        np.array([one.accuracy for one in first]), random_score,
        np.stack([_p_values(one, random_score) for one in score]), slope, random_slope,
        _chance_of(slope, random_slope),
    )  # fmt: skip


def random_sets_of(images: NDArray[np.int64], sets: int, size: int, seed: int) -> list[NDArray[np.int64]]:
    """Draw sets of `size` images each, disjoint where there are enough, ascending; smaller where N is."""
    rng, size = np.random.default_rng(seed), min(size, len(images))
    if sets * size <= len(images):
        return [np.sort(one) for one in rng.permutation(images)[: sets * size].reshape(sets, size)]
    return [np.sort(rng.choice(images, size, replace=False)) for _ in range(sets)]


def outputs_of(
    output: NDArray[np.integer], most: int | Sequence[int], images: int, seed: int
) -> Mapping[int, NDArray[np.int64]]:
    """Return for each output that is asked about some of its images, by their places.

    Parameters
    ----------
    output
        (N,) the output that each image belongs to; -1 for none.
    most
        How many outputs, those of the most images first; or which.
    images
        Of each, drawn at random.
    seed
        Of what is drawn.
    """
    counts = np.bincount(output[output >= 0], minlength=1)
    if isinstance(most, int):
        first = np.argsort(-counts, kind="stable")[:most]
        wanted = np.sort(first[counts[first] > 0]).tolist()
    else:
        wanted = list(most)
    rng, found = np.random.default_rng(seed), {}
    for number in wanted:
        places = np.flatnonzero(output == number)
        if len(places):
            chosen = rng.choice(places, min(images, len(places)), replace=False)
            found[int(number)] = np.sort(chosen).astype(np.int64)
    return found


def _scores(runs: Sequence[Learnt], slopes: Sequence[Vectors]) -> NDArray[np.float64]:
    """Return the scores (R, T) of the directions of R runs."""
    directions = np.stack([one.direction for one in runs])
    return np.stack([concept_scores(slope, directions) for slope in slopes], 1)


def _mean_directions(found: Sequence[Sequence[Learnt]]) -> Vectors:
    """Return the mean direction (Q, U) of the runs of each of Q concepts."""
    return normalised(np.stack([np.mean([one.direction for one in runs], 0) for runs in found]))


def _mean_slopes(directions: Vectors, slopes: Sequence[Vectors]) -> NDArray[np.float64]:
    """Return how steeply each output's logit rises along each direction, mean over its images, (Q, T)."""
    mean = np.stack([slope.mean(0, dtype=np.float64) for slope in slopes])
    return np.asarray(directions.astype(np.float64) @ mean.T)


def _chance_of(slope: NDArray[np.float64], random_slope: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how likely a further random set is to lie as far off, either way (Q, T): Student's t.

    Its spread is that of one observation and of the mean of R. NaN where random sets do not vary.
    """
    count, spread = len(random_slope), random_slope.std(0, ddof=1)
    off = np.abs(slope - random_slope.mean(0))
    width = np.where(spread > 0, spread, np.nan) * np.sqrt(1 + 1 / count)
    return np.asarray(2 * student_t.sf(off / width, count - 1))


def _p_values(score: NDArray[np.float64], random_score: NDArray[np.float64]) -> NDArray[np.float64]:
    """Welch's t-test, two-sided, of each output's scores (R, T) against those of random sets."""
    varies = (score.std(0) > 0) | (random_score.std(0) > 0)
    found = np.full(score.shape[1], np.nan)
    if varies.any():
        one, other = score[:, varies], random_score[:, varies]
        with warnings.catch_warnings():
            # Scores of a concept that are all alike are no loss of precision: few images give few shares.
            warnings.simplefilter("ignore", RuntimeWarning)
            found[varies] = ttest_ind(one, other, equal_var=False).pvalue
    return found
