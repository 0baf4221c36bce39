"""What many points of each image come to, with intervals over images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.correspondence.matching import Matches, Yardsticks
from pipeline.formats.correspondence import Held, Matched
from pipeline.numerics.bootstrap import Statistic, bootstrap_crossed, bootstrap_groups

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Summary:
    """How sure estimates are: K points are those of `images`, one after the other, as many of each."""

    images: int
    repeats: int
    seed: int

    def estimate(self, statistic: Statistic, *columns: NDArray[np.floating]) -> Float64:
        """Return a statistic of points, (3,): its value and its interval; NaN where there is none.

        Parameters
        ----------
        statistic
            Of (n, c), the columns beside each other; a statistic of one column is given (n,).
        *columns
            (K,) or (K, …), NaN where a point is left out.
        """
        rows = np.column_stack([np.asarray(column, np.float64) for column in columns])
        groups = [group[~np.isnan(group).any(1)] for group in rows.reshape(self.images, -1, rows.shape[1])]
        if len(columns) == 1 and rows.shape[1] == 1:
            groups = [group[:, 0] for group in groups]
        known = np.concatenate(groups)
        if not len(known):
            return np.full(3, np.nan)
        ends = bootstrap_groups(groups, statistic, repeats=self.repeats, seed=self.seed)
        return np.array([statistic(known), *ends])

    def over_networks(self, statistic: Statistic, values: NDArray[np.floating]) -> Float64:
        """Return a statistic of points in R networks, (K, R), as `estimate` does; networks are drawn, too."""
        groups = list(np.asarray(values, np.float64).reshape(self.images, -1, values.shape[1]))
        ends = bootstrap_crossed(groups, statistic, repeats=self.repeats, seed=self.seed)
        return np.array([statistic(np.concatenate(groups)), *ends])

    def matched(self, found: Matches) -> Matched:
        """Return matches with what they come to."""
        pck, median = (
            np.stack([
                self.estimate(statistic, values),
                self.estimate(statistic, np.where(found.interior, values, np.nan)),
            ])
            for statistic, values in ((_mean, found.hit), (_median, found.error))
        )  # fmt: skip
        return Matched(**vars(found), pck=pck, median=median)

    def held(
        self,
        found: Matches,
        yardsticks: Yardsticks,
        random: Sequence[Matches],
        patches: Sequence[Matches],
        staying: NDArray[np.floating],
    ) -> Held:
        """Return what a layer's matches are held against.

        Parameters
        ----------
        found
            The layer's.
        yardsticks
            Of the layer's grid.
        random
            Of the layer with random weights, R of them.
        patches
            Of pixels.
        staying
            (K,) whether the place that a point had in the image is within the radius.
        """
        error, hit = (np.stack([getattr(one, name) for one in random]) for name in ("error", "hit"))
        over = [self.estimate(_gain, found.hit, one.hit) for one in patches]
        return Held(
            **vars(yardsticks), random_error=error, random_hit=hit,
            random_pck=self.over_networks(_mean, hit.T), random_median=self.over_networks(_median, error.T),
            over_random=self.over_networks(_mean, found.hit[:, None].astype(np.float64) - hit.T),
            over_staying=self.estimate(_gain, found.hit, staying),
            over_patches=np.array(over).reshape(-1, 3),
            over_field=self.estimate(_closer, found.error, yardsticks.field_error),
        )  # fmt: skip


def _mean(values: NDArray[np.floating]) -> float:
    return float(values.mean())


def _median(values: NDArray[np.floating]) -> float:
    return float(np.median(values))


def _gain(rows: NDArray[np.floating]) -> float:
    """How much larger the mean of the first column is."""
    return float((rows[:, 0] - rows[:, 1]).mean())


def _closer(rows: NDArray[np.floating]) -> float:
    """How much smaller the median of the first column is."""
    return float(np.median(rows[:, 1]) - np.median(rows[:, 0]))
