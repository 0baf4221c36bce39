"""``attributes.h5``: how the network does as a function of what its images are like, by attribute."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.status import Status, mark, read_artifact

VERSION = 1
_BINS = (
    "low", "high", "images", "right", "classes", "accuracy", "accuracy_low", "accuracy_high", "confidence",
    "confidence_low", "confidence_high", "calibration_error",
)  # fmt: skip
_ABOUT = ("source", "strength", "chance", "corrected", "within")


@dataclass(frozen=True)
class BinNumbers:
    """B bins of an attribute.

    Attributes
    ----------
    low, high : (B,) float64
        The smallest and the largest value in each; NaN of words.
    words
        (B,) of words; None for numbers.
    images, right : (B,) int64
        In it, and how many of them the network gets right.
    classes : (B,) int64
        Classes in it where whole classes are in bins; else 0.
    accuracy, accuracy_low, accuracy_high : (B,) float64
        The share right with its 95 % interval; over classes where these are in bins.
    confidence, confidence_low, confidence_high : (B,) float64
        The mean probability of the predicted output, and its 95 % interval.
    calibration_error : (B,) float64
        Expected calibration error of the bin's images.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    words: tuple[str, ...] | None
    images: NDArray[np.int64]
    right: NDArray[np.int64]
    classes: NDArray[np.int64]
    accuracy: NDArray[np.float64]
    accuracy_low: NDArray[np.float64]
    accuracy_high: NDArray[np.float64]
    confidence: NDArray[np.float64]
    confidence_low: NDArray[np.float64]
    confidence_high: NDArray[np.float64]
    calibration_error: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.images)

    @property
    def by_class(self) -> bool:
        """Whether whole classes are in bins."""
        return bool(self.classes.any())

    @property
    def best(self) -> int:
        """The bin with the largest accuracy."""
        return int(self.accuracy.argmax())

    @property
    def worst(self) -> int:
        """The bin with the smallest accuracy."""
        return int(self.accuracy.argmin())


@dataclass(frozen=True)
class Effect:
    """An attribute, and how the network does as a function of it.

    Attributes
    ----------
    name, source
        Of the attribute: "pixels", "file", "boxes", or "dataset" for a column of its own.
    bins
        What is counted.
    strength
        How much of the outcomes goes with it: the square of Cramér's V without what chance adds, 0 to 1.
    chance, corrected
        How often chance alone does as much, and the same corrected for all attributes; NaN where there is one
        bin.
    within
        Corrected chance among images of one class; NaN where no class has images that differ in it.
    given : (S,) float64
        Corrected chance beside the first s + 1 attributes of the chain; NaN where not tested.
    examples : (2, E) int64
        Images of the best and of the worst bin, drawn at random; -1 for no more. Of some attributes only.
    """

    name: str
    source: str
    bins: BinNumbers
    strength: float
    chance: float
    corrected: float
    within: float
    given: NDArray[np.float64]
    examples: NDArray[np.int64]


@dataclass(frozen=True)
class Interaction:
    """Two attributes together.

    Attributes
    ----------
    names
        Of both.
    images, right : (B, C) int64
        In a bin of the first and one of the second, and how many are right.
    ratio, freedom, chance
        The likelihood ratio of their interaction, its degrees of freedom, and how often chance does as much;
        0, 0 and NaN where it cannot be tested.
    """

    names: tuple[str, str]
    images: NDArray[np.int64]
    right: NDArray[np.int64]
    ratio: float
    freedom: int
    chance: float


@dataclass(frozen=True)
class Attributes:
    """What was found.

    Attributes
    ----------
    images, right
        Labelled images that are counted, and how many are right.
    split
        Theirs; empty: all of the dataset.
    calibration_error
        Of all of them.
    level
        What is below it survives the correction.
    repeats
        Shuffles behind each chance.
    effects
        The worst first.
    chain
        Names: the strongest, the strongest beside it, and so on.
    left_out
        Names of attributes that do not vary enough.
    interaction
        Of the two strongest; None where there are not two.
    listed : (L,) int64
        Images whose values are listed.
    values
        By attribute, (L,) float64, NaN where missing, or texts.
    """

    images: int
    right: int
    split: str
    calibration_error: float
    level: float
    repeats: int
    effects: tuple[Effect, ...]
    chain: tuple[str, ...]
    left_out: tuple[str, ...]
    interaction: Interaction | None
    listed: NDArray[np.int64]
    values: Mapping[str, NDArray[np.float64] | list[str]]


