"""A pass over the images that ranks maps along directions, kept as shards of their own kind.

A direction of a layer's space is applied at every position of its map, as a 1 x 1 convolution would be, and
its largest value and where that is are kept as they are of a unit. Shards and batches are those of the pass
before, so that along a single unit they give what is stored of that unit, to the last bit (in float32).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from distributed import get_worker
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.dataset.dataset import open_dataset
from pipeline.dataset.originals import originals
from pipeline.errors import UserError
from pipeline.extraction.computing import compute_missing
from pipeline.extraction.cost import announce
from pipeline.extraction.plan import Plan, PlannedShard, make_recipe
from pipeline.extraction.recipe import CORE, DISTRIBUTIONS, Recipe
from pipeline.extraction.reduction import Reduced, maxima, merge
from pipeline.extraction.shard import PASSING, Receipt, ShardJob
from pipeline.formats import shards
from pipeline.formats.activations import Activations
from pipeline.formats.manifest import open_manifest
from pipeline.formats.shards import Shard, read_contents
from pipeline.formats.weights import read_description
from pipeline.layers.batches import Batches
from pipeline.layers.layers import Layer
from pipeline.layers.observer import Observer
from pipeline.model.device import gpu_number, place_inputs, place_network
from pipeline.model.network import load_network
from pipeline.shards.cutting import Rows, shard_key
from pipeline.shards.pool import ShardPool
from pipeline.topk.streaming import TopK


@dataclass(frozen=True)
class DirectedRecipe(Recipe):
    """All that decides the bytes of a shard of directions besides its images.

    Attributes
    ----------
    directions
        Of each of the `layers`, its R directions (R, U) float32, as bytes.
    """

    directions: tuple[bytes, ...]

    @property
    def core(self) -> tuple[str, ...]:
        """The modules that decide the bytes."""
        return (*CORE, "extraction.directed")

    def digest(self) -> str:
        """Return a hash of the recipe, of the core that follows it, and of the machine's arithmetic."""
        parts = super().digest(), [hashlib.sha256(one).hexdigest() for one in self.directions]
        return hashlib.sha256(repr(parts).encode()).hexdigest()


def rank_maps(
    activations: Activations,
    manifest: Path,
    weights: Path,
    directions: Mapping[str, NDArray[np.float32]],
    k: int,
) -> dict[str, TopK]:
    """Rank the images along directions of the space of maps, each image forwarded once for all of them.

    Parameters
    ----------
    activations
        Of the pass before: which images, in which shards and batches.
    manifest, weights
        What that pass was made from.
    directions
        Layer to (R, U) float32. A layer that is ranked by what enters it is looked at there.
    k
        Ranks kept, at least 1.

    Raises
    ------
    UserError
        The disk has no room, a worker fails, an image cannot be read any more, or an activation is NaN.
    """
    recipe = _recipe(activations, weights, directions)
    plan, pool = _plan(activations, manifest, recipe), ShardPool()
    announce(plan, pool)
    files = compute_missing(plan, manifest, pool, label="along directions", compute=compute_directed)
    ranking = {layer: TopK(k) for layer in directions}
    for planned, path in zip(plan.shards, files, strict=True):
        shard = Shard(path, planned.rows.start + read_contents(path).offset)
        _add(ranking, shard, activations.image_id)
    return ranking


def _add(ranking: Mapping[str, TopK], shard: Shard, images: NDArray[np.int64]) -> None:
    """Rank those images of a shard that the pass before has; one that could be read only now is left out."""
    known = np.isin(shard.image_id, images)
    for layer, topk in ranking.items():
        values, positions = shard.maxima(layer)
        try:
            topk.add(values[known], shard.image_id[known], positions[known])
        except ValueError as error:
            raise UserError(f"layer '{layer}': direction {error}; check the weights") from error


def _recipe(
    activations: Activations, weights: Path, directions: Mapping[str, NDArray[np.float32]]
) -> DirectedRecipe:
    recipe = make_recipe(
        weights, tuple(directions), batch_size=activations.batch_size, precision="float32", statistics=False,
        means=False,
    )  # fmt: skip
    matrices = tuple(directions[layer.name].astype("<f4").tobytes() for layer in recipe.layers)
    return DirectedRecipe(**vars(recipe), directions=matrices)


