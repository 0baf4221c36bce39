"""Make a thumbnail of every image."""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pipeline import store
from pipeline.analyses.patches.thumbnails import thumbnails
from pipeline.dataset.originals import Originals, originals
from pipeline.errors import UserError
from pipeline.formats.manifest import open_manifest
from pipeline.parallel.processes import count_workers
from pipeline.params import digest
from pipeline.progress import progress
from stages.blocks.thumbnails import Params
from stages.command import Stage, execute

log = logging.getLogger(__name__)


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/thumbnails.h5`, an image at a time.

    Raises
    ------
    UserError
        If no image can be read any more.
    """
    with open_manifest(paths["manifest"]) as manifest:
        images = originals(manifest, np.arange(len(manifest)))
    made_from = {"manifest": store.digest(paths["manifest"]), "params": digest(params)}
    versions = ("numpy", "pillow")
    with store.write(paths["out"], stage="thumbnails", made_from=made_from, versions=versions) as file:
        file.set_attributes("", {"size": params.side})
        file.put("image_id", images.image_id)
        _write(file, images, params.side)


def _write(file: store.Writer, images: Originals, size: int) -> None:
    count = len(images.image_id)
    content, problems = np.zeros((count, 2), np.uint16), {}
    pixels = file.allocate("thumbnail", (count, size, size, 3), np.uint8)
    made = thumbnails(images.image_id.tolist(), images.read, size, threads=count_workers())
    with progress("thumbnails", total=count, unit="images") as bar:
        for row, image in enumerate(made):
            pixels[row], content[row] = image.pixels, (image.width, image.height)
            bar.advance()
            if image.problem:
                log.warning("%s cannot be read any more: %s", images.path[row].decode(), image.problem)
                problems[int(images.image_id[row])] = image.problem
    if len(problems) == count:
        raise UserError(f"thumbnails: none of {count} images can be read; run the manifest stage again")
    file.put("width", content[:, 0])
    file.put("height", content[:, 1])
    file.put("skipped/image_id", np.array(list(problems), np.int64))
    file.put_strings("skipped/reason", list(problems.values()))


STAGE = Stage(
    name="thumbnails",
    run=run,
    params=Params,
    block="thumbnails",
    inputs={"manifest": "artifacts/manifest.h5"},
    outputs={"out": "artifacts/thumbnails.h5"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
