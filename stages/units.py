"""Tell of every unit how often it is silent, how its maxima are spread, and for which class it stands out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.analyses.units.maxima import Spread, joined, spread
from pipeline.analyses.units.saturation import Ends, Recogniser
from pipeline.analyses.units.selectivity import ClassMeans
from pipeline.analyses.units.states import dead_units, nearly_dead_units, resting_units, saturated_units
from pipeline.formats import shards
from pipeline.formats.activations import FILE as INDEX
from pipeline.formats.activations import INPUT, Activations, KeptLayer, open_activations
from pipeline.formats.manifest import open_manifest
from pipeline.formats.status import not_run
from pipeline.formats.units import VERSION, About, LayerUnits, write_units
from pipeline.numerics.scratch import Columns, columns_on_disk
from pipeline.params import digest
from pipeline.progress import progress
from pipeline.store.metrics import write_metrics
from pipeline.topk.ranking import rank
from pipeline.topk.streaming import TopK
from stages.blocks.units import Params
from stages.command import Stage, execute
from stages.leaving import leave


@dataclass(frozen=True)
class Labels:
    """The images' labels.

    Attributes
    ----------
    label, shuffled : (M,) int32
        By row of the manifest, -1 where there is none; the latter given to these images at random.
    classes : (C,) int32
        Those that the images are of, ascending.
    labelled
        Images with a label.
    """

    label: NDArray[np.int32]
    shuffled: NDArray[np.int32]
    classes: NDArray[np.int32]
    labelled: int


@dataclass(frozen=True)
class Source:
    """What is read.

    Attributes
    ----------
    activations, labels
        Of the images.
    statistics, means
        Whether the extraction kept them.
    """

    activations: Activations
    labels: Labels
    statistics: bool
    means: bool


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/units.h5` and `metrics/units.json`.

    Raises
    ------
    UserError
        An activation is NaN, or the disk has no room.
    """
    made_from = {"params": digest(params)}
    if not params.run:
        leave(not_run("units"), paths, stage="units", version=VERSION, made_from=made_from)
        return
    made_from |= {
        "activations": store.digest(paths["activations"] / INDEX),
        "manifest": store.digest(paths["manifest"]),
    }
    source = _open(params, paths)
    images = len(source.activations.image_id)
    ranking = rank(paths["activations"], min(params.top, images))
    about = About(
        tuple(source.activations.layers), images, source.labels.labelled, len(source.labels.classes),
        source.activations.precision, "means" if source.means else "maxima", params.quantiles,
        params.nearly_dead, params.saturated,
    )  # fmt: skip
    totals = Totals()
    paths["out"].parent.mkdir(parents=True, exist_ok=True)
    layers = _layers(source, params, ranking, paths["out"].parent)
    write_units(paths["out"], about, totals.counted(layers), made_from=made_from)
    write_metrics(paths["metrics"], {"images": images, **totals.numbers()})


def _open(params: Params, paths: Mapping[str, Path]) -> Source:
    activations = open_activations(paths["activations"])
    with open_manifest(paths["manifest"]) as manifest:
        label = manifest.label()
    labels = _labels(label, activations.image_id, params.seed)
    return Source(activations, labels, activations.has_statistics, activations.has_means)


def _labels(label: NDArray[np.int32], image_id: NDArray[np.int64], seed: int) -> Labels:
    known = image_id[label[image_id] >= 0]
    shuffled = np.full_like(label, -1)
    shuffled[known] = np.random.default_rng(seed).permutation(label[known])
    return Labels(label, shuffled, np.unique(label[known]), len(known))


def _layers(
    source: Source, params: Params, ranking: Mapping[str, TopK], folder: Path
) -> Iterator[LayerUnits]:
    """Yield layer by layer; what is held of a layer does not grow with the images."""
    names = source.activations.layers
    with progress("describing units", total=len(names), unit="layers") as bar:
        for name in names:
            layer = source.activations.layer(name)
            yield _layer(source, layer, params, ranking[name], folder)
            bar.advance()


def _layer(source: Source, layer: KeptLayer, params: Params, ranking: TopK, folder: Path) -> LayerUnits:
    means = tuple(ClassMeans(source.labels.classes, layer.units) for _ in range(2))
    ends, found = _spread(source, layer, params, means, folder)
    counted = _statistics(source, layer)
    known: dict[str, Any] = {
        "quantiles": found.quantiles, "histogram": found.histogram, "low": found.low, "high": found.high,
        "smallest": found.smallest, "largest": found.largest, "active": found.active,
    }  # fmt: skip
    if ends.function:
        known |= {"at_top": found.at_top, "at_bottom": found.at_bottom}
    return LayerUnits(
        geometry=layer.geometry, ranked_by=layer.ranked_by, images=len(source.activations.image_id),
        function=ends.function, top=ends.top, bottom=ends.bottom,
        top_image_id=np.where(ranking.output > 0, ranking.image_id, -1),
        **known, **counted, **_selectivity(means, source.labels), **_states(found, counted, params),
    )  # fmt: skip


