"""Matches of the three small probes, two warps of each and four points of each warp."""

import numpy as np

from pipeline.formats.correspondence import About, Held, Matched, PlacedLayer, Views, new_correspondence
from pipeline.formats.geometry import LayerGeometry
from pipeline.numerics.geometry import ReceptiveField
from tests.small.probes import PICTURES, PROBES

WARPS, POINTS = 2, 4
COUNT = 3 * WARPS * POINTS
RNG = np.random.default_rng(0)
POINT = RNG.uniform(0, 8, (COUNT, 2))
VIEWS = Views(
    PROBES.image_id, np.tile(np.array([[1.0, 0, 1], [0, 1, 0]]), (3, WARPS, 1, 1)),
    np.repeat(PICTURES[:, None], WARPS, 1)[:, :, ::-1], POINT, POINT + (1, 0),
)  # fmt: skip


def about(layers, **changed):
    found = {
        "layers": tuple(layers), "patches": (2, 4), "without_place": {}, "input_size": (8, 8), "radius": 0.8,
        "share": 0.1, "rotation": 15.0, "scale": (0.8, 1.25), "translation": 0.15, "networks": 2,
    }  # fmt: skip
    return About(**found | changed)


def estimate(value, reach=0.05):
    return np.array([value, value - reach, value + reach])


def matched(right, *, tied=0, interior=6):
    """Of the points the first `right` are right and 0.5 pixels off, the others 3; the first `tied` tie."""
    hit = (np.arange(COUNT) < right).astype(np.float32)
    error, share = np.where(hit, 0.5, 3).astype(np.float32), right / COUNT
    many = np.where(np.arange(COUNT) < tied, 9, 1).astype(np.int32)
    inside, nothing = np.arange(COUNT) < interior, np.full(3, np.nan)
    return Matched(
        error, hit, (VIEWS.true + error[:, None]).astype(np.float32), many, inside,
        np.stack([estimate(share), estimate(float(hit[inside].mean())) if interior else nothing]),
        np.stack([estimate(float(np.median(error))), estimate(0.5) if interior else nothing]),
    )  # fmt: skip


def layer(right, *, over=0.2, closer=0.1, field=(5, 5), tied=0, interior=6):
    """A layer whose intervals of differences are ± 0.05 about `over` and `closer`."""
    ones = np.ones(COUNT, np.float32)
    held = Held(
        ones / 4, ones * 2, ones * 4, ones / 16, np.stack([ones, ones]), np.stack([ones, ones]) / 2,
        estimate(0.5), estimate(1.0), estimate(over), estimate(over), np.stack([estimate(over)] * 2),
        estimate(closer),
    )  # fmt: skip
    geometry = LayerGeometry((4, 4), ReceptiveField(field, (2, 2), (-1, -1), "exact"))
    return PlacedLayer(16, geometry, matched(right, tied=tied, interior=interior), held)


def write(path, layers, **changed):
    """Write correspondence.h5."""
    with new_correspondence(path, about(layers, **changed), VIEWS, made_from={}) as writer:
        for name, one in layers.items():
            writer.put_layer(name, one)
        for side in (2, 4):
            writer.put_patches(side, matched(12 + side))
    return path
