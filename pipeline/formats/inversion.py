"""``inversion.h5``: the probes as they are reconstructed from their codes in some layers."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.status import Status, mark, opened

VERSION = 1
_ARRAYS = ("errors", "energy", "rate", "pixel_error", "between", "predicted", "probability")
_NUMBERS = ("values", "depth", "total_variation")


@dataclass(frozen=True)
class InvertedLayer:
    """What came of the codes of a layer, of P probes and R restarts.

    Attributes
    ----------
    values
        How many numbers a code has.
    depth
        The layer's place among all layers of the network; 1 is the last.
    total_variation
        Weight of the total variation.
    errors : (P, R) float32
        ‖Φ(x) - Φ₀‖ / ‖Φ₀‖; NaN where the code is zeros.
    energy : (P, R, 2) float32
        Of the noise and after the last step.
    rate : (P, R) float32
        Share of the schedule's rates: less than 1 where the energy did not fall at them.
    pixel_error : (P,) float32
        Distance of the image shown from the probe, relative to the probe, both less the mean; NaN for a probe
        that is the mean.
    between : (P,) float32
        Median distance of the codes of the other probes, as `errors`; NaN where there is no other.
    predicted : (P,) int32
        The output with the largest logit on the image shown, before it is clipped.
    probability : (P,) float32
        Softmax probability there of the output that is largest on the probe.
    """

    values: int
    depth: float
    total_variation: float
    errors: NDArray[np.float32]
    energy: NDArray[np.float32]
    rate: NDArray[np.float32]
    pixel_error: NDArray[np.float32]
    between: NDArray[np.float32]
    predicted: NDArray[np.int32]
    probability: NDArray[np.float32]

    @property
    def shown(self) -> NDArray[np.int64]:
        """(P,) the restart of each probe that is shown: the one with the lowest error."""
        return np.where(np.isnan(self.errors), np.inf, self.errors).argmin(1)

    @property
    def error(self) -> NDArray[np.float32]:
        """(P,) that of the restart that is shown."""
        return self.errors[np.arange(len(self.errors)), self.shown]

    @property
    def diverged(self) -> int:
        """Runs whose energy was larger after the last step than at first, or no number."""
        return int((~(self.energy[..., 1] <= self.energy[..., 0])).sum())


@dataclass(frozen=True)
class About:
    """What is common to all layers.

    Attributes
    ----------
    layers
        In the network's order.
    steps, restarts
        Of each run, and of each code.
    sixth_norm
        Weight of the sixth powers.
    """

    layers: tuple[str, ...]
    steps: int
    restarts: int
    sixth_norm: float


class InversionWriter:
    """Reconstructions that are being written, layer by layer; made by `new_inversion`."""

    def __init__(self, file: store.Writer) -> None:
        self._file = file

    def put_layer(self, name: str, layer: InvertedLayer, images: NDArray[np.float32]) -> None:
        """Write a layer, and its images (P, H, W, C) in pixels of 0 to 255, not clipped."""
        self._file.set_attributes(name, {number: getattr(layer, number) for number in _NUMBERS})
        for array in _ARRAYS:
            self._file.put(f"{name}/{array}", getattr(layer, array))
        self._file.put(f"{name}/error", layer.error)
        largest = np.finfo(np.float16).max
        self._file.put(f"{name}/image", np.clip(images, -largest, largest).astype(np.float16))


@contextmanager
def new_inversion(
    path: Path,
    about: About,
    image_id: NDArray[np.int64],
    predicted: NDArray[np.int32],
    *,
    made_from: Mapping[str, str],
) -> Iterator[InversionWriter]:
    """Write reconstructions.

    Parameters
    ----------
    path
        The artifact.
    about
        What is common to its layers.
    image_id
        (P,) the probes, in their order.
    predicted
        (P,) the output with the largest logit on each.
    made_from
        As of `pipeline.store.write`.
    """
    versions = ("numpy", "torch")
    with store.write(
        path, stage="inversion", version=VERSION, made_from=made_from, versions=versions
    ) as file:
        mark(file)
        file.set_attributes("", asdict(about))
        file.put("image_id", image_id)
        file.put("predicted", predicted)
        yield InversionWriter(file)


class InversionFile:
    """Open reconstructions; made by `open_inversion`.

    Attributes
    ----------
    about
        What is common to its layers.
    image_id, predicted
        (P,) as of `new_inversion`.
    """

    def __init__(self, file: store.Reader) -> None:
        self._file = file
        found = file.attributes()
        self.about = About(
            tuple(found["layers"]), int(found["steps"]), int(found["restarts"]), float(found["sixth_norm"])
        )
        self.image_id: NDArray[np.int64] = file.get("image_id")
        self.predicted: NDArray[np.int32] = file.get("predicted")

    def layer(self, name: str) -> InvertedLayer:
        """Read all of a layer but its images."""
        found = self._file.attributes(name)
        arrays = {array: self._file.get(f"{name}/{array}") for array in _ARRAYS}
        return InvertedLayer(
            int(found["values"]), float(found["depth"]), float(found["total_variation"]), **arrays
        )

    def image(self, layer: str, probe: int) -> NDArray[np.uint8]:
        """Read the image (H, W, C) of one probe, by its place, clipped and rounded to what can be shown."""
        image = self._file.get(f"{layer}/image", slice(probe, probe + 1))[0]
        return np.rint(np.clip(image.astype(np.float32), 0, 255)).astype(np.uint8)


def open_inversion(path: Path) -> AbstractContextManager[InversionFile | Status]:
    """Open reconstructions, or why there are none; `UserError` as of `pipeline.store.read`."""
    return opened(path, VERSION, InversionFile)