def _spread(
    source: Source, layer: KeptLayer, params: Params, means: Sequence[ClassMeans], folder: Path
) -> tuple[Ends, Spread]:
    """Read a layer once, by rows, and return what its columns say; class means are filled on the way."""
    shape = len(source.activations.image_id), layer.units
    remedy = "let extract.layers keep layers of fewer units, or set units.run: false"
    with ExitStack() as stack:
        values = stack.enter_context(columns_on_disk(folder, *shape, remedy=remedy))
        keys = None
        if layer.ranked_by == INPUT:
            keys = stack.enter_context(columns_on_disk(folder, *shape, remedy=remedy))
        ends = _read(source, layer, values, keys, means)
        blocks = zip(values.groups(), keys.groups() if keys else repeat(None), strict=False)
        return ends, joined([spread(*block, params.quantiles, params.bins, ends) for block in blocks])


def _read(
    source: Source, layer: KeptLayer, values: Columns, keys: Columns | None, means: Sequence[ClassMeans]
) -> Ends:
    """Hand each shard's rows on, and return where the layer's function is flat."""
    recogniser, labels = Recogniser(source.activations.precision), source.labels
    for shard in source.activations.shards():
        outputs = shard.read(shards.value(layer.name))
        values.add(outputs)
        if keys is not None:
            inputs = shard.read(shards.input_value(layer.name))
            keys.add(inputs)
            recogniser.add(inputs, outputs)
        activity = shard.means(layer.name) if source.means else outputs
        for one, label in zip(means, (labels.label, labels.shuffled), strict=True):
            one.add(activity, label[shard.image_id])
    return recogniser.ends() if keys is not None else Ends()


def _statistics(source: Source, layer: KeptLayer) -> dict[str, Any]:
    """Add up what the shards have counted: share of zeros, number of outputs, largest pre-activation."""
    if not source.statistics:
        return {"apoz": None, "outputs": None, "largest_before": None}
    zeros, outputs, before = np.zeros(layer.units, np.int64), 0, None
    for shard in source.activations.shards():
        counted = shard.statistics(layer.name)
        zeros += counted.zeros
        outputs += counted.outputs
        if counted.largest_before is not None:
            before = counted.largest_before if before is None else np.maximum(before, counted.largest_before)
    return {"apoz": zeros / outputs, "outputs": outputs, "largest_before": before}


def _states(found: Spread, counted: Mapping[str, Any], params: Params) -> dict[str, Any]:
    images, apoz = int(found.histogram[0].sum()), counted["apoz"]
    rests = resting_units(found.smallest, found.active, images, apoz)
    return {
        "dead": dead_units(found.smallest, found.largest, apoz),
        "nearly_dead": nearly_dead_units(found.active, images, rests, params.nearly_dead),
        "saturated": saturated_units(found.at_top, found.at_bottom, images, params.saturated),
    }


def _selectivity(means: Sequence[ClassMeans], labels: Labels) -> dict[str, Any]:
    """Return nothing where there are no two classes to tell apart, or none of more images than one."""
    if not 1 < len(labels.classes) < labels.labelled:
        return {}
    chosen, by_chance = (one.selectivity() for one in means)
    return {"selectivity": chosen.value, "label": chosen.label, "selectivity_by_chance": by_chance.value}


@dataclass
class Totals:
    """Counts over layers, for the metrics."""

    units: int = 0
    dead: int = 0
    nearly_dead: int = 0
    saturated: int = 0
    apoz: list[NDArray[np.float64]] = field(default_factory=list)
    selectivity: list[NDArray[np.float32]] = field(default_factory=list)

    def counted(self, layers: Iterable[LayerUnits]) -> Iterator[LayerUnits]:
        """Count each layer on its way into the file."""
        for layer in layers:
            self.units += len(layer.dead)
            for name in ("dead", "nearly_dead", "saturated"):
                setattr(self, name, getattr(self, name) + int(getattr(layer, name).sum()))
            # Of pools and sums, zeros say something else.
            if layer.apoz is not None and layer.largest_before is not None:
                self.apoz.append(layer.apoz)
            if layer.selectivity is not None:
                self.selectivity.append(layer.selectivity[np.isfinite(layer.selectivity)])
            yield layer

    def numbers(self) -> dict[str, float]:
        """Return the counts by the names that the metrics have; what is not known is left out."""
        known: dict[str, float] = {
            name: getattr(self, name) for name in ("units", "dead", "nearly_dead", "saturated")
        }
        for name in ("apoz", "selectivity"):
            values = np.concatenate([np.empty(0), *getattr(self, name)])
            if len(values):
                known[name] = float(values.mean())
        return known


STAGE = Stage(
    name="units",
    run=run,
    params=Params,
    block="units",
    inputs={"activations": "artifacts/activations", "manifest": "artifacts/manifest.h5"},
    outputs={"out": "artifacts/units.h5", "metrics": "metrics/units.json"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
