"""Lay the images out on a map by their codes, and on a grid, and measure what the map keeps."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from pipeline import store
from pipeline.analyses.embedding.components import reduce_codes
from pipeline.analyses.embedding.embedding import Map, embed, measure
from pipeline.analyses.embedding.grid import Grid, assign_grid, nearest_unused
from pipeline.analyses.embedding.map_quality import NEIGHBOURS, class_neighbours
from pipeline.analyses.embedding.structure import why_no_structure, why_too_few
from pipeline.formats.activations import FILE as INDEX
from pipeline.formats.activations import Activations, open_activations
from pipeline.formats.embedding import VERSION, Embedding, write_embedding
from pipeline.formats.manifest import open_manifest
from pipeline.formats.status import Status, write_status
from pipeline.numerics.pca import Components
from pipeline.params import digest
from pipeline.store.metrics import write_metrics
from stages.blocks.embedding import Params
from stages.command import Stage, execute

log = logging.getLogger(__name__)

# To fill the grid by the nearest unused image takes 6 s for so many, and its time grows with their square.
COMPARED = 100_000


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write artifacts/embedding.h5 and metrics/embedding.json; without a map, why there is none."""
    activations = open_activations(paths["activations"])
    # BLAS and OpenMP take every core unless told; their number of threads changes the last bits.
    with threadpool_limits(params.n_jobs):
        reason = why_too_few(len(activations.image_id))
        if not reason:
            components, points = reduce_codes(paths["activations"], params.components, params.metric)
            reason = why_no_structure(points, _length(components), activations.precision)
        if reason:
            _write_none(reason, params, paths, len(activations.image_id))
        else:
            _write_map(components, points, params, paths, activations)


def _length(components: Components) -> float:
    """Return the root mean square length of the codes."""
    return float(np.sqrt((components.mean**2).sum() + components.total_variance))


def _write_none(reason: str, params: Params, paths: Mapping[str, Path], images: int) -> None:
    log.warning("no map: %s", reason)
    status, made_from = Status("not applicable", reason), _made_from(params, paths)
    write_status(paths["out"], status, stage="embedding", version=VERSION, made_from=made_from)
    write_metrics(paths["metrics"], {"images": images})


def _write_map(
    components: Components,
    points: NDArray[np.float32],
    params: Params,
    paths: Mapping[str, Path],
    activations: Activations,
) -> None:
    with open_manifest(paths["manifest"]) as manifest:
        label = manifest.label()[activations.image_id].astype(np.int32)
    made = _embed(points, params)
    quality = measure(points, made, label, size=params.quality_sample, seed=params.seed)
    grid = assign_grid(made.xy, params.grid_block)
    numbers = _numbers(params, components, made, grid)
    numbers |= {name: value for name, value in quality.items() if value is not None}
    if len(points) <= COMPARED:
        numbers["unused_displacement_cells"] = nearest_unused(made.xy) * _cells(grid)
    if quality["knc"] is not None:
        numbers["class_neighbours"] = class_neighbours(len(np.unique(label[label >= 0])))
    embedding = Embedding(
        activations.image_id, made.xy, grid.cell, label, made.landmark, (grid.columns, grid.rows),
        params.metric, numbers,
    )  # fmt: skip
    write_embedding(paths["out"], embedding, made_from=_made_from(params, paths))
    write_metrics(paths["metrics"], numbers)


def _embed(points: NDArray[np.float32], params: Params) -> Map:
    perplexity = params.perplexity if isinstance(params.perplexity, tuple) else (params.perplexity,)
    made = embed(
        points, perplexity=perplexity, exaggeration=params.exaggeration, iterations=params.iterations,
        landmarks=params.landmarks, seed=params.seed, n_jobs=params.n_jobs,
    )  # fmt: skip
    if made.effective_perplexity != tuple(sorted(perplexity)):
        used = ", ".join(f"{value:g}" for value in made.effective_perplexity)
        log.warning("perplexity %s is too large for %d images; used %s", params.perplexity, len(points), used)
    return made


def _made_from(params: Params, paths: Mapping[str, Path]) -> dict[str, str]:
    return {
        "manifest": store.digest(paths["manifest"]),
        "activations": store.digest(paths["activations"] / INDEX),
        "params": digest(params),
    }


def _numbers(params: Params, components: Components, made: Map, grid: Grid) -> dict[str, float | int]:
    """Return what the metrics and the file's attributes say besides the quality."""
    several = len(made.effective_perplexity) > 1
    numbers = {
        "images": len(made.xy),
        "landmarks": len(made.landmark),
        "components": len(components.axes),
        "explained_variance": components.explained,
        "kl": made.kl,
        "neighbours": min(NEIGHBOURS, len(made.xy) - 1),
        "neighbour_images": min(params.quality_sample, len(made.xy)),
        "grid_displacement": grid.displacement,
        "grid_displacement_cells": grid.displacement * _cells(grid),
        "grid_blocks": grid.blocks,
    } | {
        f"effective_perplexity_{index}" if several else "effective_perplexity": value
        for index, value in enumerate(made.effective_perplexity, 1)
    }
    # Of plain t-SNE there is nothing to say.
    return numbers if params.exaggeration == 1 else numbers | {"exaggeration": params.exaggeration}


def _cells(grid: Grid) -> float:
    """Return the side of the map in cells."""
    return float(np.sqrt(grid.columns * grid.rows))


STAGE = Stage(
    name="embedding",
    run=run,
    params=Params,
    block="embedding",
    inputs={"activations": "artifacts/activations", "manifest": "artifacts/manifest.h5"},
    outputs={"out": "artifacts/embedding.h5", "metrics": "metrics/embedding.json"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
