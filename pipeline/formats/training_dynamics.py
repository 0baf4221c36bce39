"""``training_dynamics.h5``: a network's layers at each checkpoint of its training, on a sample of images."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.geometry import pair
from pipeline.formats.status import Status, mark, opened
from pipeline.numerics.geometry import Pair

VERSION = 1
# The number of a checkpoint of which none is known.
NO_EPOCH = -1
NO_IMAGE = -1
COURSES = ("zeros", "localisation")


@dataclass(frozen=True)
class Checkpoints:
    """T checkpoints, the first first.

    Attributes
    ----------
    name
        (T,) text: a file's name without suffix; "final" for the network itself, if no file is it.
    epoch : (T,) int64
        -1 where it is not known; 0 is the initialisation.
    smoothness : (T,) float64
        Of the first convolution (`pipeline.numerics.smoothness`); NaN where it has none.
    smoothness_of_noise : (T,) float64
        The standard deviation that it would have, were the kernels noise of the same norms.
    """

    name: tuple[str, ...]
    epoch: NDArray[np.int64]
    smoothness: NDArray[np.float64]
    smoothness_of_noise: NDArray[np.float64]

    @property
    def initial(self) -> int | None:
        """The place of the initialisation; None where it is not among them."""
        found = np.flatnonzero(self.epoch == 0)
        return int(found[0]) if len(found) else None


@dataclass(frozen=True)
class Sample:
    """N images that every checkpoint was given.

    Attributes
    ----------
    image_id : (N,) int64
        Ascending.
    output : (N,) int32
        The output that stands for the image's class; -1 where there is none, as in predictions.h5.
    counted : (N,) bool
        Whether the accuracy is of this image: it is of the split that predictions.h5 counts.
    predicted : (T, N) int32
        The output with the largest logit at each checkpoint.
    """

    image_id: NDArray[np.int64]
    output: NDArray[np.int32]
    counted: NDArray[np.bool_]
    predicted: NDArray[np.int32]

    @property
    def scored(self) -> NDArray[np.bool_]:
        """(N,) bool, the images that the accuracy is of: counted, and with a known output."""
        return self.counted & (self.output >= 0)

    @property
    def right(self) -> NDArray[np.int64]:
        """(T,) int64, how many of these are right at each checkpoint."""
        return np.count_nonzero((self.predicted == self.output) & self.scored, axis=1)


@dataclass(frozen=True)
class About:
    """What was looked at.

    Attributes
    ----------
    layers
        Those of the activations, in the network's order.
    held_out, basis
        As in predictions.h5: the split that the accuracy is of, and what is known of its images.
    first_convolution
        The module whose filters' smoothness is kept; empty where there is none.
    shown_image
        The image whose maps are kept; -1 where there is none.
    shown_layers
        The layers whose maps are kept.
    seed
        Of the sample, and of bootstraps over it.
    """

    layers: tuple[str, ...]
    held_out: str
    basis: str
    first_convolution: str
    shown_image: int
    shown_layers: tuple[str, ...]
    seed: int


@dataclass(frozen=True)
class LayerCourse:
    """A layer at T checkpoints on N images.

    Attributes
    ----------
    kind
        "map" or "dense".
    map_size
        Height and width of its map; 1, 1 for a dense layer.
    zeros : (T, N) float32
        Share of the outputs that are zero, over units and positions.
    localisation : (T, N) float32
        Share of a map's mass in its strongest tenth of positions, mean over units with any; NaN without.
    """

    kind: str
    map_size: Pair
    zeros: NDArray[np.float32]
    localisation: NDArray[np.float32]


@dataclass(frozen=True)
class ShownMaps:
    """Maps (T, V, h, w) of V units of a layer on one image at T checkpoints."""

    unit: NDArray[np.int64]
    maps: NDArray[np.float32]


class DynamicsWriter:
    """Training dynamics that are being written; made by `new_dynamics`."""

    def __init__(self, file: store.Writer) -> None:
        self._file = file

    def put_values(
        self, checkpoint: int, layer: str, mean: NDArray[np.float32], maxima: NDArray[np.float32]
    ) -> None:
        """Write a layer's means and maxima, (N, U), at the checkpoint of a place."""
        self._file.put(f"{layer}/mean/{checkpoint}", mean)
        self._file.put(f"{layer}/maxima/{checkpoint}", maxima)

    def put_all(self, checkpoints: Checkpoints, sample: Sample) -> None:
        """Write what is of no layer."""
        self._file.put_strings("checkpoint/name", checkpoints.name)
        for name in ("epoch", "smoothness", "smoothness_of_noise"):
            self._file.put(f"checkpoint/{name}", getattr(checkpoints, name))
        for name in ("image_id", "output", "predicted"):
            self._file.put(f"sample/{name}", getattr(sample, name))
        self._file.put("sample/counted", sample.counted.astype(np.uint8))

    def put_layer(self, name: str, layer: LayerCourse, shown: ShownMaps | None) -> None:
        """Write what is known of a layer over all checkpoints."""
        self._file.set_attributes(name, {"kind": layer.kind, "map_size": layer.map_size})
        for course in COURSES:
            self._file.put(f"{name}/{course}", getattr(layer, course))
        if shown is not None:
            self._file.put(f"{name}/shown/unit", shown.unit)
            self._file.put(f"{name}/shown/map", shown.maps)


