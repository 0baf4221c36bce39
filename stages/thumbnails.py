"""Make a thumbnail of every image, and measure it."""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pipeline import store
from pipeline.analyses.patches.thumbnails import thumbnails
from pipeline.dataset.originals import Originals, originals
from pipeline.errors import UserError
from pipeline.formats.manifest import open_manifest
from pipeline.formats.thumbnails import ThumbnailWriter, new_thumbnails
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
    with new_thumbnails(paths["out"], images.image_id, params.side, made_from=made_from) as writer:
        _add(writer, images, params.side)


def _add(writer: ThumbnailWriter, images: Originals, side: int) -> None:
    count = len(images.image_id)
    made = thumbnails(images.image_id.tolist(), images.read_sized, side, threads=count_workers())
    with progress("thumbnails", total=count, unit="images") as bar:
        for path, image in zip(images.path, made, strict=True):
            if image.attributes:
                writer.measured(image.attributes, image.file_bytes)
            writer.add(image.pixels, image.width, image.height, image.problem)
            bar.advance()
            if image.problem:
                log.warning("%s cannot be read any more: %s", path.decode(), image.problem)
    if len(writer.skipped) == count:
        raise UserError(f"thumbnails: none of {count} images can be read; run the manifest stage again")


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
