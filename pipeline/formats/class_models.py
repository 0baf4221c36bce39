"""``class_models.h5``: the image that a class's score likes best, for some classes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.status import Status, mark, read_artifact

VERSION = 1
_ARRAYS = ("output", "weight", "score", "energy", "picture", "clipped", "probability", "predicted")


@dataclass(frozen=True)
class ClassModels:
    """K classes.

    Attributes
    ----------
    output : (K,) int32
        The network's outputs.
    weight : (K,) float32
        λ of each.
    score, energy : (K, T + 1) float32
        The logit, and what is maximised, after each step; the first of the zero image.
    picture : (K, H, W, C) uint8
        The training mean added, clipped and rounded to what a file holds.
    clipped : (K,) float32
        Share of its values that lay outside 0 to 255.
    probability, predicted : (K,)
        What the network says of the picture: of the class, softmax; and the output with the largest logit.
    chosen_weight
        Whether each λ was found, and not given.
    """

    output: NDArray[np.int32]
    weight: NDArray[np.float32]
    score: NDArray[np.float32]
    energy: NDArray[np.float32]
    picture: NDArray[np.uint8]
    clipped: NDArray[np.float32]
    probability: NDArray[np.float32]
    predicted: NDArray[np.int32]
    chosen_weight: bool


def write_class_models(path: Path, found: ClassModels, *, made_from: Mapping[str, str]) -> None:
    """Write class models; `made_from` as of `pipeline.store.write`."""
    versions = ("numpy", "torch")
    with store.write(
        path, stage="class_models", version=VERSION, made_from=made_from, versions=versions
    ) as file:
        mark(file)
        file.set_attributes("", {"chosen_weight": int(found.chosen_weight)})
        for name in _ARRAYS:
            file.put(name, getattr(found, name))


def read_class_models(path: Path) -> ClassModels | Status:
    """Read class models, or why there are none; `UserError` as of `pipeline.store.read`."""
    return read_artifact(path, VERSION, _class_models)


def _class_models(file: store.Reader) -> ClassModels:
    arrays: dict[str, Any] = {name: file.get(name) for name in _ARRAYS}
    return ClassModels(**arrays, chosen_weight=bool(file.attributes()["chosen_weight"]))
