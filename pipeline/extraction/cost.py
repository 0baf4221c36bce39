"""What a pass over the images will cost, said before it starts."""

import logging
import shutil
from collections.abc import Sequence

from pipeline.errors import UserError
from pipeline.extraction.worker import Recipe
from pipeline.formats.weights import read_description
from pipeline.shards.pool import ShardPool

log = logging.getLogger(__name__)

# Compression, checksums and the index together stay within a tenth above the raw numbers even where
# nothing compresses.
MARGIN = 1.1


def announce(images: Sequence[int], missing: Sequence[int], recipe: Recipe, pool: ShardPool) -> None:
    """Say what the work will cost, and refuse it where the disk cannot hold it.

    Parameters
    ----------
    images, missing
        The number of images in each shard, and in each shard that is to be computed.
    recipe
        What is kept of an image.
    pool
        Where shards are written.

    Raises
    ------
    UserError
        Naming the bytes that are needed and those that are free.
    """
    needed = int(sum(missing) * row_bytes(recipe) * MARGIN)
    pool.folder.mkdir(parents=True, exist_ok=True)
    free, layers = shutil.disk_usage(pool.folder).free, recipe.kept.layers
    units = sum(layer.units for layer in layers)
    log.info("%d images, %d layers, %d units", sum(images), len(layers), units)
    log.info(
        "%d shards, %d to compute: at most %.1f MB, %.1f GB free",
        len(images), len(missing), needed / 1e6, free / 1e9,
    )  # fmt: skip
    if needed > free:
        raise UserError(
            f"{pool.folder}: {needed / 1e9:.1f} GB needed, {free / 1e9:.1f} GB free; free some, choose fewer "
            "extract.layers, or put the pool elsewhere with CONVATLAS_SHARDS"
        )


def row_bytes(recipe: Recipe) -> int:
    """Return the bytes of one image's rows before compression: a maximum takes 4, its position 2 x 2."""
    kept = recipe.kept
    units = sum(layer.units for layer in kept.layers)
    code = next((layer.units for layer in kept.layers if layer.name == kept.code_layer), 0)
    return units * (8 + 4 * kept.means) + 4 * code + 4 * len(read_description(recipe.weights).classes)