def _plan(activations: Activations, manifest: Path, recipe: Recipe) -> Plan:
    """Take over the runs of the manifest that the shards of the pass before are of."""
    with open_manifest(manifest) as listed:
        digests = listed.sha256()
    starts = [int(shard.image_id[0] - read_contents(shard.path).offset[0]) for shard in activations.shards()]
    runs = [Rows(*run) for run in zip(starts, [*starts[1:], len(digests)], strict=True)]
    digest = recipe.digest()
    planned = [PlannedShard(run, shard_key(digests[run.start : run.stop], digest)) for run in runs]
    return Plan(planned, recipe, digest)


def compute_directed(job: ShardJob) -> Receipt:
    """Compute one shard and put it, whole, under its name in the pool, as `shard.compute_shard` does."""
    torch.set_num_threads(1)
    assert isinstance(job.recipe, DirectedRecipe)
    projector, batches = _projector_of(job.recipe), _batches(job)
    parts = [projector.run(batch.inputs_on(projector.device)).fetched() for batch in batches]
    may_pass = any(error.reason in PASSING for _, error in batches.skipped)
    target = job.target.with_name(f"partial-{job.target.name}") if may_pass else job.target
    kept = np.array(batches.kept, np.int64) - job.rows.start
    skipped = [
        shards.Skipped(image_id - job.rows.start, error.reason, error.message)
        for image_id, error in batches.skipped
    ]
    rows = merge(parts)[0] if parts else projector.none()
    made_from = {"weights": job.recipe.weights_digest, "recipe": job.recipe_digest}
    shards.write_shard(
        target, rows, shards.Contents(kept, skipped), code_layer="", made_from=made_from,
        versions=DISTRIBUTIONS,
    )  # fmt: skip
    return Receipt(target, len(kept), len(skipped), 0.0)


def _batches(job: ShardJob) -> Batches:
    """Return the job's images in batches, fixed by their places in the shard."""
    with open_manifest(job.manifest) as manifest:
        ids = np.arange(job.rows.start, job.rows.stop)
        images = originals(manifest, ids, open_dataset(job.dataset))
    preprocessing = read_description(job.recipe.weights).preprocessing
    return Batches(images, preprocessing, job.recipe.batch_size, guarded=job.guarded)


@lru_cache(maxsize=1)
def _projector_of(recipe: DirectedRecipe) -> "Projector":
    if recipe.device == "cuda":
        torch.cuda.set_device(gpu_number(get_worker().name, torch.cuda.device_count()))
    return Projector(load_network(recipe.weights), recipe)


class Projector:
    """A network on a device, and the directions that its maps are looked at along.

    Parameters
    ----------
    network
        In eval mode.
    recipe
        Which layers, along which directions.
    """

    def __init__(self, network: nn.Module, recipe: DirectedRecipe) -> None:
        self.device = torch.device(recipe.device)
        self._directions: dict[str, Tensor] = {}
        self._looked_at: dict[str, list[Layer]] = {}
        for layer, matrix in zip(recipe.layers, recipe.directions, strict=True):
            rows = np.frombuffer(matrix, "<f4").reshape(-1, layer.units)
            self._directions[layer.name] = torch.tensor(rows, device=self.device)
            source = layer.before if layer.by_input and layer.before else layer.name
            self._looked_at.setdefault(source, []).append(layer)
        placed = place_network(network, recipe.device, recipe.precision)
        self._observer = Observer(placed, sorted(self._looked_at))

    @torch.inference_mode()
    def run(self, inputs: np.ndarray | Tensor) -> Reduced:
        """Forward a batch (n, C, h, w); return each layer's values (n, R) and positions (n, R, 2) as rows."""
        reduced = Reduced()
        self._observer.forward(
            place_inputs(inputs, self.device, torch.float32),
            lambda name, value: self._visit(name, value, reduced),
        )
        return reduced

    def none(self) -> dict[str, np.ndarray]:
        """Return the rows of no image."""
        counts = {name: len(matrix) for name, matrix in self._directions.items()}
        values = {shards.value(name): np.empty((0, count), np.float32) for name, count in counts.items()}
        return values | {
            shards.position(name): np.empty((0, count, 2), np.uint16) for name, count in counts.items()
        }

    def _visit(self, name: str, value: Tensor, reduced: Reduced) -> None:
        for layer in self._looked_at[name]:
            along = torch.einsum("ru,nuyx->nryx", self._directions[layer.name], value)
            peak, position = maxima(along)
            reduced.rows[shards.value(layer.name)] = peak
            reduced.rows[shards.position(layer.name)] = position
