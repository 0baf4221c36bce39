"""Points of many images, followed into their warps layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.correspondence.grids import Grid, patches
from pipeline.analyses.correspondence.matching import Asked, Matches, Yardsticks, joined, match, yardsticks
from pipeline.analyses.correspondence.warps import Ranges, draw_points, draw_warp
from pipeline.layers.layers import Layer
from pipeline.layers.running import Runner
from pipeline.numerics.geometry import Pair, ReceptiveField
from pipeline.numerics.upsampling import centres


@dataclass(frozen=True)
class Followed:
    """An image and its warps.

    Attributes
    ----------
    inputs : (1 + W, C, H, W) float32
        As the network is given them, the image first.
    asked
        W, the points of each warp.
    """

    inputs: NDArray[np.float32]
    asked: Sequence[Asked]


def ask(ranges: Ranges, size: Pair, counts: Pair, radius: float, seed: Sequence[int]) -> list[Asked]:
    """Draw the warps of an image and the points that are looked for in each.

    Parameters
    ----------
    ranges
        Of the warps.
    size
        Height and width of the image.
    counts
        Warps, and points of each.
    radius
        Within which a match is right, pixels.
    seed
        Of the image.
    """
    found = []
    for number in range(counts[0]):
        rng = np.random.default_rng((*seed, number))
        warp = draw_warp(ranges, size, rng)
        found.append(Asked(warp, draw_points(warp, size, counts[1], rng), size, radius))
    return found


def grids(layers: Sequence[Layer], fields_seen: Mapping[str, ReceptiveField], size: Pair) -> dict[str, Grid]:
    """Return where the neurons of layers look, by what they see of an input of a height and width."""
    return {
        layer.name: Grid(centres(fields_seen[layer.name], layer.map_size, size), fields_seen[layer.name].size)
        for layer in layers
    }


def follow(
    runner: Runner,
    places: Mapping[str, Grid],
    images: Sequence[Followed],
) -> dict[str, Matches]:
    """Match the points of all images in each layer.

    Parameters
    ----------
    runner
        Shows these layers.
    places
        Where their neurons look.
    images
        Each is one batch with its warps.
    """
    found: dict[str, list[Matches]] = {name: [] for name in places}
    for image in images:
        maps = runner.run(image.inputs).layers
        for name, grid in places.items():
            before, *after = maps[name].float().cpu().numpy()
            found[name] += [
                match(before, *one) for one in zip(after, [grid] * len(after), image.asked, strict=True)
            ]
    return {name: joined(parts) for name, parts in found.items()}


def follow_patches(side: int, images: Sequence[Followed]) -> Matches:
    """Match the points of all images by patches of pixels of a side."""
    found = []
    for image in images:
        (before, grid), *after = (patches(one, side) for one in image.inputs)
        found += [match(before, one, grid, asked) for (one, _), asked in zip(after, image.asked, strict=True)]
    return joined(found)


def measured(grid: Grid, images: Sequence[Followed]) -> Yardsticks:
    """Return what errors on a grid are held against, of the points of all images."""
    return joined([yardsticks(grid, asked) for image in images for asked in image.asked])
