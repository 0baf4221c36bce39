"""The smallest change that makes a network say what one has chosen.

Szegedy et al., Intriguing properties of neural networks, ICLR 2014, section 4.1: minimise c |r| + loss(x + r)
within the box by L-BFGS, with a line search over c.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, minimize

from pipeline.analyses.fooling.pixels import WHITE, PixelNetwork, answers, rounded

FIRST, FACTOR = 0.1, 4.0  # the first c, and how much further the next lies until one is too large
# What a change is multiplied by until it does what it should after rounding, too.
STRETCHES = (1.0, 1.1, 1.25, 1.5, 2.0, 3.0)


@dataclass(frozen=True)
class Search:
    """How long to look.

    Attributes
    ----------
    solves
        Values of c that are tried: the largest that still reaches the target gives the smallest change.
    steps
        Of L-BFGS at each.
    """

    solves: int
    steps: int


@dataclass(frozen=True)
class Change:
    """A change r of a picture, shares of full scale.

    Attributes
    ----------
    change : (H, W, C) float32
        The smallest that was found; zero where none was.
    penalty
        Its c; NaN where none was found.
    picture : (H, W, C) uint8
        The picture with the change, stretched, in whole grey levels.
    stretch
        The first of STRETCHES that does; NaN where none does.
    """

    change: NDArray[np.float32]
    penalty: float
    picture: NDArray[np.uint8]
    stretch: float


def smallest_change(network: PixelNetwork, picture: NDArray[np.uint8], target: int, search: Search) -> Change:
    """Look for the smallest change after which the network predicts the target.

    Parameters
    ----------
    network
        It is asked about one picture at a time.
    picture
        (H, W, C) uint8.
    target
        An output.
    search
        How long to look.
    """
    best, penalty = np.zeros(picture.shape, np.float32), np.nan
    reaching, failing, c = 0.0, np.inf, FIRST
    for _ in range(search.solves):
        change = _solve(network, picture, target, c, search.steps)
        if _predicted(network, picture / WHITE + change) == target:
            reaching = max(reaching, c)
            if np.isnan(penalty) or np.linalg.norm(change) < np.linalg.norm(best):
                best, penalty = change, c
        else:
            failing = min(failing, c)
        c = _next(reaching, failing)
    found, stretch = _whole(network, picture, best, target)
    return Change(best, float(penalty), found, stretch)


def _next(reaching: float, failing: float) -> float:
    if np.isinf(failing):
        return reaching * FACTOR
    return failing / FACTOR if not reaching else float(np.sqrt(reaching * failing))


def _solve(
    network: PixelNetwork, picture: NDArray[np.uint8], target: int, c: float, steps: int
) -> NDArray[np.float32]:
    """Minimise c ‖r‖₂ + the cross-entropy for the target, from r = 0."""
    share, wanted = picture.ravel() / WHITE, np.array([target])

    def objective(r: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        moved = ((share + r) * WHITE).reshape(1, *picture.shape).astype(np.float32)
        slope, logits = network.slope(moved, wanted)
        row = logits[0].astype(np.float64)
        loss = float(np.log(np.exp(row - row.max()).sum()) + row.max() - row[target])
        length = float(np.linalg.norm(r))
        return c * length + loss, slope.ravel().astype(np.float64) + (c / length * r if length else 0)

    found = minimize(
        objective, np.zeros(share.size), jac=True, method="L-BFGS-B", bounds=Bounds(-share, 1 - share),
        options={"maxiter": steps, "maxfun": 2 * steps},
    )  # fmt: skip
    return np.asarray(found.x, np.float32).reshape(picture.shape)


def _whole(
    network: PixelNetwork, picture: NDArray[np.uint8], change: NDArray[np.float32], target: int
) -> tuple[NDArray[np.uint8], float]:
    if not change.any():
        return picture, np.nan
    for stretch in STRETCHES:
        found = rounded(picture + WHITE * stretch * change)
        if _predicted(network, found / WHITE) == target:
            return found, stretch
    return found, np.nan


def _predicted(network: PixelNetwork, share: NDArray[np.floating]) -> int:
    moved = np.clip(share[None] * WHITE, 0, WHITE).astype(np.float32)
    return int(answers(network.logits(moved))[0][0])
