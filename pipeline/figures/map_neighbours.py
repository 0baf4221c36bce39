"""The nearest images by codes of those on the interactive map, as places on it."""

import numpy as np
from numpy.typing import NDArray

from pipeline.formats.neighbours import OnMap

SHOWN = 8  # on an image's page


def are_on_map(near: OnMap, image_id: NDArray[np.int64]) -> bool:
    """Tell whether all images that were compared are on the map, whose images' ids are given."""
    return bool(np.isin(near.image_id, image_id).all())


def nearest_places(near: OnMap, image_id: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Return of each point of the map the places of its image's nearest.

    Parameters
    ----------
    near
        Which are nearest to which.
    image_id
        (n,) of the map's points, in their order.

    Returns
    -------
    (n, k) int64 or None
        Places in that order, nearest first, at most `SHOWN`; -1 where there is none, or none is known. None
        where not all that were compared are on the map.
    """
    if not are_on_map(near, image_id):
        return None
    order = np.argsort(image_id)
    ascending = image_id[order]

    def places(wanted: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.where(wanted < 0, -1, order[np.searchsorted(ascending, np.maximum(wanted, ascending[0]))])

    shown = near.neighbour[:, :SHOWN]
    found = np.full((len(image_id), shown.shape[1]), -1, np.int64)
    found[places(near.image_id)] = places(shown)
    return found
