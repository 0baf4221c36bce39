"""Find for each image the units that it excites most, relative to what excites these over the dataset."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.analyses.excited_units import MostExcited
from pipeline.formats.activations import FILE as INDEX
from pipeline.formats.activations import INPUT, Activations, KeptLayer, open_activations
from pipeline.formats.excited_units import VERSION, ExcitedUnits, write_excited_units
from pipeline.formats.probes import read_probes
from pipeline.formats.shards import input_value, value
from pipeline.formats.status import Status, not_run
from pipeline.params import digest
from pipeline.progress import Bar, progress
from pipeline.store.metrics import write_metrics
from stages.blocks.excited_units import Params
from stages.command import Stage, execute
from stages.leaving import leave

ALONE = Status("not applicable", "ranks among images need two images, and there is one")
# Bytes of maxima in memory: 256 units of a million images.
ROOM = 1 << 30


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Read the maxima layer by layer; write `artifacts/excited_units.h5` and its metrics."""
    made_from = {"params": digest(params)}
    activations = open_activations(paths["activations"]) if params.run else None
    if activations is None or len(activations.image_id) < 2:
        status = not_run("excited_units") if activations is None else ALONE
        leave(status, paths, stage="excited_units", version=VERSION, made_from=made_from)
        return
    made_from |= {
        "activations": store.digest(paths["activations"] / INDEX), "probes": store.digest(paths["probes"])
    }  # fmt: skip
    rows = _rows(activations.image_id, params, paths["probes"])
    best, compared = MostExcited(rows, params.units), 0
    for place, unit, maxima, active in _parts(activations):
        best.add(place, unit, maxima, active)
        compared += len(unit)
    found = ExcitedUnits(
        tuple(activations.layers), len(activations.image_id), compared, activations.image_id[rows],
        **vars(best.found()),
    )  # fmt: skip
    write_excited_units(paths["out"], found, made_from=made_from)
    write_metrics(paths["metrics"], _numbers(found))


def _rows(image_id: NDArray[np.int64], params: Params, probes: Path) -> NDArray[np.intp]:
    """Return the places of the images whose units are kept: a sample of many, and all probes."""
    rows = np.arange(len(image_id))
    if len(rows) <= params.images:
        return rows
    # As the map draws its images, so that with its seed and its number they are the same.
    rows = np.random.default_rng(params.seed).choice(rows, params.images, replace=False)
    shown = read_probes(probes)
    if not isinstance(shown, Status):
        rows = np.union1d(rows, np.flatnonzero(np.isin(image_id, shown.image_id)))
    return np.sort(rows)


def _parts(
    activations: Activations,
) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.float32], NDArray[np.bool_]]]:
    """Yield some units of a layer at a time: its place, (B,) numbers, (B, N) maxima, and where it is active.

    Units that are equal on all images or never active are left out, and those that repeat an earlier unit's
    maxima, as after max pooling.
    """
    images, seen = len(activations.image_id), set[bytes]()
    together = max(ROOM // (4 * images), 1)
    layers = [activations.layer(name) for name in activations.layers]
    passes = sum(-(-layer.units // together) for layer in layers)
    with progress("ranking", total=passes * activations.count, unit="shards") as bar:
        for place, layer in enumerate(layers):
            for start in range(0, layer.units, together):
                run = slice(start, min(start + together, layer.units))
                maxima, active = _maxima(activations, layer, run, bar)
                fresh = [row for row, one in enumerate(maxima) if active[row].any() and _is_new(one, seen)]
                yield place, np.array(fresh, np.int64) + start, maxima[fresh], active[fresh]


def _maxima(
    activations: Activations, layer: KeptLayer, run: slice, bar: Bar
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Read the maxima that a run of a layer's units is ranked by, (B, N), and where these are active."""
    by_input = layer.ranked_by == INPUT
    maxima = np.empty((run.stop - run.start, len(activations.image_id)), np.float32)
    active = np.empty(maxima.shape, bool)
    done = 0
    for shard in activations.shards():
        outputs = shard.read(value(layer.name))[:, run]
        here = slice(done, done + len(outputs))
        # What enters a unit orders images on which it puts out nothing, too.
        active[:, here] = outputs.T > 0
        maxima[:, here] = (shard.read(input_value(layer.name))[:, run] if by_input else outputs).T
        done += len(outputs)
        bar.advance()
    return maxima, active


def _is_new(maxima: NDArray[np.float32], seen: set[bytes]) -> bool:
    """Tell whether a unit's maxima differ from image to image, are finite, and were not seen yet."""
    if not np.isfinite(maxima).all() or maxima.min() == maxima.max():
        return False
    found = hashlib.sha256(maxima.tobytes()).digest()
    is_new = found not in seen
    seen.add(found)
    return is_new


def _numbers(found: ExcitedUnits) -> dict[str, float]:
    """Count images that excite some unit more than any other image does."""
    numbers: dict[str, float] = {"images": len(found.image_id), "units_compared": found.compared}
    if found.compared:
        first = found.first
        numbers |= {"images_first": int((first == 1).sum()), "best_rank_median": float(np.median(first))}
    return numbers


STAGE = Stage(
    name="excited_units",
    run=run,
    params=Params,
    block="excited_units",
    inputs={"activations": "artifacts/activations", "probes": "artifacts/probes.h5"},
    outputs={"out": "artifacts/excited_units.h5", "metrics": "metrics/excited_units.json"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
