"""How often an image's nearest neighbours have its label, and whether one image is a neighbour of most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def label_agreement(label: NDArray[np.integer], neighbour: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the share of each image's neighbours that have its label, of those that have one.

    Parameters
    ----------
    label
        (S,) of the images, not negative.
    neighbour
        (S, k) of their neighbours; -1 where there is none.

    Returns
    -------
    (S,) float64
        0 to 1; NaN where no neighbour has a label.
    """
    labelled = (neighbour >= 0).sum(axis=1)
    same = (neighbour == label[:, None]).sum(axis=1)
    return np.divide(same, labelled, out=np.full(len(label), np.nan), where=labelled > 0)


def chance_agreement(label: NDArray[np.integer], count: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the agreement that is expected where neighbours are drawn at random from the other images.

    Parameters
    ----------
    label
        (S,) of the images, which are among those that are counted.
    count
        (C,) images of each label.

    Returns
    -------
    (S,) float64
        0 to 1; NaN where no other image has a label.
    """
    others = count.sum() - 1
    return (count[label] - 1) / others if others > 0 else np.full(len(label), np.nan)


def hub_share(neighbour: NDArray[np.integer]) -> float:
    """Return the largest share of the lists that one image stands in (Radovanovic et al., JMLR 11, 2010).

    Parameters
    ----------
    neighbour
        (Q, k) lists of neighbours, Q >= 1.

    Returns
    -------
    float
        1 / Q to 1.
    """
    return float(np.unique(neighbour, return_counts=True)[1].max() / len(neighbour))
