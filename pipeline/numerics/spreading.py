"""Some of many things, spread evenly from the first to the last."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Thing = TypeVar("Thing")


def even_places(count: int, most: int) -> NDArray[np.int64]:
    """Return the places of at most `most` of `count` things, ascending: the first, the last, evenly between.

    A single one is the first.
    """
    return np.linspace(0, max(count - 1, 0), min(most, count)).round().astype(np.int64)


def evenly_spread(things: Sequence[Thing], most: int) -> list[Thing]:
    """Return the things in the places of `even_places`."""
    return [things[place] for place in even_places(len(things), most).tolist()]
