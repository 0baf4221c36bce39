"""``quiet.h5``: the share of the images on which each unit stays quiet."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.formats.status import Status, mark, read_artifact

VERSION = 1


@dataclass(frozen=True)
class Quiet:
    """Quiet units.

    Attributes
    ----------
    level
        What counts as quiet, in units of the activation.
    shares
        By layer, in the network's order: (U,) float64, share of the images, 0 to 1.
    """

    level: float
    shares: Mapping[str, NDArray[np.float64]]


def write_quiet(path: Path, quiet: Quiet, *, made_from: Mapping[str, str]) -> None:
    """Write the shares; `made_from` as of `pipeline.store.write`."""
    with store.write(path, stage="quiet", version=VERSION, made_from=made_from, versions=("numpy",)) as file:
        mark(file)
        file.set_attributes("", {"level": quiet.level, "layers": list(quiet.shares)})
        for layer, share in quiet.shares.items():
            file.put(f"{layer}/share", share)


def read_quiet(path: Path) -> Quiet | Status:
    """Read the shares, or why there are none; `UserError` as of `pipeline.store.read`."""
    return read_artifact(path, VERSION, _quiet)


def _quiet(file: store.Reader) -> Quiet:
    about = file.attributes()
    return Quiet(about["level"], {layer: file.get(f"{layer}/share") for layer in about["layers"]})
