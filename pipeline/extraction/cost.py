"""What a pass over the images will cost, said before it starts."""

import logging
import shutil

from pipeline.errors import UserError
from pipeline.extraction.plan import Plan
from pipeline.extraction.recipe import Recipe
from pipeline.formats.weights import read_description
from pipeline.shards.pool import ShardPool

log = logging.getLogger(__name__)

# Compression, checksums and the index together stay within a tenth above the raw numbers even where
# nothing compresses.
MARGIN = 1.1


def announce(plan: Plan, pool: ShardPool) -> None:
    """Say what the work will cost, and refuse it where the disk cannot hold it.

    Parameters
    ----------
    plan
        What is to be there.
    pool
        Where shards are written.

    Raises
    ------
    UserError
        Naming the bytes that are needed and those that are free.
    """
    missing, layers = plan.missing(pool), plan.recipe.layers
    needed = int(sum(shard.images for shard in missing) * row_bytes(plan.recipe) * MARGIN)
    pool.folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(pool.folder).free
    log.info("%d images, %d layers, %d units", plan.images, len(layers), sum(layer.units for layer in layers))
    log.info(
        "%d shards, %d to compute: at most %.1f MB, %.1f GB free",
        len(plan.shards), len(missing), needed / 1e6, free / 1e9,
    )  # fmt: skip
    if needed > free:
        raise UserError(
            f"{pool.folder}: {needed / 1e9:.1f} GB needed, {free / 1e9:.1f} GB free; free some, choose fewer "
            "extract.layers, or put the pool elsewhere with CONVATLAS_SHARDS"
        )


def row_bytes(recipe: Recipe) -> int:
    """Return the bytes of one image's rows before compression: a maximum takes 4, its position 2 x 2.

    Of a layer that is ranked by its input there are two.
    """
    units = sum(layer.units for layer in recipe.layers)
    code = next((layer.units for layer in recipe.layers if layer.name == recipe.code_layer), 0)
    twice = sum(layer.units for layer in recipe.layers if layer.by_input)
    outputs = len(read_description(recipe.weights).classes)
    return (units + twice) * 8 + 4 * (units * recipe.means + code + outputs)
