"""``filters.h5``: each layer's weights, how good they are, and how the filters of the first layer look."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.geometry import pair
from pipeline.formats.status import Status, mark, opened
from pipeline.numerics.geometry import Pair

VERSION = 1
AT_START = "at_start_"


@dataclass(frozen=True)
class Quality:
    """What is measured of a layer's filters; None where a measure has no meaning.

    Attributes
    ----------
    sparsity
        Share of its kernels that are zero: each weight less than a hundredth of the layer's largest.
    variance_entropy
        Of its kernels, against random ones: near 1 they are as random. 3 x 3 alone, more than 8 of them.
    orthogonality
        1 less the mean |cosine| between its filters: 1 where each two are orthogonal.
    smoothness, deviation
        Of its kernels against noise of their norm, and the standard deviation of that in noise.
    evenness
        Entropy of its kernels' variance over directions, by that of noise of as many kernels of their shape.
    """

    sparsity: float | None = None
    variance_entropy: float | None = None
    orthogonality: float | None = None
    smoothness: float | None = None
    deviation: float | None = None
    evenness: float | None = None


@dataclass(frozen=True)
class Separation:
    """How far grey and coloured filters differ in frequency.

    Attributes
    ----------
    threshold
        Colourfulness from which a filter counts as coloured.
    grey, coloured
        Filters of either group.
    share
        Of the pairs of a grey and a coloured filter, those in which the grey one has the higher frequency,
        ties by half: 1 where all have, 0.5 where frequency does not go with colour.
    p
        How often a share as far from 0.5 comes of frequencies dealt out by chance; never 0.
    """

    threshold: float
    grey: int
    coloured: int
    share: float
    p: float


@dataclass(frozen=True)
class Looks:
    """How the filters of the first layer look.

    Attributes
    ----------
    frequency : (U,) float64
        Dominant, cycles a pixel; NaN of a filter of zeros.
    colourfulness : (U,) float64 or None
        Share of the energy that is not grey; None where the network reads one channel.
    separation
        None where there are no two groups.
    """

    frequency: NDArray[np.float64]
    colourfulness: NDArray[np.float64] | None = None
    separation: Separation | None = None


@dataclass(frozen=True)
class FilterLayer:
    """A layer that has filters, U of them.

    Attributes
    ----------
    kind
        "conv" or "dense".
    units, channels
        How many filters, and of how many channels or inputs each is.
    kernel
        Height and width; 1, 1 of a dense layer.
    groups
        Parts of the layer that read channels of their own.
    input_map
        Channels, height and width of the map that a dense layer reads, flattened; None where it reads none.
    quality, at_start
        Now, and before training; None where the weights before are not kept.
    like_noise
        Whether the layer looks like noise; None where that is not known.
    turned
        By layer whose units are these filters, itself first: (U,) bool, whether normalisation turns a unit's
        sign, so that it is active where the filter's response is low.
    smoothness : (U,) float32
        Of each filter; NaN where it has none.
    norm : (U,) float32
        Of each filter.
    unit : (V,) int64
        The filters whose weights are kept, ascending.
    """

    kind: str
    units: int
    channels: int
    kernel: Pair
    groups: int
    input_map: tuple[int, int, int] | None
    quality: Quality
    at_start: Quality | None
    like_noise: bool | None
    turned: Mapping[str, NDArray[np.bool_]]
    smoothness: NDArray[np.float32]
    norm: NDArray[np.float32]
    unit: NDArray[np.int64]


@dataclass(frozen=True)
class About:
    """What was looked at, and by which rule layers look like noise.

    Attributes
    ----------
    layers
        In the network's order.
    first
        The layer that reads the image; empty where there is none.
    at_start
        The checkpoint before training; empty where there is none.
    noise_smoothness, noise_evenness
        Up to which smoothness, and from which evenness on, a layer looks like noise.
    """

    layers: tuple[str, ...]
    first: str
    at_start: str
    noise_smoothness: float
    noise_evenness: float


class FiltersWriter:
    """Filters that are being written, layer by layer; made by `new_filters`."""

    def __init__(self, file: store.Writer) -> None:
        self._file = file

    def put_layer(self, name: str, layer: FilterLayer, weight: NDArray[np.float32]) -> None:
        """Write a layer; `weight` (V, channels, y, x) is that of the filters that are kept."""
        about: dict[str, Any] = {
            key: getattr(layer, key) for key in ("kind", "units", "channels", "kernel", "groups")
        }
        about |= {} if layer.input_map is None else {"input_map": layer.input_map}
        about |= {} if layer.like_noise is None else {"like_noise": np.uint8(layer.like_noise)}
        about |= _measures(layer.quality) | _measures(layer.at_start, AT_START)
        self._file.set_attributes(name, about | {"unit_layers": list(layer.turned)})
        for array in ("norm", "unit"):
            self._file.put(f"{name}/{array}", getattr(layer, array))
        if not np.isnan(layer.smoothness).all():
            self._file.put(f"{name}/smoothness", layer.smoothness)
        turned = np.array(list(layer.turned.values()), np.uint8).reshape(len(layer.turned), layer.units)
        self._file.put(f"{name}/turned", turned)
        self._file.put(f"{name}/weight", weight)

    def put_looks(self, name: str, looks: Looks) -> None:
        """Write how the filters of a layer, which is written, look."""
        self._file.put(f"{name}/frequency", looks.frequency)
        if looks.colourfulness is not None:
            self._file.put(f"{name}/colourfulness", looks.colourfulness)
        if looks.separation is not None:
            self._file.set_attributes(f"{name}/colourfulness", asdict(looks.separation))


@contextmanager
def new_filters(path: Path, about: About, *, made_from: Mapping[str, str]) -> Iterator[FiltersWriter]:
    """Write filters; `made_from` as of `pipeline.store.write`."""
    versions = ("numpy", "scipy", "torch")
    with store.write(path, stage="filters", version=VERSION, made_from=made_from, versions=versions) as file:
        mark(file)
        file.set_attributes("", vars(about))
        yield FiltersWriter(file)


class FiltersFile:
    """Open filters; made by `open_filters`.

    Attributes
    ----------
    about
        What was looked at.
    """

    def __init__(self, file: store.Reader) -> None:
        self._file = file
        found = file.attributes()
        self.about = About(
            tuple(found["layers"]), *(found[one.name] for one in fields(About) if one.name != "layers")
        )

    def layer(self, name: str) -> FilterLayer:
        """Read all of a layer but its weights."""
        found = self._file.attributes(name)
        turned = self._file.get(f"{name}/turned").astype(np.bool_)
        smooth = f"{name}/smoothness"
        none = np.full(int(found["units"]), np.nan, np.float32)
        like_noise, input_map = found.get("like_noise"), found.get("input_map")
        return FilterLayer(
            found["kind"], int(found["units"]), int(found["channels"]), pair(found["kernel"]),
            int(found["groups"]),
            None if input_map is None else (int(input_map[0]), *pair(input_map[1:])),
            _quality(found), _quality(found, AT_START) if self.about.at_start else None,
            None if like_noise is None else bool(like_noise),
            dict(zip(found["unit_layers"], turned, strict=True)),
            self._file.get(smooth) if smooth in self._file else none,
            self._file.get(f"{name}/norm"), self._file.get(f"{name}/unit"),
        )  # fmt: skip

    def weight(self, name: str, rows: slice | None = None) -> NDArray[np.float32]:
        """Read the weights of a layer's filters that are kept, (V, channels, y, x), or of a run of them."""
        return self._file.get(f"{name}/weight", rows)

    def looks(self) -> Looks:
        """Read how the filters of the first layer look; there must be one."""
        coloured = f"{self.about.first}/colourfulness"
        frequency = self._file.get(f"{self.about.first}/frequency")
        if coloured not in self._file:
            return Looks(frequency)
        found = self._file.attributes(coloured)
        separation = (
            Separation(**{one.name: found[one.name] for one in fields(Separation)}) if found else None
        )
        return Looks(frequency, self._file.get(coloured), separation)


def open_filters(path: Path) -> AbstractContextManager[FiltersFile | Status]:
    """Open filters, or find out why there are none; `UserError` as of `pipeline.store.read`."""
    return opened(path, VERSION, FiltersFile)


def _measures(quality: Quality | None, prefix: str = "") -> dict[str, float]:
    found = asdict(quality) if quality else {}
    return {prefix + name: value for name, value in found.items() if value is not None}


def _quality(found: Mapping[str, Any], prefix: str = "") -> Quality:
    return Quality(**{one.name: found.get(prefix + one.name) for one in fields(Quality)})
