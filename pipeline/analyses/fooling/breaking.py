"""What it takes to break a linear classifier: of codes by the size of a step, of pixels by grey levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.fooling.attacks import NEVER
from pipeline.analyses.fooling.linear import Classifier, Float64, changed, fraction, pooling
from pipeline.analyses.fooling.pixels import WHITE, rounded

# Of steps, as shares of a code's length.
LENGTHS = np.array([0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0])
ROWS = 64  # pictures that are moved at once

Classes = NDArray[np.int64]


@dataclass(frozen=True)
class BrokenCodes:
    """As `pipeline.formats.fooling.Codes` has it."""

    predicted: Classes
    target: Classes
    fraction: Float64
    share: Float64
    along: NDArray[np.bool_]
    random: NDArray[np.bool_]


def break_codes(classifier: Classifier, values: NDArray[np.floating], seed: int) -> BrokenCodes:
    """Add weights of another class, drawn, to each of n codes (n, U), and as a control random directions."""
    random = np.random.default_rng(seed)
    values = values.astype(np.float64)
    predicted = classifier.predict(values)
    target = other_classes(predicted, len(classifier.weight), seed)
    needed = fraction(classifier, values, target)
    direction = classifier.weight[target]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = needed * np.linalg.norm(direction, axis=1) / np.linalg.norm(values, axis=1)
    return BrokenCodes(
        predicted, target, needed, share, changed(classifier, values, direction, LENGTHS),
        changed(classifier, values, random.standard_normal(values.shape), LENGTHS),
    )  # fmt: skip


def other_classes(predicted: NDArray[np.integer], classes: int, seed: int) -> Classes:
    """Draw for each prediction another one of so many classes."""
    further = np.random.default_rng(seed).integers(1, classes, len(predicted))
    return (predicted.astype(np.int64) + further) % classes


@dataclass(frozen=True)
class PixelClassifier:
    """A linear classifier of pictures, each averaged over cells.

    Attributes
    ----------
    linear
        Of rows * columns * channels numbers, shares of full scale.
    down, across
        What averages: (rows, H) and (columns, W).
    """

    linear: Classifier
    down: Float64
    across: Float64

    def predict(self, pictures: NDArray[np.uint8]) -> Classes:
        """Return the class of each of n pictures (n, H, W, C), (n,)."""
        return self.linear.predict(averaged(pictures, self.down, self.across))

    def push(self, pictures: NDArray[np.uint8], target: Classes, level: int) -> NDArray[np.uint8]:
        """Add the targets' weights so that no pixel moves by more than so many levels, nor out of range."""
        channels = pictures.shape[-1]
        shape = (len(target), len(self.down), len(self.across), channels)
        weight = self.linear.weight[target].reshape(shape)
        pixel = np.einsum("ih,niwc,wx->nhxc", self.down, weight, self.across, optimize=True)
        largest = np.abs(pixel).max((1, 2, 3), keepdims=True)
        return rounded(pictures + level * pixel / np.where(largest > 0, largest, 1))


def averaged(pictures: NDArray[np.uint8], down: Float64, across: Float64) -> Float64:
    """Return n pictures averaged over cells, (n, G), shares of full scale."""
    parts = [
        np.einsum(
            "ih,nhxc,wx->niwc", down, pictures[start : start + ROWS] / WHITE, across, optimize=True
        )  # fmt: skip
        for start in range(0, len(pictures), ROWS)
    ]
    return np.concatenate(parts).reshape(len(pictures), -1)


def cells(height: int, width: int, most: int) -> tuple[Float64, Float64]:
    """Return what averages pictures to at most so many rows and columns."""
    return pooling(height, min(height, most)), pooling(width, min(width, most))


def predicted_at(
    classifier: PixelClassifier, pictures: NDArray[np.uint8], target: Classes, levels: Sequence[int]
) -> Classes:
    """Return what it says of n pictures when they are pushed by each of E levels, (n, E)."""
    columns = []
    for level in levels:
        parts = [
            classifier.predict(
                classifier.push(pictures[at : at + ROWS], target[at : at + ROWS], level)
            )  # fmt: skip
            for at in range(0, len(pictures), ROWS)
        ]
        columns.append(np.concatenate(parts))
    return np.stack(columns, 1)


def push_far_enough(
    classifier: PixelClassifier, pictures: NDArray[np.uint8], target: Classes, levels: Sequence[int]
) -> tuple[NDArray[np.uint8], Classes]:
    """Push each of n pictures by the first of the levels that makes it its target, or NEVER, by the last."""
    reached = predicted_at(classifier, pictures, target, levels) == target[:, None]
    level = np.where(reached.any(1), np.asarray(levels)[reached.argmax(1)], NEVER)
    pushed = [
        classifier.push(pictures[row : row + 1], target[row : row + 1], one if one != NEVER else levels[-1])
        for row, one in enumerate(level.tolist())
    ]
    return np.concatenate(pushed), level.astype(np.int64)


def alike(image_id: NDArray[np.int64], label: NDArray[np.integer], most: int, seed: int) -> NDArray[np.int64]:
    """Draw so many of the images at most, of every class about as many; ascending."""
    order = np.random.default_rng(seed).permutation(len(image_id))
    seen: dict[int, int] = {}
    rank = np.zeros(len(order), np.int64)
    for place, one in enumerate(label[order].tolist()):
        rank[place] = seen[one] = seen.get(one, 0) + 1
    return np.sort(image_id[order[np.argsort(rank, kind="stable")][:most]])
