"""Find for each unit those that are strong on the same images, in its layer and in the others."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.analyses.similar_units.correlating import Neighbours, count_passes, similar_units
from pipeline.formats.activations import FILE as INDEX
from pipeline.formats.activations import INPUT, Activations, KeptLayer, open_activations
from pipeline.formats.shards import input_value, value
from pipeline.formats.similar_units import VERSION, SimilarLayer, SimilarUnits, write_similar_units
from pipeline.formats.status import Status, not_run
from pipeline.parallel.processes import count_workers
from pipeline.params import digest
from pipeline.progress import Bar, progress
from pipeline.store.metrics import write_metrics
from stages.blocks.similar_units import Params
from stages.command import Stage, execute
from stages.leaving import leave

log = logging.getLogger(__name__)

# Layer, unit in it, and correlation, (U, K) each.
Located = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]

# Of three images any two units correlate by much, and no bound on chance can be given.
LEAST_IMAGES = 4
# A correlation from which one unit says what the other does.
TWIN = 0.99


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Correlate the maxima shard by shard; write `artifacts/similar_units.h5` and its metrics."""
    made_from = {"params": digest(params)}
    activations = open_activations(paths["activations"]) if params.run else None
    status = not_run("similar_units") if activations is None else _why_not(len(activations.image_id))
    if activations is None or status:
        assert status is not None, "what is not run has a status"
        leave(status, paths, stage="similar_units", version=VERSION, made_from=made_from)
        return
    made_from["activations"] = store.digest(paths["activations"] / INDEX)
    layers = [activations.layer(name) for name in activations.layers]
    together = [layers] if params.across_layers else [[layer] for layer in layers]
    found: dict[str, SimilarLayer] = {}
    for group in together:
        found |= _compare(activations, group, params)
    similar = SimilarUnits(len(activations.image_id), found)
    write_similar_units(paths["out"], similar, made_from=made_from)
    write_metrics(paths["metrics"], _numbers(similar))


def _why_not(images: int) -> Status | None:
    if images >= LEAST_IMAGES:
        return None
    return Status("not applicable", f"correlations need {LEAST_IMAGES} images, and there are {images}")


def _compare(
    activations: Activations, layers: Sequence[KeptLayer], params: Params
) -> dict[str, SimilarLayer]:
    """Compare the units of some layers with each other."""
    units, images = [layer.units for layer in layers], len(activations.image_id)
    passes = count_passes(sum(units))
    log.info("%d units of %d layers on %d images, read %d times", sum(units), len(units), images, passes)
    with progress("comparing units", total=passes * activations.count, unit="shards") as bar:
        read = partial(_values, activations, layers, bar)
        found = similar_units(read, units, params.neighbours, threads=count_workers())
    starts = np.cumsum([0, *units[:-1]])
    place = [activations.layers.index(layer.name) for layer in layers]
    far = _located(found.far, starts, np.array(place))
    runs = [slice(start, start + count) for start, count in zip(starts.tolist(), units, strict=True)]
    layer_of = {}
    for layer, run in zip(layers, runs, strict=True):
        near = _within(found.near, run)
        one = SimilarLayer(layer.ranked_by, found.varies[run], *near)
        layer_of[layer.name] = _with_far(one, far, run) if params.across_layers else one
    return layer_of


def _values(
    activations: Activations, layers: Sequence[KeptLayer], bar: Bar, units: slice
) -> Iterator[NDArray[np.float32]]:
    """Yield, shard by shard, the maxima that a run of the layers' units is ranked by."""
    starts = np.cumsum([0, *(layer.units for layer in layers)]).tolist()
    for shard in activations.shards():
        parts = []
        for layer, start, stop in zip(layers, starts, starts[1:], strict=False):
            here = slice(max(units.start - start, 0), max(min(units.stop, stop) - start, 0))
            if here.start < here.stop:
                name = input_value(layer.name) if layer.ranked_by == INPUT else value(layer.name)
                parts.append(shard.read(name)[:, here])
        yield np.concatenate(parts, axis=1)
        bar.advance()


def _within(near: Neighbours, run: slice) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Count a layer's neighbours from its first unit on."""
    unit = near.unit[run]
    return np.where(unit < 0, -1, unit - run.start), near.correlation[run]


def _with_far(layer: SimilarLayer, far: Located, run: slice) -> SimilarLayer:
    """Add a layer's neighbours in other layers."""
    place, unit, correlation = far
    return replace(layer, far_layer=place[run], far_unit=unit[run], far_correlation=correlation[run])


def _located(far: Neighbours, starts: NDArray[np.int64], place: NDArray[np.int64]) -> Located:
    """Return for each neighbour its layer's place, its number there, and its correlation."""
    row = np.searchsorted(starts, far.unit, side="right") - 1
    none = far.unit < 0
    return np.where(none, -1, place[row]), np.where(none, -1, far.unit - starts[row]), far.correlation


def _numbers(similar: SimilarUnits) -> dict[str, int | float]:
    """Count over all layers, and take the median over the units that have a neighbour in their layer."""
    first = np.concatenate([layer.correlation[:, 0] for layer in similar.layers.values()])
    varies = np.concatenate([layer.varies for layer in similar.layers.values()])
    some = first[np.isfinite(first)]
    return {
        "images": similar.images,
        "units": len(varies),
        "units_constant": int(np.count_nonzero(~varies)),
        "units_twins": int(np.count_nonzero(some >= TWIN)),
    } | ({"nearest_median": float(np.median(some))} if len(some) else {})


STAGE = Stage(
    name="similar_units",
    run=run,
    params=Params,
    block="similar_units",
    inputs={"activations": "artifacts/activations"},
    outputs={"out": "artifacts/similar_units.h5", "metrics": "metrics/similar_units.json"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