@contextmanager
def new_dynamics(path: Path, about: About, *, made_from: Mapping[str, str]) -> Iterator[DynamicsWriter]:
    """Write training dynamics; `made_from` as of `pipeline.store.write`."""
    versions = ("numpy", "pillow", "torch")
    with store.write(
        path, stage="training_dynamics", version=VERSION, made_from=made_from, versions=versions
    ) as file:
        mark(file)
        file.set_attributes("", vars(about))
        yield DynamicsWriter(file)


class DynamicsFile:
    """Open training dynamics; made by `open_dynamics`.

    Attributes
    ----------
    about
        What was looked at.
    checkpoints, sample
        Which, and what the network said of each image.
    """

    def __init__(self, file: store.Reader) -> None:
        self._file = file
        found = file.attributes()
        self.about = About(
            tuple(found["layers"]), found["held_out"], found["basis"], found["first_convolution"],
            int(found["shown_image"]), tuple(found["shown_layers"]), int(found["seed"]),
        )  # fmt: skip
        names = ("epoch", "smoothness", "smoothness_of_noise")
        self.checkpoints = Checkpoints(
            tuple(file.strings("checkpoint/name")), *(file.get(f"checkpoint/{name}") for name in names)
        )
        arrays = {name: file.get(f"sample/{name}") for name in ("image_id", "output", "counted", "predicted")}
        arrays["counted"] = arrays["counted"].astype(np.bool_)
        self.sample = Sample(**arrays)

    def layer(self, name: str) -> LayerCourse:
        """Read a layer's course; `UserError` if it is not there."""
        about = self._file.attributes(name)
        courses = {course: self._file.get(f"{name}/{course}") for course in COURSES}
        return LayerCourse(about["kind"], pair(about["map_size"]), **courses)

    def means(self, layer: str, checkpoint: int) -> NDArray[np.float32]:
        """Read each unit's mean over positions on each image, (N, U), at a checkpoint's place."""
        return self._file.get(f"{layer}/mean/{checkpoint}")

    def maxima(self, layer: str, checkpoint: int) -> NDArray[np.float32]:
        """Read each unit's largest activation on each image of the sample, (N, U)."""
        return self._file.get(f"{layer}/maxima/{checkpoint}")

    def shown(self, layer: str) -> ShownMaps:
        """Read the maps of one of the shown layers."""
        return ShownMaps(self._file.get(f"{layer}/shown/unit"), self._file.get(f"{layer}/shown/map"))


def open_dynamics(path: Path) -> AbstractContextManager[DynamicsFile | Status]:
    """Open training dynamics, or find out why there are none; `UserError` as of `pipeline.store.read`."""
    return opened(path, VERSION, DynamicsFile)
