"""Finished shards put into the folder of activations, with the index that gives their rows image ids."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.errors import UserError
from pipeline.extraction.plan import Plan
from pipeline.extraction.recipe import DISTRIBUTIONS
from pipeline.formats import activations
from pipeline.formats.activations import INPUT, OUTPUT, Index, KeptLayer, Skipped
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.shards import read_contents
from pipeline.model.device import arithmetic
from pipeline.shards.pool import ShardPool

log = logging.getLogger(__name__)

SHOWN = 10


def fill_folder(
    folder: Path, plan: Plan, files: Sequence[Path], made_from: Mapping[str, str]
) -> list[Skipped]:
    """Link the shards and write ``index.h5``, which names them in order.

    Parameters
    ----------
    folder
        Empty.
    plan
        What made the shards.
    files
        The file of each.
    made_from
        Digests for the attributes.

    Returns
    -------
    list of Skipped
        The images that are missing.
    """
    named, skipped = [], []
    for shard, file in zip(plan.shards, files, strict=True):
        path, start = ShardPool.link(file, folder), shard.rows.start
        contents = read_contents(path)
        named.append((path.name, start + contents.offset))
        skipped += [Skipped(start + item.offset, item.reason, item.message) for item in contents.skipped]
    activations.write_index(folder, _index(plan), named, skipped, made_from=made_from, versions=DISTRIBUTIONS)
    return skipped


def _index(plan: Plan) -> Index:
    recipe = plan.recipe
    layers = tuple(
        KeptLayer(
            layer.name,
            layer.kind,
            layer.units,
            LayerGeometry(layer.map_size, layer.receptive_field),
            INPUT if layer.by_input else OUTPUT,
        )
        for layer in recipe.layers
    )
    return Index(
        layers, recipe.code_layer, plan.images, recipe.precision, recipe.batch_size, arithmetic(recipe.device)
    )


def check_skipped(skipped: Sequence[Skipped], total: int, largest_share: float) -> None:
    """Say which images are missing.

    Raises
    ------
    UserError
        If they are more than the dataset's params allow.
    """
    for row, reason, message in skipped[:SHOWN]:
        log.warning("image %d left out, %s: %s", row, reason, message)
    if len(skipped) > largest_share * total:
        row, reason, message = skipped[0]
        raise UserError(
            f"{len(skipped)} of {total} images could not be read, more than dataset.max_bad_fraction "
            f"({largest_share:g}); the first: image {row}, {reason}: {message}"
        )
