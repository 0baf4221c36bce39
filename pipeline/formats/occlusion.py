"""``occlusion.h5``: what the network says of each probe while a square of it is covered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.geometry import pair
from pipeline.formats.status import Status, mark, read_artifact
from pipeline.numerics.geometry import Pair

VERSION = 1
_MAPS = ("y", "x", "probability", "score", "predicted", "activation")


@dataclass(frozen=True)
class About:
    """How probes were covered.

    Attributes
    ----------
    layer
        The last convolution's map, of which the strongest unit is followed; empty where there is none.
    fill
        What windows are filled with: "zero", "mean", "blur" or "noise".
    zero
        The colour that zero after mean subtraction is, 0 to 255, a number a channel.
    input_size
        Height and width of the network's input, pixels.
    """

    layer: str
    fill: str
    zero: tuple[float, ...]
    input_size: Pair


@dataclass(frozen=True)
class Whole:
    """P probes with nothing covered.

    Attributes
    ----------
    image_id : (P,) int64
        Those that could be read, in the order of the probes.
    output : (P,) int32
        The network's output that is followed: the label's, or the predicted one where there is no label.
    by_label : (P,) bool
        Which of the two.
    unit : (P,) int64
        Of the layer, the one with the largest total activation; -1 where there is no layer.
    probability, score : (P,) float32
        The output's softmax probability, and its logit.
    predicted : (P,) int32
        The output with the largest logit.
    activation : (P,) float32
        The unit's activation, summed over its map; NaN where there is no layer.
    """

    image_id: NDArray[np.int64]
    output: NDArray[np.int32]
    by_label: NDArray[np.bool_]
    unit: NDArray[np.int64]
    probability: NDArray[np.float32]
    score: NDArray[np.float32]
    predicted: NDArray[np.int32]
    activation: NDArray[np.float32]


@dataclass(frozen=True)
class Covered:
    """The probes with one window covered, for each place of the window.

    Attributes
    ----------
    window, stride
        Its side, and most that it moves at a time, pixels of the network's input.
    y, x : (ny,), (nx,) int64
        Where it begins.
    probability, score, predicted, activation : (P, ny, nx)
        As of `Whole`.
    """

    window: int
    stride: int
    y: NDArray[np.int64]
    x: NDArray[np.int64]
    probability: NDArray[np.float32]
    score: NDArray[np.float32]
    predicted: NDArray[np.int32]
    activation: NDArray[np.float32]


@dataclass(frozen=True)
class Occlusion:
    """All of it; `sizes` by ascending window."""

    about: About
    whole: Whole
    sizes: tuple[Covered, ...]


def write_occlusion(path: Path, found: Occlusion, *, made_from: Mapping[str, str]) -> None:
    """Write an occlusion; `made_from` as of `pipeline.store.write`."""
    versions = ("numpy", "torch", "pillow", "scipy")
    with store.write(
        path, stage="occlusion", version=VERSION, made_from=made_from, versions=versions
    ) as file:
        mark(file)
        about = found.about
        file.set_attributes("", {
            "layer": about.layer, "fill": about.fill, "zero": np.array(about.zero),
            "input_size": np.array(about.input_size),
            "windows": np.array([one.window for one in found.sizes]),
        })  # fmt: skip
        for name in _names(Whole):
            values = getattr(found.whole, name)
            file.put(f"whole/{name}", values.astype(np.uint8) if name == "by_label" else values)
        for size in found.sizes:
            file.set_attributes(str(size.window), {"window": size.window, "stride": size.stride})
            for name in _MAPS:
                file.put(f"{size.window}/{name}", getattr(size, name))


def read_occlusion(path: Path) -> Occlusion | Status:
    """Read an occlusion, or why there is none; `UserError` as of `pipeline.store.read`."""
    return read_artifact(path, VERSION, _occlusion)


def _occlusion(file: store.Reader) -> Occlusion:
    about = file.attributes()
    whole = {name: file.get(f"whole/{name}") for name in _names(Whole)}
    whole["by_label"] = whole["by_label"].astype(np.bool_)
    return Occlusion(
        About(about["layer"], about["fill"], tuple(map(float, about["zero"])), pair(about["input_size"])),
        Whole(**whole),
        tuple(_size(file, int(window)) for window in about["windows"]),
    )


def _size(file: store.Reader, window: int) -> Covered:
    stride = int(file.attributes(str(window))["stride"])
    return Covered(window, stride, **{name: file.get(f"{window}/{name}") for name in _MAPS})


def _names(of: type) -> Sequence[str]:
    return [one.name for one in fields(of)]
