"""``neighbours.h5``: the nearest images of some, by codes, pixels and colours, and of the map's by codes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.status import Status, mark, read_artifact

VERSION = 2
CODES, PIXELS, COLOURS = "codes", "pixels", "colours"
SPACES = (CODES, PIXELS, COLOURS)
_SUMMARY = ("agreement", "agreement_low", "agreement_high", "lead", "lead_low", "lead_high")


@dataclass(frozen=True)
class About:
    """How neighbours were sought.

    Attributes
    ----------
    metric
        Distance between codes: "euclidean", or "cosine".
    code_layer
        The layer whose output is the code.
    k
        Neighbours of each image.
    images
        Images among which they were sought: of those that give the network the same input, one.
    equal
        Images that were left out for that.
    pixel_side, colour_bins
        Of the pixels' square; of each axis of the colours' histograms.
    split
        The split that the sample was drawn from; empty: all images.
    sampled
        Whether there are more images than the sample has.
    classes, lone
        Labels among the images, and those that a single image has.
    repeats
        Bootstrap samples behind the intervals.
    """

    metric: str
    code_layer: str
    k: int
    images: int
    equal: int
    pixel_side: int
    colour_bins: int
    split: str
    sampled: bool
    classes: int
    lone: int
    repeats: int


@dataclass(frozen=True)
class Summary:
    """How often neighbours in a space have the image's label, the mean over the sample.

    Attributes
    ----------
    agreement, agreement_low, agreement_high
        Share, and its 95 % interval.
    lead, lead_low, lead_high
        By how much the codes' is larger on the same images, and its interval; 0 of the codes themselves.
    """

    agreement: float
    agreement_low: float
    agreement_high: float
    lead: float
    lead_low: float
    lead_high: float


@dataclass(frozen=True)
class Space:
    """The neighbours of Q images in a space.

    Attributes
    ----------
    neighbour : (Q, k) int64
        Rows of the manifest, nearest first.
    distance : (Q, k) float32
        Their distances.
    agreement : (S,) float64
        Share of each image of the sample's neighbours that have its label.
    hub
        Largest share of these lists that one image stands in.
    summary
        None where agreement says nothing.
    """

    neighbour: NDArray[np.int64]
    distance: NDArray[np.float32]
    agreement: NDArray[np.float64]
    hub: float
    summary: Summary | None


@dataclass(frozen=True)
class OnMap:
    """The nearest images by codes of M that lie on the map, among these; equal ones are each other's, too.

    Attributes
    ----------
    image_id : (M,) int64
        Ascending.
    neighbour : (M, k) int64
        Rows of the manifest, nearest first.
    distance : (M, k) float32
        Their distances.
    """

    image_id: NDArray[np.int64]
    neighbour: NDArray[np.int64]
    distance: NDArray[np.float32]


@dataclass(frozen=True)
class Neighbours:
    """Neighbours.

    Attributes
    ----------
    about
        How they were sought.
    image_id : (Q,) int64
        The images whose neighbours these are, ascending: the probes and the sample.
    probe : (P,) int64
        The probes, in their order.
    sample : (S,) int64
        The images whose labels are compared with their neighbours', ascending; none where that says nothing.
    chance : (S,) float64
        Agreement that is expected of neighbours drawn at random.
    spaces
        By the names in `SPACES`.
    on_map
        Of the images of the map.
    """

    about: About
    image_id: NDArray[np.int64]
    probe: NDArray[np.int64]
    sample: NDArray[np.int64]
    chance: NDArray[np.float64]
    spaces: Mapping[str, Space]
    on_map: OnMap


def write_neighbours(path: Path, found: Neighbours, *, made_from: Mapping[str, str]) -> None:
    """Write neighbours; `made_from` as of `pipeline.store.write`."""
    with store.write(
        path, stage="neighbours", version=VERSION, made_from=made_from, versions=("numpy",)
    ) as file:
        mark(file)
        file.set_attributes("", asdict(found.about) | {"sampled": int(found.about.sampled)})
        file.put("image_id", found.image_id)
        file.put("probe", found.probe)
        file.put("sample/image_id", found.sample)
        file.put("sample/chance", found.chance)
        for name, values in vars(found.on_map).items():
            file.put(f"map/{name}", values)
        for name, space in found.spaces.items():
            file.put(f"{name}/neighbour", space.neighbour)
            file.put(f"{name}/distance", space.distance)
            file.put(f"{name}/agreement", space.agreement)
            file.set_attributes(name, {"hub": space.hub})
            if space.summary:
                file.set_attributes(name, asdict(space.summary))


def read_neighbours(path: Path) -> Neighbours | Status:
    """Read neighbours, or why there are none; `UserError` as of `pipeline.store.read`."""
    return read_artifact(path, VERSION, _neighbours)


def _neighbours(file: store.Reader) -> Neighbours:
    about = file.attributes()
    about = {name: about[name] for name in About.__annotations__}
    return Neighbours(
        About(**about | {"sampled": bool(about["sampled"])}),
        file.get("image_id"), file.get("probe"), file.get("sample/image_id"), file.get("sample/chance"),
        {name: _space(file, name) for name in SPACES},
        OnMap(*(file.get(f"map/{name}") for name in OnMap.__annotations__)),
    )  # fmt: skip


def _space(file: store.Reader, name: str) -> Space:
    about = file.attributes(name)
    return Space(
        neighbour=file.get(f"{name}/neighbour"),
        distance=file.get(f"{name}/distance"),
        agreement=file.get(f"{name}/agreement"),
        hub=float(about["hub"]),
        summary=Summary(*(about[key] for key in _SUMMARY)) if "agreement" in about else None,
    )
