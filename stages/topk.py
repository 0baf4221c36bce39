"""Rank the images by each unit's largest activation and find the boxes that gave it."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import store
from pipeline.errors import UserError
from pipeline.formats.activations import open_activations
from pipeline.formats.manifest import open_manifest
from pipeline.formats.second_ranking import LayerRanking, read_second_ranking
from pipeline.formats.weights import read_description
from pipeline.images.preprocess import Preprocessing
from pipeline.numerics.geometry import ReceptiveField
from pipeline.params import digest
from pipeline.topk.boxes import image_boxes, input_boxes
from pipeline.topk.ranking import rank
from pipeline.topk.streaming import TopK
from stages.blocks.topk import Params
from stages.command import Stage, execute

log = logging.getLogger(__name__)

GEOMETRY = ("rf_size", "rf_stride", "rf_start", "rf_status", "map_size")
PAIRS = ("size", "stride", "start")


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Rank shard by shard and write `artifacts/topk.h5`.

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
        "activations": store.digest(paths["activations"] / "index.h5"),
        "manifest": store.digest(paths["manifest"]),
        "params": digest(params),
        "weights": description.digest,
    }
    with open_manifest(paths["manifest"]) as manifest:
        sizes = manifest.size()
    with store.write(paths["out"], stage="topk", made_from=made_from, versions=("numpy",)) as file:
        file.set_attributes("", {"layers": activations.layers, "images": images, **params.model_dump()})
        file.set_attributes("", {"input_size": np.array(description.preprocessing.input_size, np.int64)})
        for layer in activations.layers:
            attributes = {name: activations.attributes(layer)[name] for name in GEOMETRY}
            ranked = ranking[layer]
            if isinstance(ranked, LayerRanking):
                attributes["overlap"] = ranked.overlap(params.k)
            _write_layer(file, layer, ranked, attributes)
            boxes = _boxes(ranked, attributes, sizes, description.preprocessing)
            file.put(f"{layer}/box", boxes)


def _rank(activations: Path, ranks: int) -> Mapping[str, TopK | LayerRanking]:
    """Return the second ranking, in float32, of activations in half precision; else that of all maxima."""
    second = read_second_ranking(activations)
    if second is None:
        return rank(activations, ranks)
    return {layer: ranked.first(ranks) for layer, ranked in second.layers.items()}


def _write_layer(
    file: store.Writer, layer: str, ranking: TopK | LayerRanking, attributes: Mapping[str, Any]
) -> None:
    if attributes["rf_status"] == "unknown":
        log.warning("%s: receptive field unknown, its boxes are the whole network input", layer)
    file.set_attributes(layer, attributes)
    file.put(f"{layer}/value", ranking.value)
    file.put(f"{layer}/image_id", ranking.image_id)
    file.put(f"{layer}/position", ranking.position)
    file.put(f"{layer}/count_active", ranking.count_active)


def _boxes(
    ranking: TopK | LayerRanking,
    attributes: Mapping[str, Any],
    sizes: tuple[np.ndarray, np.ndarray],
    preprocessing: Preprocessing,
) -> np.ndarray:
    """(U, k, 4) float32, x0, y0, x1, y1 in pixels of the original images, unclipped."""
    size, stride, start = ((int(y), int(x)) for y, x in (attributes[f"rf_{name}"] for name in PAIRS))
    field = ReceptiveField(size, stride, start, attributes["rf_status"])
    boxes = input_boxes(ranking.position, field, preprocessing.input_size)
    width, height = (size[ranking.image_id] for size in sizes)
    return image_boxes(boxes, width, height, preprocessing)


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
    outputs={"out": "artifacts/topk.h5"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
