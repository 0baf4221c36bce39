"""``concepts.h5``: directions learnt from examples of concepts, and how much classes depend on them."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.status import Status, mark, opened

VERSION = 1
_ARRAYS = (
    "direction", "accuracy", "score", "random_accuracy", "random_score", "p_value", "slope",
    "random_slope", "slope_p_value",
)  # fmt: skip
_LISTS = {"concept": ("images",), "output": ("number", "images")}


@dataclass(frozen=True)
class About:
    """What was learnt and asked.

    Attributes
    ----------
    layers
        In the network's order.
    random_images
        In each set of random images.
    concept, concept_images
        The Q concepts' names, and how many examples each has.
    output, output_number, output_images
        The T outputs' names and numbers, and the images of each that scores are of.
    """

    layers: tuple[str, ...]
    random_images: int
    concept: tuple[str, ...]
    concept_images: NDArray[np.int64]
    output: tuple[str, ...]
    output_number: NDArray[np.int64]
    output_images: NDArray[np.int64]


@dataclass(frozen=True)
class LayerConcepts:
    """The concepts in a layer of U units, each against R sets of random images.

    Attributes
    ----------
    direction : (Q, U) float32
        Of length 1: the mean over the sets, towards the concept.
    accuracy : (Q, R) float64
        On held-out images, how often concept and random images are told apart.
    score : (Q, R, T) float64
        Share of the images of each output on which its logit rises along the direction of a set.
    random_accuracy : (R,) float64
        The same of sets of random images against each other.
    random_score : (R, T) float64
    p_value : (Q, T) float64
        That scores of the concept and of random sets have one mean, if a concept's runs were independent; NaN
        where neither varies.
    slope : (Q, T) float64
        How much the output's logit rises along `direction`, mean over its images.
    random_slope : (R, T) float64
        The same of random sets, each told from all others.
    slope_p_value : (Q, T) float64
        That a further random set lies as far off; NaN where they do not vary.
    """

    direction: NDArray[np.float32]
    accuracy: NDArray[np.float64]
    score: NDArray[np.float64]
    random_accuracy: NDArray[np.float64]
    random_score: NDArray[np.float64]
    p_value: NDArray[np.float64]
    slope: NDArray[np.float64]
    random_slope: NDArray[np.float64]
    slope_p_value: NDArray[np.float64]


def write_concepts(
    path: Path, about: About, layers: Mapping[str, LayerConcepts], *, made_from: Mapping[str, str]
) -> None:
    """Write concepts; `made_from` as of `pipeline.store.write`."""
    versions = ("numpy", "scipy", "scikit-learn", "torch", "pillow")
    with store.write(path, stage="concepts", version=VERSION, made_from=made_from, versions=versions) as file:
        mark(file)
        file.set_attributes("", {"layers": about.layers, "random_images": about.random_images})
        for group, arrays in _LISTS.items():
            file.put_strings(f"{group}/name", getattr(about, group))
            for array in arrays:
                file.put(f"{group}/{array}", getattr(about, f"{group}_{array}"))
        for name in about.layers:
            for array in _ARRAYS:
                file.put(f"{name}/{array}", getattr(layers[name], array))


class ConceptsFile:
    """Open concepts; made by `open_concepts`.

    Attributes
    ----------
    about
        What was learnt and asked.
    """

    def __init__(self, file: store.Reader) -> None:
        self._file = file
        found = file.attributes()
        lists: dict[str, Any] = {group: tuple(file.strings(f"{group}/name")) for group in _LISTS}
        for group, arrays in _LISTS.items():
            lists |= {f"{group}_{array}": file.get(f"{group}/{array}") for array in arrays}
        self.about = About(tuple(found["layers"]), found["random_images"], **lists)

    def layer(self, name: str) -> LayerConcepts:
        """Read a layer's concepts."""
        return LayerConcepts(**{array: self._file.get(f"{name}/{array}") for array in _ARRAYS})


def open_concepts(path: Path) -> AbstractContextManager[ConceptsFile | Status]:
    """Open concepts, or return their status where there are none; errors as of `pipeline.store.read`."""
    return opened(path, VERSION, ConceptsFile)
