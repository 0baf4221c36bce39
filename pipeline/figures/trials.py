"""What the labelling page needs to ask which of two images excites a unit more: pictures, and a script.

Neither the pictures' names nor the script say which image is the stronger one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.figures.drawing.mosaic import lay_out
from pipeline.figures.drawing.tiles import enlarge
from pipeline.figures.drawing.webp import save_webp

SCRIPT = "trials.js"
BEGIN = "window.CONVATLAS_TRIALS = "
ACROSS = 3
GAP = 4  # pixels between the tiles of a picture
LEAST = 96  # pixels, smallest side of a tile


@dataclass(frozen=True)
class Asked:
    """A question, as it is shown.

    Attributes
    ----------
    layer, unit
        Of which unit.
    path
        Of the left and the right image.
    nine
        Of the unit's strongest images what it sees of them, (S, S, 3) uint8 each.
    pair
        The same of the left and the right one.
    """

    layer: str
    unit: int
    path: tuple[str, str]
    nine: Sequence[NDArray[np.uint8]]
    pair: Sequence[NDArray[np.uint8]]


def save_trials(folder: Path, asked: Sequence[Asked], network: str) -> tuple[str, list[str]]:
    """Write the questions.

    Parameters
    ----------
    folder
        Of the section.
    asked
        The questions, in the order in which they stand.
    network
        Digits by which the answers say whose units these are.

    Returns
    -------
    script, pictures
        Names of the files.
    """
    trials: list[dict[str, Any]] = []
    for place, one in enumerate(asked):
        left, right = one.path
        tiles = {"nine": one.nine, "left": one.pair[:1], "right": one.pair[1:]}
        pictures = {name: f"trial-{place:04}-{name}.webp" for name in tiles}
        for name, file in pictures.items():
            save_webp(folder / file, Image.fromarray(_grid(tiles[name])))
        trials.append(
            {"layer": one.layer, "unit": one.unit, "left": left, "right": right, "pictures": pictures}
        )
    # Progress in a browser is kept by this: other questions are another task.
    told = json.dumps([network, *([one.layer, one.unit, *one.path] for one in asked)])
    source = {"id": hashlib.sha256(told.encode()).hexdigest()[:16], "network": network, "trials": trials}
    text = json.dumps(source, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    (folder / SCRIPT).write_text(f"{BEGIN}{text};\n", encoding="ascii")
    return SCRIPT, [file for trial in trials for file in trial["pictures"].values()]


def _grid(patches: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Lay patches out in lines of three."""
    tiles = np.stack([enlarge(patch, LEAST) for patch in patches])
    side, count = tiles.shape[1], len(tiles)
    index, across = np.arange(count), min(count, ACROSS)
    places = np.stack((index % across, index // across), axis=1) * (side + GAP)
    down = -(-count // across)
    opaque = np.concatenate([tiles, np.full((*tiles.shape[:3], 1), 255, np.uint8)], axis=-1)
    return lay_out(opaque, places, across * (side + GAP) - GAP, down * (side + GAP) - GAP)
