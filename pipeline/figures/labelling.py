"""What the labelling page needs: pictures on sheets, and a script that says which is which."""

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

from pipeline.contents.blocks import Viewer
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.mosaic import lay_out
from pipeline.figures.drawing.webp import save_webp
from pipeline.figures.trials import Asked, save_trials
from pipeline.formats.status import Status

SCRIPT = "labelling.js"
SHEET = 1024  # pixels at most
BEGIN = "window.CONVATLAS_LABELLING = "


@dataclass(frozen=True)
class Labelling:
    """Images to be labelled, and examples of the classes.

    Attributes
    ----------
    path
        (n,) of the images to label, in an order drawn at random.
    pictures
        (n,) of them, (h, w, 3) uint8.
    tiles
        (m, s, s, 4) uint8 small pictures of the examples.
    classes, called
        (K,) the dataset's names of the classes, and what people call them.
    examples
        (K,) of each class which of the m are examples of it.
    side
        Pixels that the longer sides of larger images were reduced to; None: none is larger.
    """

    path: Sequence[str]
    pictures: Sequence[NDArray[np.uint8]]
    tiles: NDArray[np.uint8]
    classes: Sequence[str]
    called: Sequence[str]
    examples: Sequence[Sequence[int]]
    side: int | None


def add_labelling(
    section: SectionDraft, found: Labelling | Status, asked: Sequence[Asked] | Status, network: str
) -> None:
    """Write what the labelling page needs, or say why there is none.

    Parameters
    ----------
    section
        Of the report.
    found
        Images to be labelled, or why there are none.
    asked
        Of which two images people are asked which one excites a unit more, or why of none.
    network
        As of `pipeline.figures.trials.save_trials`.
    """
    if isinstance(found, Status) and isinstance(asked, Status):
        section.status = found
        return
    files = []
    if isinstance(found, Status):
        section.numbers["no_labelling"] = found.reason
    else:
        files.append(_save_labelling(section, found))
    if isinstance(asked, Status):
        section.numbers["no_trials"] = asked.reason
    else:
        files.append(save_trials(section.folder, asked, network))
        layers = len({one.layer for one in asked})
        section.numbers |= {
            "trials": len(asked),
            "layers": layers,
            "shown": max(len(one.nine) for one in asked),
        }
    scripts = tuple(script for script, _ in files)
    pictures = tuple(picture for _, some in files for picture in some)
    section.add(Viewer(id="page", caption="page", program="label", scripts=scripts, pictures=pictures))


def _save_labelling(section: SectionDraft, found: Labelling) -> tuple[str, list[str]]:
    """Write the sheets, the pictures and the script; return the names of the script and of the others."""
    sheets = _save_sheets(section.folder, found.tiles)
    pictures = _save_pictures(section.folder, found.pictures)
    source = {
        # Progress in a browser is kept by this: other images are another task.
        "id": hashlib.sha256("\n".join([*found.path, *found.classes]).encode()).hexdigest()[:16],
        "sheets": sheets,
        "pictures": pictures,
        "path": list(found.path),
        "classes": [
            {"name": name, "called": called, "examples": list(examples)}
            for name, called, examples in zip(found.classes, found.called, found.examples, strict=True)
        ],
    }
    text = json.dumps(source, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    (section.folder / SCRIPT).write_text(f"{BEGIN}{text};\n", encoding="ascii")
    section.numbers |= {
        "images": len(found.path), "classes": len(found.classes), "examples": max(map(len, found.examples)),
    }  # fmt: skip
    if found.side is not None:
        section.numbers["side"] = found.side
    return SCRIPT, [*pictures, *sheets["files"]]


def _save_pictures(folder: Path, pictures: Sequence[NDArray[np.uint8]]) -> list[str]:
    """Write each picture as a file of its own: a page loads one at a time."""
    files = [f"picture-{place:04}.webp" for place in range(len(pictures))]
    for file, picture in zip(files, pictures, strict=True):
        save_webp(folder / file, Image.fromarray(picture))
    return files


def _save_sheets(folder: Path, tiles: NDArray[np.uint8]) -> dict[str, Any]:
    """Write the tiles line by line, sheet by sheet; return their side, lines and columns, and the files."""
    side = tiles.shape[1]
    across = max(1, SHEET // side)
    files: list[str] = []
    for start in range(0, len(tiles), across**2):
        some = tiles[start : start + across**2]
        index = np.arange(len(some))
        places = np.stack((index % across, index // across), axis=1) * side
        sheet = lay_out(some, places, across * side, -(-len(some) // across) * side)
        files.append(f"labelling-{len(files):03}.webp")
        save_webp(folder / files[-1], Image.fromarray(sheet))
    return {"side": side, "columns": across, "files": files}
