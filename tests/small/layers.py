"""Activations of a few layers with means and maxima, as extraction would write them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pipeline.formats.activations import Index, KeptLayer
from pipeline.formats.geometry import LayerGeometry
from pipeline.numerics.geometry import ReceptiveField
from tests.small.artifacts import write_shards

GEOMETRY = LayerGeometry((4, 5), ReceptiveField((3, 3), (1, 1), (-1, -1), "exact"))


def write_layers(folder: Path, means: Mapping[str, np.ndarray], maxima=None, logits=None) -> Path:
    """Write the means (N, U) of layers, and their maxima (the means, where none are given), in two shards."""
    folder.mkdir(parents=True, exist_ok=True)
    maxima = means if maxima is None else maxima
    count = len(next(iter(means.values())))
    layers = tuple(KeptLayer(name, "map", one.shape[1], GEOMETRY) for name, one in means.items())
    index = Index(layers, layers[-1].name, count, "float32", 4, "cpu AVX2")
    arrays = {f"mean/{name}": one for name, one in means.items()}
    for name, one in maxima.items():
        arrays |= {
            f"maxima/{name}/value": one,
            f"maxima/{name}/position": np.zeros((*one.shape, 2), np.uint16),
        }
    if logits is not None:
        arrays["logits"] = logits
    write_shards(folder, index, np.arange(count), arrays, [count // 3])
    return folder
