"""What is gathered of layers while images stream by, in parts that may be gone through apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.analyses.outlines.levels import Tail
from pipeline.analyses.outlines.winners import WinnerMaps, scales
from pipeline.formats.patches import DrawnLayer


class Seen(NamedTuple):
    """What some images add to a layer, besides their maps: as of `WinnerMaps`, and the tail."""

    found: NDArray[np.bool_]
    largest: NDArray[np.float32]
    tail: Tail


@dataclass(frozen=True)
class Gathering:
    """What is being gathered of one layer.

    Attributes
    ----------
    drawn
        Its units and their winners.
    maps, scale
        (V, K, h, w) float16, on disk: the winners' maps, each unit's divided by its scale, (V,).
    winners, tail
        What fills them, and what the levels are found by.
    """

    drawn: DrawnLayer
    maps: NDArray[np.float16]
    scale: NDArray[np.float32]
    winners: WinnerMaps
    tail: Tail

    def take(self, image_id: Sequence[int], sampled: NDArray[np.bool_], value: Tensor) -> None:
        """Take out of a layer's output, (n, units, …), what is wanted; levels are of the sampled images."""
        units = torch.as_tensor(self.drawn.unit, device=value.device)
        chosen = value.index_select(1, units).float().cpu().numpy()
        maps = chosen.reshape(*chosen.shape[:2], *self.maps.shape[2:])
        self.winners.add(image_id, maps)
        self.tail.add(maps[sampled].swapaxes(0, 1).reshape(len(units), -1))

    def seen(self) -> Seen:
        """Return what was added."""
        return Seen(self.winners.found, self.winners.largest, self.tail)

    def merge(self, other: Seen) -> None:
        """Add what was gathered of other images into the same maps."""
        self.winners.merge(other.found, other.largest)
        self.tail.merge(other.tail)


def gatherings(
    drawn: Mapping[str, DrawnLayer], sampled: int, room: NDArray[np.float16]
) -> dict[str, Gathering]:
    """Begin to gather layers, whose maps lie in `room` one after the other.

    Parameters
    ----------
    drawn
        Layers by name.
    sampled
        Images at most that the levels are taken on.
    room
        (n,), all zero at first: as many numbers as all maps have.
    """
    gathered, start = {}, 0
    for name, layer in drawn.items():
        shape, positions = (*layer.image_id.shape, *layer.geometry.map_size), prod(layer.geometry.map_size)
        maps = room[start : start + prod(shape)].reshape(shape)
        tail = Tail(len(layer.unit), sampled * positions)
        scale = scales(layer.key.max(1))
        gathered[name] = Gathering(layer, maps, scale, WinnerMaps(layer.image_id, maps, scale), tail)
        start += prod(shape)
    return gathered
