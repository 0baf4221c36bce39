"""Rank the images by each unit's largest activation and find the boxes that gave it."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pipeline import store
from pipeline.errors import UserError
from pipeline.formats.activations import FILE as INDEX
from pipeline.formats.activations import Activations, KeptLayer, open_activations
from pipeline.formats.manifest import open_manifest
from pipeline.formats.second_ranking import LayerRanking, SecondRanking, read_second_ranking
from pipeline.formats.topk import About, RankedLayer, write_topk
from pipeline.formats.weights import read_description
from pipeline.images.preprocess import Preprocessing
from pipeline.numerics.geometry import UNKNOWN
from pipeline.params import digest
from pipeline.store.metrics import write_metrics
from pipeline.topk.counting import Totals
from pipeline.topk.duplicates import output_ranks
from pipeline.topk.first_ranks import layer_ranking
from pipeline.topk.ranked_images import RankedImages
from pipeline.topk.ranking import rank
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
    second = read_second_ranking(paths["activations"])
    ranking = _rank(paths["activations"], second, min(params.k + params.margin, images))
    description = read_description(paths["weights"])
    made_from = {
        "activations": store.digest(paths["activations"] / INDEX),
        "manifest": store.digest(paths["manifest"]),
        "params": digest(params),
        "weights": description.digest,
    }
    seen = _seen(activations, paths["manifest"], description.preprocessing)
    again = () if second is None else (second.images, len(second.sample))
    about = About(tuple(activations.layers), images, params.k, params.margin, seen.input_size, *again)
    layers = (
        _compared(_layer(ranking[layer], activations.layer(layer), seen), second, layer, params.k)
        for layer in activations.layers
    )
    totals = Totals(params.k)
    write_topk(paths["out"], about, _counted(layers, totals), made_from=made_from)
    write_metrics(paths["metrics"], {"images": images, **totals.numbers()})


def _counted(layers: Iterable[RankedLayer], totals: Totals) -> Iterator[RankedLayer]:
    """Count each layer on its way into the file."""
    for layer in layers:
        totals.add(layer)
        yield layer


def _rank(activations: Path, second: SecondRanking | None, ranks: int) -> Mapping[str, LayerRanking]:
    """Return the second ranking, in float32, of activations in half precision; else that of all maxima."""
    if second is None:
        ranking = rank(activations, ranks)
        return {layer: layer_ranking(found, found) for layer, found in ranking.items()}
    return {layer: ranked.first(ranks) for layer, ranked in second.layers.items()}


def _compared(ranked: RankedLayer, second: SecondRanking | None, layer: str, k: int) -> RankedLayer:
    """Say how far the first k of a layer's units differ from those in half precision, and what they lack."""
    if second is None:
        return ranked
    return replace(ranked, overlap=second.layers[layer].overlap(k), lost=second.lost(layer, k))


def _seen(activations: Activations, manifest: Path, preprocessing: Preprocessing) -> RankedImages:
    with open_manifest(manifest) as listed:
        width, height = listed.size()
    return RankedImages(activations.image_id, activations.input_digests(), width, height, preprocessing)


def _layer(ranking: LayerRanking, layer: KeptLayer, seen: RankedImages) -> RankedLayer:
    field = layer.geometry.receptive_field
    if field.status == UNKNOWN:
        log.warning("%s: receptive field unknown, its boxes are the whole network input", layer.name)
    return RankedLayer(
        layer.geometry, ranking.value, ranking.image_id, ranking.position,
        seen.boxes(ranking.image_id, ranking.position, field), ranking.count_active,
        ranking.count_at_maximum, seen.repeats(ranking.image_id), ranking.input,
        None if ranking.input is None else output_ranks(ranking.value),
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
