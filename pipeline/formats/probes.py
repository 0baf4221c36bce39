"""``probes.h5``: the images that every analysis of single images is shown on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.status import Status, mark, read_artifact

VERSION = 1
_ARRAYS = ("image_id", "label", "predicted", "probability", "named")
_TEXTS = ("path", "split")


@dataclass(frozen=True)
class Probes:
    """P images, those that the params name first, then in the order in which they were drawn.

    An analysis that has time for fewer takes the first: of every class one is drawn before any class's
    second.

    Attributes
    ----------
    image_id : (P,) int64
        Rows of the manifest, each once; not ascending.
    path, split
        (P,) text, of the manifest.
    label : (P,) int32
        The output that stands for the image's class; -1 where there is none, as in predictions.h5.
    predicted : (P,) int32
        The output with the largest logit.
    probability : (P,) float32
        Its softmax probability.
    named : (P,) bool
        Whether the params name the image; the others were drawn.
    held_out
        The split that images were drawn from; empty: all images.
    """

    image_id: NDArray[np.int64]
    path: tuple[str, ...]
    split: tuple[str, ...]
    label: NDArray[np.int32]
    predicted: NDArray[np.int32]
    probability: NDArray[np.float32]
    named: NDArray[np.bool_]
    held_out: str

    def __len__(self) -> int:
        return len(self.image_id)

    @property
    def right(self) -> NDArray[np.bool_]:
        """(P,) bool, whether the prediction is the label."""
        return self.label == self.predicted

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """(P,) bool, whether there is a label and the prediction is another."""
        return (self.label >= 0) & ~self.right

    def take(self, places: Sequence[int]) -> "Probes":
        """Return some of the probes, by their places."""
        some: dict[str, Any] = {name: getattr(self, name)[list(places)] for name in _ARRAYS}
        some |= {name: tuple(getattr(self, name)[place] for place in places) for name in _TEXTS}
        return Probes(**some, held_out=self.held_out)


def write_probes(
    path: Path, probes: Probes, pictures: NDArray[np.uint8], *, made_from: Mapping[str, str]
) -> None:
    """Write the probes.

    Parameters
    ----------
    path
        The artifact.
    probes
        Which images.
    pictures
        (P, H, W, C), each as the network sees it before its input is normalised.
    made_from
        As of `pipeline.store.write`.
    """
    versions = ("numpy", "pillow", "torch")
    with store.write(path, stage="probes", version=VERSION, made_from=made_from, versions=versions) as file:
        mark(file)
        file.set_attributes("", {"held_out": probes.held_out})
        for name in _TEXTS:
            file.put_strings(name, getattr(probes, name))
        for name in _ARRAYS:
            values = getattr(probes, name)
            file.put(name, values.astype(np.uint8) if name == "named" else values)
        file.put("picture", pictures)


def read_probes(path: Path) -> Probes | Status:
    """Read the probes, or why there are none; `UserError` as of `pipeline.store.read`."""
    return read_artifact(path, VERSION, _probes)


def _probes(file: store.Reader) -> Probes:
    found: dict[str, Any] = {name: file.get(name) for name in _ARRAYS}
    found["named"] = found["named"].astype(np.bool_)
    found |= {name: tuple(file.strings(name)) for name in _TEXTS}
    return Probes(**found, held_out=str(file.attributes()["held_out"]))


@dataclass(frozen=True)
class Pictured:
    """A probe as figures show it.

    Attributes
    ----------
    image_id, path
        Its row of the manifest, and where it is in the dataset.
    pixels : (H, W, C) uint8
        As the network sees it.
    """

    image_id: int
    path: str
    pixels: NDArray[np.uint8]


def read_pictured(path: Path) -> dict[int, Pictured]:
    """Read each probe with its picture, by its image; none where there are no probes."""
    probes = read_probes(path)
    if isinstance(probes, Status):
        return {}
    found = map(Pictured, probes.image_id.tolist(), probes.path, read_pictures(path))
    return {one.image_id: one for one in found}


def read_pictures(path: Path) -> NDArray[np.uint8]:
    """Read the probes' pictures, (P, H, W, C), of a file that has probes."""
    with store.read(path, version=VERSION) as file:
        return file.get("picture")
