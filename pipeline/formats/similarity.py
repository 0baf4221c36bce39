"""``similarity.h5``: how alike a network's layers are, and those of each checkpoint to these."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.status import Status, mark, read_artifact

VERSION = 1


@dataclass(frozen=True)
class Training:
    """T checkpoints beside the network.

    Attributes
    ----------
    name, epoch
        As in training_dynamics.h5, (T,) text and (T,) int64.
    cka : (T, L, L) float64
        Of each layer at the checkpoint (second axis) with each of the network (third).
    """

    name: tuple[str, ...]
    epoch: NDArray[np.int64]
    cka: NDArray[np.float64]


@dataclass(frozen=True)
class Similarity:
    """Linear CKA of a network's L layers.

    Attributes
    ----------
    layers
        In the network's order.
    image_id : (N,) int64
        The images that it is estimated on.
    cka : (L, L) float64
        Symmetric; NaN where a layer tells no images apart.
    halves : (2, L, L) float64
        The same on two halves of the images, which says how sure it is; empty, (0, L, L), where they are few.
    training
        None where there are no checkpoints.
    """

    layers: tuple[str, ...]
    image_id: NDArray[np.int64]
    cka: NDArray[np.float64]
    halves: NDArray[np.float64]
    training: Training | None


def write_similarity(path: Path, found: Similarity, *, made_from: Mapping[str, str]) -> None:
    """Write similarities; `made_from` as of `pipeline.store.write`."""
    with store.write(
        path, stage="similarity", version=VERSION, made_from=made_from, versions=("numpy",)
    ) as file:
        mark(file)
        file.set_attributes("", {"layers": found.layers})
        for name in ("image_id", "cka", "halves"):
            file.put(name, getattr(found, name))
        if found.training is not None:
            file.put_strings("checkpoint/name", found.training.name)
            file.put("checkpoint/epoch", found.training.epoch)
            file.put("checkpoint/cka", found.training.cka)


def read_similarity(path: Path) -> Similarity | Status:
    """Read similarities, or why there are none; `UserError` as of `pipeline.store.read`."""
    return read_artifact(path, VERSION, _similarity)


def _similarity(file: store.Reader) -> Similarity:
    training = None
    if "checkpoint/cka" in file:
        names = tuple(file.strings("checkpoint/name"))
        training = Training(names, file.get("checkpoint/epoch"), file.get("checkpoint/cka"))
    arrays = {name: file.get(name) for name in ("image_id", "cka", "halves")}
    return Similarity(tuple(file.attributes()["layers"]), **arrays, training=training)