def write_attributes(path: Path, found: Attributes, *, made_from: Mapping[str, str]) -> None:
    """Write what was found; `made_from` as of `pipeline.store.write`."""
    versions = ("numpy", "scipy", "scikit-learn")
    with store.write(
        path, stage="attributes", version=VERSION, made_from=made_from, versions=versions
    ) as file:
        mark(file)
        names = ("images", "right", "split", "calibration_error", "level", "repeats")
        file.set_attributes("", {name: getattr(found, name) for name in names})
        file.put_strings("name", [one.name for one in found.effects])
        file.put_strings("chain", found.chain)
        file.put_strings("left_out", found.left_out)
        for one in found.effects:
            _put(file, f"effect/{one.name}", one)
        if found.interaction:
            both = found.interaction
            tested = {name: getattr(both, name) for name in ("names", "ratio", "freedom", "chance")}
            file.set_attributes("interaction", tested)
            file.put("interaction/images", both.images)
            file.put("interaction/right", both.right)
        file.put("listed/image_id", found.listed)
        for name, values in found.values.items():
            if isinstance(values, list):
                file.put_strings(f"listed/value/{name}", values)
            else:
                file.put(f"listed/value/{name}", values)


def _put(file: store.Writer, place: str, one: Effect) -> None:
    file.set_attributes(place, {name: getattr(one, name) for name in _ABOUT})
    for name in _BINS:
        file.put(f"{place}/{name}", getattr(one.bins, name))
    if one.bins.words is not None:
        file.put_strings(f"{place}/words", list(one.bins.words))
    file.put(f"{place}/given", one.given)
    file.put(f"{place}/examples", one.examples)


def read_attributes(path: Path) -> Attributes | Status:
    """Read what was found, or why nothing was; `UserError` as of `pipeline.store.read`."""
    return read_artifact(path, VERSION, _attributes)


def _attributes(file: store.Reader) -> Attributes:
    about, names = file.attributes(), file.strings("name")
    return Attributes(
        int(about["images"]), int(about["right"]), about["split"], float(about["calibration_error"]),
        float(about["level"]), int(about["repeats"]),
        tuple(_effect(file, name) for name in names), tuple(file.strings("chain")),
        tuple(file.strings("left_out")), _interaction(file), file.get("listed/image_id"),
        {name: _values(file, f"listed/value/{name}") for name in names},
    )  # fmt: skip


def _effect(file: store.Reader, name: str) -> Effect:
    place = f"effect/{name}"
    about, numbers = file.attributes(place), {one: file.get(f"{place}/{one}") for one in _BINS}
    words = tuple(file.strings(f"{place}/words")) if "words" in file.children(place) else None
    return Effect(
        name, about["source"], BinNumbers(words=words, **numbers), float(about["strength"]),
        float(about["chance"]), float(about["corrected"]), float(about["within"]),
        file.get(f"{place}/given"), file.get(f"{place}/examples"),
    )  # fmt: skip


def _interaction(file: store.Reader) -> Interaction | None:
    if "interaction" not in file.children(""):
        return None
    about: dict[str, Any] = file.attributes("interaction")
    first, second = about["names"]
    return Interaction(
        (first, second), file.get("interaction/images"), file.get("interaction/right"),
        float(about["ratio"]), int(about["freedom"]), float(about["chance"]),
    )  # fmt: skip


def _values(file: store.Reader, place: str) -> NDArray[np.float64] | list[str]:
    values = file.get(place)
    return [one.decode("utf-8") for one in values.tolist()] if values.dtype.kind == "S" else values
