"""``gradients.h5``: of each probe, which pixels the score of its class depends on, by several methods."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.geometry import pair
from pipeline.formats.status import Status, mark, opened
from pipeline.numerics.geometry import Pair

VERSION = 1
MAP = "grad_cam_map"


@dataclass(frozen=True)
class About:
    """What was done.

    Attributes
    ----------
    methods
        Those that there are maps of, in their order.
    refused
        Method to why the network has none.
    fixed
        Of the gradient and the backward rules, those whose maps are the same on an input of zeros: they show
        the network, and nothing of the image.
    layer
        Whose map Grad-CAM is of; empty where there is none.
    map_size
        Its height and width; 0, 0 where there is none.
    is_spread
        Whether its neurons may all see the whole image, so that their map is spread evenly over it.
    input_size
        Height and width of the network's input, pixels.
    steps, samples, noise, seed, positive
        The params.
    """

    methods: tuple[str, ...]
    refused: Mapping[str, str]
    fixed: tuple[str, ...]
    layer: str
    map_size: Pair
    is_spread: bool
    input_size: Pair
    steps: int
    samples: int
    noise: float
    seed: int
    positive: bool


@dataclass(frozen=True)
class Attributed:
    """P probes.

    Attributes
    ----------
    image_id : (P,) int64
        In the order of the probes.
    output : (P,) int32
        The network's output that is followed: the label's, or the predicted one where there is no label.
    by_label : (P,) bool
        Which of the two.
    score : (P,) float64
        The output's logit.
    baseline : (P,) float64
        That of an input of zeros, which integrated gradients begin at.
    completeness_error : (P,) float64
        By how much the sum of integrated gradients exceeds the difference of the two; NaN where the method
        was not asked for.
    """

    image_id: NDArray[np.int64]
    output: NDArray[np.int32]
    by_label: NDArray[np.bool_]
    score: NDArray[np.float64]
    baseline: NDArray[np.float64]
    completeness_error: NDArray[np.float64]

    @property
    def relative_error(self) -> NDArray[np.float64]:
        """The magnitude of the error as a share of that of the difference, of the probes that have both."""
        difference = np.abs(self.score - self.baseline)
        known = ~np.isnan(self.completeness_error) & (difference > 0)
        return np.abs(self.completeness_error[known]) / difference[known]


class GradientsWriter:
    """Maps that are being written, method by method; made by `new_gradients`."""

    def __init__(self, file: store.Writer) -> None:
        self._file = file

    def put_maps(self, name: str, probes: int, blocks: Iterable[NDArray[np.float32]]) -> NDArray[np.float64]:
        """Write what comes in blocks (n, …), those of P probes one after the other; return the sum of each.

        Nothing is written where the first block is not to be had.
        """
        dataset: Any = None
        sums: list[float] = []
        for block in blocks:
            if dataset is None:
                dataset = self._file.allocate(name, (probes, *block.shape[1:]), np.float32)
            for one in block:
                dataset[len(sums)] = one
                sums.append(float(one.sum(dtype=np.float64)))
        dataset.flush()
        return np.array(sums)

    def put_cams(self, maps: NDArray[np.float32]) -> None:
        """Write Grad-CAM's maps (P, h, w) before they are brought to the size of the input."""
        self._file.put(MAP, maps)

    def put_probes(self, probes: Attributed) -> None:
        """Write what stands beside the maps."""
        for one in fields(probes):
            values = getattr(probes, one.name)
            self._file.put(one.name, values.astype(np.uint8) if one.name == "by_label" else values)

    def put_about(self, about: About) -> None:
        """Write what was done."""
        plain = {one.name: getattr(about, one.name) for one in fields(about)}
        plain |= {"refused": list(about.refused), "refused_reason": list(about.refused.values())}
        plain |= {"is_spread": int(about.is_spread), "positive": int(about.positive)}
        self._file.set_attributes("", plain | {"methods": list(about.methods), "fixed": list(about.fixed)})


@contextmanager
def new_gradients(path: Path, *, made_from: Mapping[str, str]) -> Iterator[GradientsWriter]:
    """Write maps; `made_from` as of `pipeline.store.write`."""
    versions = ("numpy", "torch")
    with store.write(
        path, stage="gradients", version=VERSION, made_from=made_from, versions=versions
    ) as file:
        mark(file)
        yield GradientsWriter(file)


class GradientsFile:
    """Open maps; made by `open_gradients`.

    Attributes
    ----------
    about
        What was done.
    probes
        Of which images, and what stands beside the maps.
    """

    def __init__(self, file: store.Reader) -> None:
        self._file = file
        found = file.attributes()
        refused = dict(zip(found["refused"], found["refused_reason"], strict=True))
        self.about = About(
            tuple(found["methods"]), refused, tuple(found["fixed"]), str(found["layer"]),
            pair(found["map_size"]), bool(found["is_spread"]), pair(found["input_size"]),
            int(found["steps"]), int(found["samples"]),
            float(found["noise"]), int(found["seed"]), bool(found["positive"]),
        )  # fmt: skip
        arrays: dict[str, Any] = {one.name: file.get(one.name) for one in fields(Attributed)}
        self.probes = Attributed(**arrays | {"by_label": arrays["by_label"].astype(np.bool_)})

    def values(self, method: str, place: int) -> NDArray[np.float32]:
        """Read a method's values for one probe, by its place: (H, W, C), of Grad-CAM (H, W, 1)."""
        return self._file.get(method, slice(place, place + 1))[0]

    def cam(self, place: int) -> NDArray[np.float32]:
        """Read the map (h, w) of Grad-CAM for one probe, before it was brought to the size of the input."""
        return self._file.get(MAP, slice(place, place + 1))[0]


def open_gradients(path: Path) -> AbstractContextManager[GradientsFile | Status]:
    """Open maps, or find out why there are none; `UserError` as of `pipeline.store.read`."""
    return opened(path, VERSION, GradientsFile)
