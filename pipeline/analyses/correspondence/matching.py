"""Points of an image, found again in its warp by the most similar vector (Long, Zhang & Darrell 2014, §3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.correspondence.grids import Grid
from pipeline.analyses.correspondence.warps import Warp
from pipeline.numerics.geometry import Pair

Float64 = NDArray[np.float64]
# Cosines that are nearer to the largest one tie with it. Vectors of float32 whose angle is rounding alone
# differ by less; the two most similar colours of eight bits that are not parallel by more.
TIE = 1e-12
# Cells of a table that has a row for each point: 32 MB, however many points are asked for.
TABLE = 4_000_000


@dataclass(frozen=True)
class Asked:
    """Points that are looked for.

    Attributes
    ----------
    warp
        Of the image.
    points : (n, 2) float64
        In the image.
    size
        Height and width of the image.
    radius
        How far from its true place a point may be found for it to be right, pixels.
    """

    warp: Warp
    points: Float64
    size: Pair
    radius: float

    @property
    def true(self) -> Float64:
        """(n, 2), their places in the warp."""
        return self.warp.places(self.points)

    def parts(self, columns: int) -> Iterator[Asked]:
        """Yield the points by as many as fit a table of so many columns."""
        step = max(1, TABLE // columns)
        for first in range(0, len(self.points), step):
            yield replace(self, points=self.points[first : first + step])


@dataclass(frozen=True)
class Matches:
    """Where n points were found; where several neurons are equally similar, what one of them is by chance.

    Attributes
    ----------
    error : (n,) float32
        Distance to the true place, pixels; the mean of those that tie.
    hit : (n,) float32
        Whether that is within the radius; the share of those that tie.
    place : (n, 2) float32
        The neuron, the first of those that tie.
    tied : (n,) int32
        How many are the most similar: 1, or all where a point has no vector, being zeros.
    interior : (n,) bool
        Whether all that the vectors at the point and at its true place see lies in the image and in the warp.
    """

    error: NDArray[np.float32]
    hit: NDArray[np.float32]
    place: NDArray[np.float32]
    tied: NDArray[np.int32]
    interior: NDArray[np.bool_]


@dataclass(frozen=True)
class Yardsticks:
    """What n points' errors are held against, in pixels; float32.

    Attributes
    ----------
    floor : (n,)
        From the true place to the nearest neuron: no error is smaller.
    field_error : (n,)
        Mean distance of the neurons whose field holds the true place.
    chance_error, chance_hit : (n,)
        Mean distance of all neurons, and the share of them within the radius.
    """

    floor: NDArray[np.float32]
    field_error: NDArray[np.float32]
    chance_error: NDArray[np.float32]
    chance_hit: NDArray[np.float32]


Found = TypeVar("Found", Matches, Yardsticks)


def match(before: NDArray[Any], after: NDArray[Any], grid: Grid, asked: Asked) -> Matches:
    """Find the points of an image in its warp.

    Parameters
    ----------
    before, after
        (U, h, w), the map of the image and that of its warp.
    grid
        Where their neurons look.
    asked
        The points.
    """
    candidates = _directions(after.reshape(len(after), -1).T.astype(np.float64))
    columns = max(len(after), 2 * len(candidates))
    return joined([_matched(before, candidates, grid, part) for part in asked.parts(columns)])


def _matched(before: NDArray[Any], candidates: Float64, grid: Grid, asked: Asked) -> Matches:
    similarity = _directions(grid.vectors(before, asked.points)) @ candidates.T
    best = similarity >= similarity.max(1, keepdims=True) - TIE
    distance, tied = _distances(grid, asked), best.sum(1)
    within = best & (distance <= asked.radius)
    interior = grid.within(asked.points, asked.size) & grid.within(asked.true, asked.size, asked.warp)
    return Matches(
        ((distance * best).sum(1) / tied).astype(np.float32), (within.sum(1) / tied).astype(np.float32),
        grid.places[best.argmax(1)].astype(np.float32), tied.astype(np.int32), interior,
    )  # fmt: skip


def yardsticks(grid: Grid, asked: Asked) -> Yardsticks:
    """Return what no vector has a say in."""
    return joined([_measured(grid, part) for part in asked.parts(2 * len(grid.places))])


def _measured(grid: Grid, asked: Asked) -> Yardsticks:
    distance = _distances(grid, asked)
    apart = np.abs(asked.true[:, None] - grid.places)
    sees: NDArray[np.bool_] = np.all(apart <= np.array(grid.field) / 2, axis=2)
    # Between fields that leave gaps the nearest neuron is as good as any.
    sees |= ~sees.any(1, keepdims=True) & (distance == distance.min(1, keepdims=True))
    found = (
        distance.min(1), (distance * sees).sum(1) / sees.sum(1), distance.mean(1),
        (distance <= asked.radius).mean(1),
    )  # fmt: skip
    return Yardsticks(*(values.astype(np.float32) for values in found))


def joined(parts: Sequence[Found]) -> Found:
    """Join what was found of some points and of others."""
    columns: dict[str, Any] = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(parts[0])
    }
    return type(parts[0])(**columns)


def _distances(grid: Grid, asked: Asked) -> Float64:
    """Return the distance of each neuron from each true place, (n, h·w)."""
    return np.asarray(np.linalg.norm(asked.true[:, None] - grid.places, axis=2))


def _directions(vectors: Float64) -> Float64:
    """Return vectors (n, U) at length 1; what has no length, or no number, is zeros, and like nothing."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    known = np.isfinite(length) & (length > 0)
    return np.where(known, vectors, 0) / np.where(known, length, 1)
