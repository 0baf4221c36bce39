"""Whether codes differ by more than the round-off of the arithmetic that computed them.

The same image in another batch gives another code in its last bits, and t-SNE would make islands of these.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Fewer have no neighbourhoods that a map could keep.
FEWEST = 5
# Relative distance of two codes of one image, at most, by what the network computed in: some units of the
# last place. Measured in float32, where long sums are rounded too: 7e-7. In half precision sums are float32.
ROUND_OFF = {
    "float32": 64 * 2.0**-23,
    "float16": 2 * 2.0**-10,
    "bfloat16": 2 * 2.0**-7,
}


def why_too_few(images: int) -> str:
    """Return why so many images make no map, as a sentence; empty where they may."""
    there = "there is one" if images == 1 else f"there are {images}"
    return "" if images >= FEWEST else f"A map needs at least {FEWEST} images, and {there}."


def why_no_structure(points: NDArray[np.floating], length: float, precision: str) -> str:
    """Return why these points make no map, as a sentence; empty where they do.

    Parameters
    ----------
    points
        (N, C), codes along their principal components.
    length
        Root mean square length of the codes.
    precision
        What the network computed in, a key of `ROUND_OFF`.
    """
    distinct = count_distinct(points, ROUND_OFF[precision] * length)
    if distinct >= FEWEST:
        return ""
    if distinct == 1:
        found = f"The codes of all {len(points):,} images are the same"
    else:
        found = f"The {len(points):,} images have {distinct} different codes"
    return (
        f"{found}, as far as the round-off of {precision} allows to tell; a map needs at least {FEWEST}. "
        "Are the images different, and are the weights the right ones?"
    )


def count_distinct(points: NDArray[np.floating], distance: float, most: int = FEWEST) -> int:
    """Return how many points, at most `most`, lie farther than a distance from one another.

    Parameters
    ----------
    points
        (N, C). One is taken after the other.
    distance
        What lies no farther from it goes with it.
    most
        Where counting ends.
    """
    left, distinct = np.asarray(points, np.float64), 0
    while len(left) and distinct < most:
        left = left[np.linalg.norm(left - left[0], axis=1) > distance]
        distinct += 1
    return distinct
