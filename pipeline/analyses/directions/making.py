"""Directions of a layer's space, each of length 1: drawn at random, and of largest variance."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

Directions = NDArray[np.float32]


def random_directions(count: int, units: int, *, seed: int, layer: str) -> Directions:
    """Draw isotropic directions.

    Szegedy et al. (*Intriguing properties of neural networks*, 2013, §3) do not say how theirs are
    distributed; a normalised Gaussian prefers none.

    Parameters
    ----------
    count, units
        R and U.
    seed
        Another seed draws other directions.
    layer
        Its name: a layer's directions do not depend on which others are looked at.

    Returns
    -------
    (R, U) float32
    """
    name = int.from_bytes(hashlib.sha256(layer.encode()).digest()[:8], "big")
    return normalised(np.random.default_rng([seed, name]).standard_normal((count, units)))


def normalised(rows: NDArray[np.floating]) -> Directions:
    """Scale vectors (R, U), none of them zero, to length 1, (R, U) float32."""
    exact = rows.astype(np.float64)
    return (exact / np.linalg.norm(exact, axis=1, keepdims=True)).astype(np.float32)
