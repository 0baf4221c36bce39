"""Which rows of the manifest make which shard, its key, and the recipe that all follow."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.extraction.recipe import Recipe
from pipeline.formats.manifest import open_manifest
from pipeline.formats.weights import read_description
from pipeline.layers.layers import code_layer, describe_layers
from pipeline.layers.selection import select_layers
from pipeline.model.device import choose_device
from pipeline.model.network import load_network
from pipeline.shards.cutting import Rows, cut, shard_key
from pipeline.shards.pool import ShardPool


@dataclass(frozen=True)
class PlannedShard:
    """Rows of the manifest that make a shard, and its key; `offsets` where it takes some of the rows only."""

    rows: Rows
    key: str
    offsets: tuple[int, ...] | None = None

    @property
    def images(self) -> int:
        """Number of its images."""
        return len(self.rows) if self.offsets is None else len(self.offsets)


@dataclass(frozen=True)
class Plan:
    """The shards of a manifest in its order, what makes them, and the digest of that."""

    shards: Sequence[PlannedShard]
    recipe: Recipe
    recipe_digest: str

    @property
    def images(self) -> int:
        """Number of images in all shards."""
        return sum(shard.images for shard in self.shards)

    def missing(self, pool: ShardPool) -> list[PlannedShard]:
        """Return the shards that a pool lacks, of equal ones the first."""
        first: dict[str, PlannedShard] = {}
        for shard in self.shards:
            first.setdefault(shard.key, shard)
        return [shard for shard in first.values() if not pool.has(shard.key)]


def make_recipe(
    weights: Path,
    layers: Literal["auto"] | Sequence[str],
    *,
    batch_size: int,
    precision: str,
    statistics: bool,
    means: bool,
) -> Recipe:
    """Choose layers and a device.

    Parameters
    ----------
    weights
        The folder of the weights stage.
    layers
        "auto", or node names and globs.
    batch_size, precision, statistics, means
        As of `Recipe`.

    Raises
    ------
    UserError
        A pattern matches nothing, the network has no code, or the device is not there.
    """
    description, network = read_description(weights), load_network(weights)
    size = description.preprocessing.input_size
    code = code_layer(network, size)
    chosen = select_layers(describe_layers(network, size), code, layers, "extract.layers")
    return Recipe(
        weights.resolve(), description.digest, chosen, code, batch_size, precision, statistics, means,
        choose_device(),
    )  # fmt: skip


def make_plan(manifest: Path, recipe: Recipe, *, mean: int, largest: int) -> Plan:
    """Cut the manifest, and name each shard by its content.

    Parameters
    ----------
    manifest
        ``manifest.h5``.
    recipe
        What makes a shard.
    mean, largest
        Images in a shard.
    """
    with open_manifest(manifest) as listed:
        images, digests = listed.path(), listed.sha256()
    digest = recipe.digest()
    rows = cut(images, mean=mean, largest=largest, groups=_tar_files(images))
    shards = [PlannedShard(part, shard_key(digests[part.start : part.stop], digest)) for part in rows]
    return Plan(shards, recipe, digest)


def _tar_files(images: Sequence[str]) -> list[str] | None:
    """Return each image's tar file, if the dataset is made of tar files: a shard never spans two."""
    if not images or ".tar/" not in images[0]:
        return None
    return [image.split(".tar/")[0] for image in images]
