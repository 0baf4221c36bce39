"""``separability.h5``: linear probes of every layer, and what each says of the held-out images."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.status import Status, mark, read_artifact

VERSION = 1
# What a probe reads of each unit: its mean over positions, or its largest activation.
Kind = Literal["mean", "maxima"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_PROBE = ("weight", "intercept")


@dataclass(frozen=True)
class ProbeSample:
    """The images of the probes.

    Attributes
    ----------
    fit, held_out : (F,), (H,) int64
        Rows of the manifest, ascending: what probes are fitted to, and what they are scored on.
    label : (H,) int64
        Classes of the held-out images, places in `classes`.
    network_right : (H,) int8
        Whether the network is right itself: 1, 0; -1 where its output for the class is not known.
    classes : (K,) int64
        The classes that are told apart, of the manifest: those of the images to fit to.
    drawn
        Whether the held-out images were drawn here, for the dataset has no two splits.
    """

    fit: NDArray[np.int64]
    held_out: NDArray[np.int64]
    label: NDArray[np.int64]
    network_right: NDArray[np.int8]
    classes: NDArray[np.int64]
    drawn: bool


@dataclass(frozen=True)
class LayerProbe:
    """A probe of U units: the class of the largest of x weight' + intercept.

    Attributes
    ----------
    weight : (K, U) float64
        A row is the direction of a class among the layer's activations.
    intercept : (K,) float64
    strength
        The inverse strength of its regularisation, scikit-learn's C.
    converged
        Whether the solver came to an end.
    predicted : (H,) int64
        Of the held-out images, places in the list of classes.
    """

    weight: NDArray[np.float64]
    intercept: NDArray[np.float64]
    strength: float
    converged: bool
    predicted: NDArray[np.int64]


Probes = Mapping[tuple[str, Kind], LayerProbe]


@dataclass(frozen=True)
class Separability:
    """Probes of a network's layers.

    Attributes
    ----------
    layers
        In the network's order.
    kinds
        Of which there are probes: maxima, and mean where means were kept.
    sample
        The images.
    probes
        By layer and kind.
    initial
        The same of the network at its initialisation; empty where that is not known.
    """

    layers: tuple[str, ...]
    kinds: tuple[Kind, ...]
    sample: ProbeSample
    probes: Probes
    initial: Probes


def write_separability(path: Path, found: Separability, *, made_from: Mapping[str, str]) -> None:
    """Write probes; `made_from` as of `pipeline.store.write`."""
    versions = ("numpy", "scikit-learn")
    with store.write(
        path, stage="separability", version=VERSION, made_from=made_from, versions=versions
    ) as file:
        mark(file)
        about = {"layers": found.layers, "kinds": found.kinds, "drawn": int(found.sample.drawn)}
        file.set_attributes("", about | {"initial": int(bool(found.initial))})
        for name in ("fit", "held_out", "label", "network_right", "classes"):
            file.put(f"sample/{name}", getattr(found.sample, name))
        for group, probes in (("", found.probes), ("initial/", found.initial)):
            for (layer, kind), probe in probes.items():
                _put(file, f"{group}{layer}/{kind}", probe)


def _put(file: store.Writer, place: str, probe: LayerProbe) -> None:
    file.set_attributes(place, {"strength": probe.strength, "converged": int(probe.converged)})
    for name in (*_PROBE, "predicted"):
        file.put(f"{place}/{name}", getattr(probe, name))


def read_separability(path: Path) -> Separability | Status:
    """Read probes, or why there are none; `UserError` as of `pipeline.store.read`."""
    return read_artifact(path, VERSION, _separability)


def _separability(file: store.Reader) -> Separability:
    about = file.attributes()
    layers, kinds = tuple(about["layers"]), tuple(kind for kind in KINDS if kind in about["kinds"])
    names = ("fit", "held_out", "label", "network_right", "classes")
    arrays = {name: file.get(f"sample/{name}") for name in names}
    keys = [(layer, kind) for layer in layers for kind in kinds]
    probes = {key: _probe(file, "/".join(key)) for key in keys}
    initial = {key: _probe(file, f"initial/{'/'.join(key)}") for key in keys if about["initial"]}
    return Separability(layers, kinds, ProbeSample(**arrays, drawn=bool(about["drawn"])), probes, initial)


def _probe(file: store.Reader, place: str) -> LayerProbe:
    about = file.attributes(place)
    arrays = {name: file.get(f"{place}/{name}") for name in (*_PROBE, "predicted")}
    return LayerProbe(**arrays, strength=float(about["strength"]), converged=bool(about["converged"]))
