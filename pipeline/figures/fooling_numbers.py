"""Numbers of the attacks that sentences and titles weigh, and no figure shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.contents.values import Number
from pipeline.formats.fooling import BEFORE, METHODS, NEVER, Fooling, median_distance
from pipeline.numerics.bootstrap import bootstrap_means
from pipeline.numerics.intervals import wilson

REPEATS = 2000  # of the bootstrap
FEWEST = 6  # images; of fewer a bootstrap claims too much


def shares_right(found: Fooling, method: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return (E,) how many are right, and (E, 3) the share and its interval."""
    right = (found.attacks[method].predicted == found.sample.output[:, None]).sum(0)  # type: ignore[index]
    count = len(found.sample.output)
    return right, np.stack([right / count, *wilson(right, np.full(len(right), count))], 1)


def fooling_numbers(found: Fooling) -> dict[str, Number]:
    """Return what the section says of the attacks by name: how many are right, and how little it takes."""
    level, about = found.sample.level, found.about
    numbers: dict[str, Number] = {
        "images": len(found.sample.output), "by_label": int(about.basis == "label"), "split": about.split,
        "steps": about.steps, "largest": int(level[-1]), "probes": len(found.shown.image_id),
        "before": float(shares_right(found, "pgd")[1][0, 0]), "wanted": about.confidence,
        "transfer_level": about.transfer, "by_pixels": int(found.pixels is not None),
    }  # fmt: skip
    for method in METHODS:
        _, shares = shares_right(found, method)
        smallest = found.attacks[method].smallest
        tried = smallest[smallest != BEFORE]
        numbers |= {
            f"{method}_last": float(shares[-1, 0]), f"{method}_tried": len(tried),
            f"{method}_never": int((tried == NEVER).sum()),
        }  # fmt: skip
        median = median_distance(tried) if len(tried) else None
        if median is not None:
            numbers |= {f"{method}_median": median, f"{method}_least": int(tried[tried > 0].min())}
    return numbers | _of_pgd(found)


def _of_pgd(found: Fooling) -> dict[str, Number]:
    """Return what is said of the stronger attack alone: what rounding changed, and where half is lost."""
    one, (_, shares) = found.attacks["pgd"], shares_right(found, "pgd")
    numbers: dict[str, Number] = {"pgd_lost": int((one.exact != one.predicted).sum())}
    halved = np.flatnonzero(shares[:, 0] <= shares[0, 0] / 2)
    if len(halved) and shares[0, 0] > 0:
        numbers |= {"pgd_half": int(found.sample.level[halved[0]]), "pgd_at": float(shares[halved[0], 0])}
    return numbers


def sureness(confidence: NDArray[np.float32]) -> dict[str, Number]:
    """Return how sure the network is without a change and at the largest, and whether it is clearly surer.

    Parameters
    ----------
    confidence : (n, E) float32
        Of what is said of each image at each distance.

    Returns
    -------
    dict
        ``sure_before`` and ``sure_last``, means; ``surer`` is 1 or -1 where the bootstrap interval of the
        mean change, image by image, lies above or below 0, else 0.
    """
    ends = confidence[:, [0, -1]].astype(np.float64)
    low, high = bootstrap_means(np.diff(ends), repeats=REPEATS, seed=0)
    clear = int(low[0] > 0) - int(high[0] < 0) if len(ends) >= FEWEST else 0
    before, last = ends.mean(0).tolist()
    return {"sure_before": before, "sure_last": last, "surer": clear}
