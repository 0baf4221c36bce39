"""``similar_units.h5``: of each unit those that are strong on the same images, in its layer and others."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.status import Status, mark, read_artifact

VERSION = 1
_NEAR = ("unit", "correlation")
_FAR = ("far_layer", "far_unit", "far_correlation")


@dataclass(frozen=True)
class SimilarLayer:
    """A layer's U units, each with its K nearest ones, the nearest first; -1 and NaN where there are fewer.

    Attributes
    ----------
    ranked_by
        Whether the correlations are of maxima of the layer's "output", or of its "input".
    varies : (U,) bool
        Whether a unit's maxima are finite and not all equal; one whose do not has no neighbours.
    unit : (U, K) int64
        Units of the same layer.
    correlation : (U, K) float32
        Pearson's correlation of the maxima, over the images.
    far_layer : (U, K) int64 or None
        Of units of other layers, the layer's place in the file's list; None where these were not compared.
    far_unit, far_correlation : (U, K) int64 and float32 or None
        Which unit there, and its correlation.
    """

    ranked_by: str
    varies: NDArray[np.bool_]
    unit: NDArray[np.int64]
    correlation: NDArray[np.float32]
    far_layer: NDArray[np.int64] | None = None
    far_unit: NDArray[np.int64] | None = None
    far_correlation: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class SimilarUnits:
    """Similar units.

    Attributes
    ----------
    images
        That the correlations are over.
    layers
        By name, in the network's order.
    """

    images: int
    layers: Mapping[str, SimilarLayer]


def write_similar_units(path: Path, similar: SimilarUnits, *, made_from: Mapping[str, str]) -> None:
    """Write similar units; `made_from` as of `pipeline.store.write`."""
    with store.write(
        path, stage="similar_units", version=VERSION, made_from=made_from, versions=("numpy",)
    ) as file:
        mark(file)
        file.set_attributes("", {"images": similar.images, "layers": list(similar.layers)})
        for name, layer in similar.layers.items():
            file.set_attributes(name, {"ranked_by": layer.ranked_by})
            file.put(f"{name}/varies", layer.varies.astype(np.uint8))
            for array in _NEAR if layer.far_unit is None else _NEAR + _FAR:
                file.put(f"{name}/{array}", getattr(layer, array))


def read_similar_units(path: Path) -> SimilarUnits | Status:
    """Read similar units, or why there are none; `UserError` as of `pipeline.store.read`."""
    return read_artifact(path, VERSION, _similar_units)


def _similar_units(file: store.Reader) -> SimilarUnits:
    about = file.attributes()
    layers = {name: _layer(file, name) for name in about["layers"]}
    return SimilarUnits(about["images"], layers)


def _layer(file: store.Reader, name: str) -> SimilarLayer:
    arrays = {array: file.get(f"{name}/{array}") for array in _NEAR + _FAR if f"{name}/{array}" in file}
    varies = file.get(f"{name}/varies").astype(np.bool_)
    return SimilarLayer(file.attributes(name)["ranked_by"], varies, **arrays)
