"""Whether a method passes: its order beats one by lot, and its maps change with the weights.

What is claimed is the method's, and so is the burden of proof: an order is better where the whole interval
of the difference says so. Below `LEAST` images nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.formats.scorecard import CENTRE, RANDOM, Likeness, Scorecard
from pipeline.numerics.bootstrap import bootstrap_means

Floats = NDArray[np.floating]
Outcome = Literal["passes", "fails", "open"]

# Rank correlation, in the mean, from which on maps of a network and of one with shuffled weights are alike.
ALIKE = 0.5
LEAST = 6  # images
REPEATS = 2000  # of the bootstrap


@dataclass(frozen=True)
class Estimate:
    """A mean over n images, with its 95 % bootstrap interval; one image's is the mean itself."""

    mean: float
    low: float
    high: float
    n: int

    @property
    def ends(self) -> tuple[float, float]:
        """Of the interval."""
        return self.low, self.high


def estimate(values: Floats) -> Estimate | None:
    """Return the mean of values (n,) over images, without those that are NaN; None where none is left."""
    known = values[~np.isnan(values)].astype(np.float64)
    if not len(known):
        return None
    low, high = bootstrap_means(known[:, None], repeats=REPEATS, seed=0)
    return Estimate(float(known.mean()), float(low[0]), float(high[0]), len(known))


def estimate_columns(values: Floats) -> NDArray[np.float64]:
    """Return the means of columns (n, m) over images, and the ends of their intervals, (m, 3)."""
    found = values.astype(np.float64)
    return np.stack([found.mean(0), *bootstrap_means(found, repeats=REPEATS, seed=0)], 1)


@dataclass(frozen=True)
class Verdict:
    """What is said of a method.

    Attributes
    ----------
    deletion, insertion
        By how much the areas of its curves are better than those of orders by lot: smaller, and larger.
    over_centre
        The same beside an order from the middle outwards, of deletion and of insertion.
    alike
        Rank correlation of its maps with those after weights were shuffled, a mean over the steps; of
        magnitudes where these are more alike: a map that only changes its signs looks as it did.
    other
        The same with the maps of another class; None where the network has no other.
    """

    deletion: Estimate
    insertion: Estimate
    over_centre: tuple[Estimate, Estimate]
    alike: Estimate | None
    other: Estimate | None

    @property
    def order(self) -> Outcome:
        """Fails where neither curve is better than by lot."""
        if self.deletion.n < LEAST:
            return "open"
        return "passes" if self.deletion.low > 0 or self.insertion.low > 0 else "fails"

    @property
    def weights(self) -> Outcome:
        """Fails where maps stay alike in the mean; open where they may for all that the interval says."""
        return _differs(self.alike)

    @property
    def of_class(self) -> Outcome:
        """Whether maps of another class are others, likewise."""
        return _differs(self.other)

    @property
    def fails(self) -> bool:
        """Whether it does not beat orders by lot, or changes too little with the weights."""
        return "fails" in (self.order, self.weights)

    @property
    def passes(self) -> bool:
        """Whether it is known to do both."""
        return self.order == self.weights == "passes"


def verdicts_of(found: Scorecard) -> dict[str, Verdict]:
    """Return what is said of each method."""
    verdicts = {}
    for name in found.about.methods:
        likeness = found.likeness[name]
        alike = estimate_alike(likeness.shuffled.mean(0), likeness.shuffled_magnitude.mean(0))
        other = estimate_alike(likeness.other, likeness.other_magnitude)
        verdicts[name] = Verdict(
            *gains(found, name, over=RANDOM), gains(found, name, over=CENTRE), alike, other
        )
    return verdicts


def gains(found: Scorecard, name: str, over: str) -> tuple[Estimate, Estimate]:
    """Return by how much areas are better than those of another order: smaller, and larger."""
    share = found.images.share
    (gone, come), (other_gone, other_come) = (found.orders[one].areas(share) for one in (name, over))
    return _known(other_gone - gone), _known(come - other_come)


def estimate_alike(values: Floats, magnitudes: Floats) -> Estimate | None:
    """Return the mean of correlations (n,), or of those of magnitudes where it is larger."""
    found = [one for one in map(estimate, (values, magnitudes)) if one is not None]
    return max(found, key=lambda one: one.mean) if found else None


def alike_by_step(likeness: Likeness) -> Floats:
    """Return the mean correlation at each step of the shuffling, (L,), over the images of `Verdict.alike`."""
    ways = likeness.shuffled, likeness.shuffled_magnitude
    known = [way[:, ~np.isnan(way).any(0)] for way in ways]
    means = [way.mean(1) for way in known if way.size]
    return max(means, key=np.mean) if means else np.full(len(likeness.shuffled), np.nan)


def knowledge(found: Scorecard) -> Estimate | None:
    """Return by how much the network's probability of the labels exceeds an even one.

    None without labels, and where there is one output alone.
    """
    if found.about.outputs < 2:
        return None
    whole = found.orders[RANDOM].deletion[:, 0]
    return estimate(whole[found.images.by_label] - 1 / found.about.outputs)


def _known(values: Floats) -> Estimate:
    found = estimate(values)
    assert found is not None, "areas are numbers"
    return found


def _differs(alike: Estimate | None) -> Outcome:
    if alike is None or alike.n < LEAST:
        return "open"
    if alike.mean >= ALIKE:
        return "fails"
    return "passes" if alike.high < ALIKE else "open"
