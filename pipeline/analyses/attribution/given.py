"""The maps that were found before, of the images that all methods have one of: what a scorecard is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.attribution.importance import importance
from pipeline.analyses.attribution.methods import Settings
from pipeline.analyses.attribution.scores import Maps
from pipeline.formats.gradients import GradientsFile, open_gradients
from pipeline.formats.occlusion import Covered, Occlusion, read_occlusion
from pipeline.formats.status import Status
from pipeline.images.filling import Fill
from pipeline.numerics.windows import mean_over_windows

OCCLUSION = "occlusion"


@dataclass(frozen=True)
class Given:
    """What was found before: P images that all methods have maps of, and how these were made.

    Attributes
    ----------
    image_id, output, by_label
        (P,), as of `pipeline.formats.scorecard.Images`.
    maps
        By method, (P, H, W): how much each pixel matters.
    settings
        Of the methods that follow gradients.
    covered
        Of occlusion: the smallest square; None where there is none.
    fill
        Of its squares.
    """

    image_id: NDArray[np.int64]
    output: NDArray[np.int32]
    by_label: NDArray[np.bool_]
    maps: Mapping[str, Maps]
    settings: Settings
    covered: Covered | None
    fill: Fill


def read_given(gradients_path: Path, occlusion_path: Path, most: int) -> Given | Status:
    """Read the maps of the first images that all methods have, or find out why there are none."""
    occlusion = read_occlusion(occlusion_path)
    with open_gradients(gradients_path) as gradients:
        if isinstance(gradients, Status) and isinstance(occlusion, Status):
            return gradients
        ids = [
            found.probes.image_id if isinstance(found, GradientsFile) else found.whole.image_id
            for found in (gradients, occlusion)
            if not isinstance(found, Status)
        ]
        shared = [one for one in ids[0].tolist() if one in ids[-1]][:most]
        if not shared:
            return Status("not applicable", "no image has maps of all methods")
        return _given(gradients, occlusion, np.array(shared))


def _given(gradients: GradientsFile | Status, occlusion: Occlusion | Status, ids: NDArray[np.int64]) -> Given:
    maps: dict[str, Maps] = {}
    settings, covered, fill = Settings(), None, "zero"
    if not isinstance(gradients, Status):
        about, found = gradients.about, gradients.probes
        places = _places(found.image_id, ids)
        for name in about.methods:
            values = (gradients.values(name, place).transpose(2, 0, 1) for place in places)
            maps[name] = np.stack([importance(name, one[None])[0] for one in values])
        settings = Settings(about.steps, about.samples, about.noise, about.seed, about.positive)
    if not isinstance(occlusion, Status):
        covered, whole = occlusion.sizes[0], occlusion.whole
        fill = occlusion.about.fill
        places = _places(whole.image_id, ids)
        falls = whole.score[:, None, None] - covered.score
        maps[OCCLUSION] = np.stack([over_pixels(falls[place], covered) for place in places])
    followed = gradients.probes if not isinstance(gradients, Status) else whole
    places = _places(followed.image_id, ids)
    labelled = followed.by_label[places]
    return Given(ids, followed.output[places], labelled, maps, settings, covered, cast(Fill, fill))


def _places(among: NDArray[np.int64], ids: NDArray[np.int64]) -> list[int]:
    place = {image_id: place for place, image_id in enumerate(among.tolist())}
    return [place[image_id] for image_id in ids.tolist()]


def over_pixels(falls: Maps, covered: Covered) -> Maps:
    """Return (H, W), for each pixel the mean fall under the squares that cover it; 0 where none does."""
    found = mean_over_windows(falls, covered.y, covered.x, covered.window)
    return np.nan_to_num(found, nan=0.0).astype(np.float32)
