"""Rank the images by each unit's largest activation and find the boxes that gave it."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from pipeline import store
from pipeline.errors import UserError
from pipeline.formats.activations import FILE as INDEX
from pipeline.formats.activations import KeptLayer, open_activations
from pipeline.formats.manifest import open_manifest
from pipeline.formats.second_ranking import LayerRanking, read_second_ranking
from pipeline.formats.topk import About, RankedLayer, write_topk
from pipeline.formats.weights import read_description
from pipeline.images.preprocess import Preprocessing
from pipeline.numerics.geometry import UNKNOWN
from pipeline.params import digest
from pipeline.store.metrics import write_metrics
from pipeline.topk.boxes import image_boxes, input_boxes
from pipeline.topk.counting import Totals
from pipeline.topk.ranking import rank
from pipeline.topk.streaming import TopK
from stages.blocks.topk import Params
from stages.command import Stage, execute

log = logging.getLogger(__name__)


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Rank shard by shard and write `artifacts/topk.h5` and `metrics/topk.json`.

    Raises
    ------
    UserError
        If k is larger than the number of images, or an activation is NaN.
    """
    activations = open_activations(paths["activations"])
    images = len(activations.image_id)
    if params.k > images:
        raise UserError(f"topk.k is {params.k}, but there are {images} images; set it to {images} or less")
    ranking = _rank(paths["activations"], min(params.k + params.margin, images))
    description = read_description(paths["weights"])
    made_from = {
        "activations": store.digest(paths["activations"] / INDEX),
        "manifest": store.digest(paths["manifest"]),
        "params": digest(params),
        "weights": description.digest,
    }
    with open_manifest(paths["manifest"]) as manifest:
        sizes = manifest.size()
    preprocessing = description.preprocessing
    about = About(tuple(activations.layers), images, params.k, params.margin, preprocessing.input_size)
    layers = (
        _layer(ranking[layer], activations.layer(layer), params.k, sizes, preprocessing)
        for layer in activations.layers
    )
    totals = Totals(params.k)
    write_topk(paths["out"], about, _counted(layers, totals), made_from=made_from)
    write_metrics(paths["metrics"], {"images": images, **totals.numbers()})


def _counted(layers: Iterable[RankedLayer], totals: Totals) -> Iterator[RankedLayer]:
    """Count each layer on its way into the file."""
    for layer in layers:
        totals.add(layer.value, layer.image_id, layer.count_active, layer.overlap)
        yield layer


def _rank(activations: Path, ranks: int) -> Mapping[str, TopK | LayerRanking]:
    """Return the second ranking, in float32, of activations in half precision; else that of all maxima."""
    second = read_second_ranking(activations)
    if second is None:
        return rank(activations, ranks)
    return {layer: ranked.first(ranks) for layer, ranked in second.layers.items()}


def _layer(
    ranking: TopK | LayerRanking,
    layer: KeptLayer,
    k: int,
    sizes: tuple[np.ndarray, np.ndarray],
    preprocessing: Preprocessing,
) -> RankedLayer:
    field = layer.geometry.receptive_field
    if field.status == UNKNOWN:
        log.warning("%s: receptive field unknown, its boxes are the whole network input", layer.name)
    boxes = input_boxes(ranking.position, field, preprocessing.input_size)
    width, height = (size[ranking.image_id] for size in sizes)
    return RankedLayer(
        layer.geometry, ranking.value, ranking.image_id, ranking.position,
        image_boxes(boxes, width, height, preprocessing), ranking.count_active,
        overlap=ranking.overlap(k) if isinstance(ranking, LayerRanking) else None,
    )  # fmt: skip


STAGE = Stage(
    name="topk",
    run=run,
    params=Params,
    block="topk",
    inputs={
        "activations": "artifacts/activations",
        "manifest": "artifacts/manifest.h5",
        "weights": "artifacts/weights",
    },
    outputs={"out": "artifacts/topk.h5", "metrics": "metrics/topk.json"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
