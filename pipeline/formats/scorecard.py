"""``scorecard.h5``: whether the maps of attribution methods are any good, measured on the probes."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.geometry import pair
from pipeline.formats.status import Status, mark, read_artifact
from pipeline.numerics.geometry import Pair

VERSION = 1
# What stands beside the methods' orders: from the middle outwards, and by lot.
CENTRE, RANDOM = "centre", "random"
_TEXTS = ("methods", "layers")
_NUMBERS = ("outputs", "window", "repeats", "seed")


@dataclass(frozen=True)
class About:
    """What was done.

    Attributes
    ----------
    methods
        Whose maps were measured.
    fill
        What stands where a pixel is deleted: "zero", "mean", "blur" or "noise".
    input_size
        Height and width of the network's input, pixels.
    outputs
        Of the network.
    window
        Side of the squares that the map of occlusion is of, pixels; 0 where there is none.
    layers
        Those with weights, the one that runs last first.
    repeats
        Orders by lot for each image, of which there is the mean.
    seed
        The param.
    """

    methods: tuple[str, ...]
    fill: str
    input_size: Pair
    outputs: int
    window: int
    layers: tuple[str, ...]
    repeats: int
    seed: int


@dataclass(frozen=True)
class Images:
    """P probes, and S steps from an image to none of it.

    Attributes
    ----------
    image_id : (P,) int64
    output : (P,) int32
    by_label : (P,) bool
        As of `pipeline.formats.gradients.Attributed`.
    share : (S + 1,) float64
        Of pixels that are gone, or have come, ascending from 0 to 1.
    inside : (P,) float64
        Share of the input's pixels that lie in one of the image's boxes; NaN where it has none, or no label.
    other : (Q,) int32
        Of the first Q probes, another output, by lot; -1 where there is none.
    shuffled : (L,) int64
        How many of the layers were shuffled, ascending.
    """

    image_id: NDArray[np.int64]
    output: NDArray[np.int32]
    by_label: NDArray[np.bool_]
    share: NDArray[np.float64]
    inside: NDArray[np.float64]
    other: NDArray[np.int32]
    shuffled: NDArray[np.int64]


@dataclass(frozen=True)
class Order:
    """An order of pixels.

    Attributes
    ----------
    deletion, insertion : (P, S + 1) float64
        The output's softmax probability as pixels go from the image, and as they come.
    hit : (P,) int8
        Whether the first pixel lies in a box: 1 or 0; -1 where there is none.
    """

    deletion: NDArray[np.float64]
    insertion: NDArray[np.float64]
    hit: NDArray[np.int8]

    def areas(self, share: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the areas under both curves, (P,) each."""
        deletion, insertion = (np.trapezoid(one, share, axis=1) for one in (self.deletion, self.insertion))
        return np.asarray(deletion), np.asarray(insertion)


@dataclass(frozen=True)
class Likeness:
    """Rank correlations of a method's maps with others of the same image; NaN where there is none.

    Attributes
    ----------
    shuffled, shuffled_magnitude : (L, Q) float64
        With the map of the network whose last layers were shuffled; of the values, and of their magnitudes.
    other, other_magnitude : (Q,) float64
        With the map of another output.
    """

    shuffled: NDArray[np.float64]
    shuffled_magnitude: NDArray[np.float64]
    other: NDArray[np.float64]
    other_magnitude: NDArray[np.float64]


@dataclass(frozen=True)
class Scorecard:
    """All of it: `orders` of the methods, of CENTRE and RANDOM (whose hits are -1); `likeness` of methods."""

    about: About
    images: Images
    orders: Mapping[str, Order]
    likeness: Mapping[str, Likeness]


def write_scorecard(path: Path, found: Scorecard, *, made_from: Mapping[str, str]) -> None:
    """Write a scorecard; `made_from` as of `pipeline.store.write`."""
    versions = ("numpy", "torch", "scipy")
    with store.write(
        path, stage="scorecard", version=VERSION, made_from=made_from, versions=versions
    ) as file:
        mark(file)
        about = {one.name: getattr(found.about, one.name) for one in fields(About)}
        lists = {name: list(about[name]) for name in _TEXTS}
        file.set_attributes("", about | lists | {"input_size": np.array(found.about.input_size)})
        for name, values in vars(found.images).items():
            file.put(name, values.astype(np.uint8) if name == "by_label" else values)
        for method, parts in (*found.orders.items(), *found.likeness.items()):
            for name, values in vars(parts).items():
                file.put(f"{method}/{name}", values)


def read_scorecard(path: Path) -> Scorecard | Status:
    """Read a scorecard, or why there is none; `UserError` as of `pipeline.store.read`."""
    return read_artifact(path, VERSION, _scorecard)


def _scorecard(file: store.Reader) -> Scorecard:
    about = file.attributes()
    given: dict[str, Any] = {name: tuple(map(str, about[name])) for name in _TEXTS}
    given |= {name: int(about[name]) for name in _NUMBERS}
    images = {one.name: file.get(one.name) for one in fields(Images)}
    images["by_label"] = images["by_label"].astype(np.bool_)
    methods = given["methods"]
    return Scorecard(
        About(fill=str(about["fill"]), input_size=pair(about["input_size"]), **given),
        Images(**images),
        {name: Order(**_arrays(file, name, Order)) for name in (*methods, CENTRE, RANDOM)},
        {name: Likeness(**_arrays(file, name, Likeness)) for name in methods},
    )


def _arrays(file: store.Reader, method: str, of: type) -> dict[str, Any]:
    return {one.name: file.get(f"{method}/{one.name}") for one in fields(of)}
