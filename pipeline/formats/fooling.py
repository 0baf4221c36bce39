"""``fooling.h5``: what a network and linear classifiers are fooled by, and the pictures that do it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.fooling_made import ENCODINGS, Ascended, Evolved
from pipeline.formats.status import Status, mark, read_artifact

VERSION = 2
Method = Literal["fgsm", "pgd"]
METHODS: tuple[Method, ...] = get_args(Method)
# Of a picture that no distance up to the largest fools, and of one that is taken for something else as it is.
NEVER, BEFORE = -1, 0

Integers = NDArray[np.int64]
Outputs = NDArray[np.int32]
Shares = NDArray[np.float32]
Pictures = NDArray[np.uint8]


@dataclass(frozen=True)
class About:
    """How it was done.

    Attributes
    ----------
    basis
        What attacks make less probable: the image's "label", or where no image has one, what is "predicted".
    split
        That the sample is of; empty: all images.
    steps, confidence
        Of PGD, and what fooling images are to reach.
    transfer
        Distance of the attacks that are tried on other checkpoints, grey levels.
    layer, kind
        Whose linear probe is broken, and what it reads, as of separability.h5; empty where there is none.
    """

    basis: str
    split: str
    steps: int
    confidence: float
    transfer: int
    layer: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Sample:
    """M images that are attacked, and the E distances, grey levels, ascending from 0.

    Attributes
    ----------
    level : (E,) int64
    image_id : (M,) int64
        Rows of the manifest, ascending.
    output : (M,) int32
        What is attacked of each.
    """

    level: Integers
    image_id: Integers
    output: Outputs


@dataclass(frozen=True)
class Attack:
    """What the network says of the sample at each distance.

    Attributes
    ----------
    predicted, exact : (M, E) int32
        After, and before rounding to whole grey levels.
    confidence : (M, E) float32
        Softmax probability of what is predicted after.
    smallest : (M,) int64
        The distance that fools; NEVER, BEFORE.
    """

    predicted: Outputs
    exact: Outputs
    confidence: Shares
    smallest: Integers


@dataclass(frozen=True)
class Shown:
    """P probes, first ones.

    Attributes
    ----------
    image_id : (P,) int64
    picture : (P, H, W, C) uint8
    output, predicted : (P,) int32
        What is attacked, and what the network says of the picture as it is.
    confidence : (P,) float32
        Softmax probability of the latter.
    """

    image_id: Integers
    picture: Pictures
    output: Outputs
    predicted: Outputs
    confidence: Shares


@dataclass(frozen=True)
class Fooled:
    """The probes as an attack leaves them, in whole grey levels: at the smallest distance that fools.

    Attributes
    ----------
    picture : (P, H, W, C) uint8
    level : (P,) int64
        NEVER: at the largest then; BEFORE: as it is.
    predicted, confidence : (P,) int32, float32
    """

    picture: Pictures
    level: Integers
    predicted: Outputs
    confidence: Shares


@dataclass(frozen=True)
class Minimal:
    """The smallest change that makes the network say what was chosen, of the first Q probes.

    Attributes
    ----------
    target : (Q,) int32, an output, drawn
    change : (Q, H, W, C) float32
        Shares of full scale; zero where none was found.
    penalty : (Q,) float64
        Szegedy's c; NaN where none was found.
    reached : (Q,) int8, 1 where the network says the target then
    picture : (Q, H, W, C) uint8
        With the change, stretched, in whole grey levels.
    stretch : (Q,) float64
        What the change was multiplied by; NaN where the picture does not reach the target.
    predicted, confidence : (Q,) int32, float32, of the picture
    """

    target: Outputs
    change: NDArray[np.float32]
    penalty: NDArray[np.float64]
    reached: NDArray[np.int8]
    picture: Pictures
    stretch: NDArray[np.float64]
    predicted: Outputs
    confidence: Shares

    @property
    def norm(self) -> NDArray[np.float64]:
        """(Q,) ‖r‖₂, NaN where none was found."""
        squares = np.square(self.change, dtype=np.float64).sum((1, 2, 3))
        return np.where(self.reached == 1, np.sqrt(squares), np.nan)

    @property
    def distortion(self) -> NDArray[np.float64]:
        """(Q,) √(Σr²/n), shares of full scale, NaN where none was found."""
        return self.norm / np.sqrt(self.change[0].size)


@dataclass(frozen=True)
class Transfer:
    """What each of S checkpoints says of images that FGSM made for each; the last is the network.

    Attributes
    ----------
    name
    clean : (S, M) int32
        Predictions of the sample as it is.
    attacked : (S, S, M) int32
        Made for the first index, asked the second.
    """

    name: tuple[str, ...]
    clean: Outputs
    attacked: Outputs


@dataclass(frozen=True)
class Codes:
    """The linear probe of a layer, on H held-out images; classes are places in separability.h5's list.

    Attributes
    ----------
    image_id : (H,) int64
    predicted, target : (H,) int64
        What the probe says, and another class, drawn.
    fraction, share : (H,) float64
        Of the target's weights that must be added to the code, NaN where none does; its share of its length.
    length : (F,) float64
        Lengths, as shares of the code's, of steps along the target's weights and in a random direction.
    along, random : (F, H) uint8
        1 where such a step changes the class.
    """

    image_id: Integers
    predicted: Integers
    target: Integers
    fraction: NDArray[np.float64]
    share: NDArray[np.float64]
    length: NDArray[np.float64]
    along: NDArray[np.uint8]
    random: NDArray[np.uint8]


@dataclass(frozen=True)
class PixelProbe:
    """A linear classifier of pixels, averaged over cells, and what breaks it; classes: places in `classes`.

    Attributes
    ----------
    weight, intercept : (K, G), (K,) float64
        G = rows * columns * channels; of shares of full scale.
    cells : (2,) int64
        Rows and columns.
    classes : (K,) int64, of the manifest
    fit, image_id : (F,), (M,) int64
        The images that it was fitted to, and held-out ones.
    label, target : (M,) int64
        Their classes, and another class than what it says, drawn.
    predicted : (M, E) int64
        What it says of whole grey levels, when the target's weights are added so that no pixel moves by more
        than each distance of the sample.
    shown_target, shown, shown_level : (P,) int64, (P, H, W, C) uint8, (P,) int64
        The probes at the first of these distances that makes them the target; NEVER: the largest then.
    """

    weight: NDArray[np.float64]
    intercept: NDArray[np.float64]
    cells: Integers
    classes: Integers
    fit: Integers
    image_id: Integers
    label: Integers
    target: Integers
    predicted: Integers
    shown_target: Integers
    shown: Pictures
    shown_level: Integers


@dataclass(frozen=True)
class Fooling:
    """All of it; None, or no encoding, where the data or the params leave something out."""

    about: About
    sample: Sample
    attacks: Mapping[Method, Attack]
    shown: Shown
    fooled: Mapping[Method, Fooled]
    ascended: Ascended
    evolved: Mapping[str, Evolved] = field(default_factory=dict)
    minimal: Minimal | None = None
    transfer: Transfer | None = None
    codes: Codes | None = None
    pixels: PixelProbe | None = None


def median_distance(smallest: Integers) -> float | None:
    """Return the median of the distances that fool, NEVER being beyond all others; None if it is that."""
    found = float(np.median(np.where(smallest == NEVER, np.inf, smallest)))
    return found if np.isfinite(found) else None


Part = TypeVar("Part")
_PARTS: dict[str, type[Any]] = {
    "sample": Sample, "shown": Shown, "ascended": Ascended, "minimal": Minimal, "transfer": Transfer,
    "codes": Codes, "pixels": PixelProbe,
}  # fmt: skip


def write_fooling(path: Path, found: Fooling, *, made_from: Mapping[str, str]) -> None:
    """Write it; `made_from` as of `pipeline.store.write`."""
    versions = ("numpy", "scipy", "scikit-learn", "torch", "pillow")
    with store.write(path, stage="fooling", version=VERSION, made_from=made_from, versions=versions) as file:
        mark(file)
        file.set_attributes("", vars(found.about))
        for method in METHODS:
            _put(file, f"attack/{method}", found.attacks[method])
            _put(file, f"fooled/{method}", found.fooled[method])
        for encoding, evolved in found.evolved.items():
            _put(file, f"evolved/{encoding}", evolved)
        for name in _PARTS:
            part = getattr(found, name)
            if part is not None:
                _put(file, name, part)


def read_fooling(path: Path) -> Fooling | Status:
    """Read it, or why there is none; `UserError` as of `pipeline.store.read`."""
    return read_artifact(path, VERSION, _fooling)


def _fooling(file: store.Reader) -> Fooling:
    about = file.attributes()
    parts = {name: _get(file, name, kind) for name, kind in _PARTS.items() if name in file}
    return Fooling(
        About(**{one.name: about[one.name] for one in fields(About)}),
        attacks={method: _get(file, f"attack/{method}", Attack) for method in METHODS},
        fooled={method: _get(file, f"fooled/{method}", Fooled) for method in METHODS},
        evolved={one: _get(file, f"evolved/{one}", Evolved) for one in ENCODINGS if f"evolved/{one}" in file},
        **parts,
    )


def _put(file: store.Writer, group: str, part: Any) -> None:
    for one in fields(part):
        values = getattr(part, one.name)
        if isinstance(values, tuple):
            file.put_strings(f"{group}/{one.name}", values)
        else:
            file.put(f"{group}/{one.name}", values)


def _get(file: store.Reader, group: str, kind: type[Part]) -> Part:
    found: dict[str, Any] = {}
    for one in fields(kind):  # type: ignore[arg-type]
        texts = one.name == "name"
        found[one.name] = tuple(file.strings(f"{group}/name")) if texts else file.get(f"{group}/{one.name}")
    return kind(**found)
