"""Draw where the network fails."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.contents.writing import new_chapter
from pipeline.figures.attributes import TILE, Shown, add_attributes
from pipeline.figures.drawing.mosaic import scale
from pipeline.figures.fooling import add_fooling
from pipeline.figures.fooling_pictures import Names
from pipeline.formats.attributes import Attributes, read_attributes
from pipeline.formats.class_names import read_class_names
from pipeline.formats.fooling import read_fooling
from pipeline.formats.manifest import open_manifest
from pipeline.formats.predictions import read_predictions
from pipeline.formats.probes import read_pictured
from pipeline.formats.status import Status
from pipeline.formats.thumbnails import ThumbnailFile, open_thumbnails
from stages.blocks.render_failures import Params
from stages.command import Stage, execute


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/figures/failures/`."""
    found = read_attributes(paths["attributes"])
    names, probes = read_class_names(paths["names"]), read_pictured(paths["probes"])
    shown = {} if isinstance(found, Status) else _shown(found, paths, names.of_output)
    with new_chapter(paths["out"]) as chapter:
        add_attributes(chapter.section("attributes"), found, shown, listed=params.listed)
        called = Names(names.of_output, names.of_class)
        add_fooling(chapter.section("fooling"), read_fooling(paths["fooling"]), probes, called)


def _shown(found: Attributes, paths: Mapping[str, Path], outputs: Sequence[str]) -> dict[int, Shown]:
    """Return what is said of the images whose values are listed; of examples their pictures, too."""
    evaluated = read_predictions(paths["predictions"])
    examples = {image_id for one in found.effects for image_id in one.examples.ravel().tolist()}
    with open_manifest(paths["manifest"]) as manifest, open_thumbnails(paths["thumbnails"]) as file:
        path = manifest.take_path(found.listed).tolist()
        return {
            image_id: Shown(
                path[place].decode(),
                outputs[evaluated.predicted[row]],
                bool(evaluated.label_rank[row] == 0),
                _tile(file, image_id) if image_id in examples else None,
            )
            for place, image_id in enumerate(found.listed.tolist())
            for row in _row(evaluated.image_id, image_id)
        }  # fmt: skip


def _row(image_id: NDArray[np.int64], wanted: int) -> list[int]:
    """Return the place of an image, if it is there."""
    row = int(np.searchsorted(image_id, wanted))
    return [row] if row < len(image_id) and image_id[row] == wanted else []


def _tile(file: ThumbnailFile, image_id: int) -> NDArray[np.uint8]:
    row = int(np.searchsorted(file.image_id, image_id))
    width, height = file.size[row].tolist()
    return scale(file.pixels(slice(row, row + 1))[0], (width, height), TILE)


STAGE = Stage(
    name="render-failures",
    run=run,
    params=Params,
    block="render_failures",
    inputs={
        "attributes": "artifacts/attributes.h5",
        "fooling": "artifacts/fooling.h5",
        "probes": "artifacts/probes.h5",
        "manifest": "artifacts/manifest.h5",
        "predictions": "artifacts/predictions.h5",
        "names": "artifacts/class_names.h5",
        "thumbnails": "artifacts/thumbnails.h5",
    },
    outputs={"out": "artifacts/figures/failures"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
