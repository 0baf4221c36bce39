"""Draw the summary: dataset, network, accuracy, confusion, calibration, training, what was left out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.contents.writing import SectionDraft, new_chapter
from pipeline.figures.drawing.mosaic import scale
from pipeline.figures.evaluation import Evaluation, add_evaluation
from pipeline.figures.summary import (
    TRAINING,
    Listed,
    add_accuracy,
    add_dataset,
    add_examples,
    add_network,
    add_training,
)
from pipeline.formats.activations import Activations, open_activations
from pipeline.formats.manifest import open_manifest
from pipeline.formats.predictions import read_predictions
from pipeline.formats.thumbnails import open_thumbnails
from pipeline.formats.weights import read_description
from pipeline.store.tables import read_table
from stages.blocks.render_summary import Params
from stages.command import Stage, execute


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write artifacts/figures/summary/."""
    activations = open_activations(paths["activations"])
    listed = _read_listed(paths["manifest"], len(activations.skipped()))
    with new_chapter(paths["out"]) as chapter:
        section = chapter.section("summary")
        add_dataset(section, listed)
        _add_examples(section, params, listed, paths["thumbnails"])
        _add_network(section, activations, paths["weights"])
        evaluated = read_predictions(paths["predictions"])
        add_accuracy(section, evaluated.splits, evaluated.held_out, len(evaluated.output_name))
        counted = evaluated.confusion, evaluated.calibration, evaluated.held_out
        add_evaluation(section, Evaluation(evaluated.output_name, *counted))
        add_training(section, _read_training(paths["course"]))


def _read_listed(path: Path, failed: int) -> Listed:
    """Read the manifest; `failed` further images could not be read on their way to the network."""
    with open_manifest(path) as manifest:
        width, height = manifest.size()
        return Listed(
            label=manifest.label(),
            split=np.array(manifest.split(), dtype=np.str_),
            classes=manifest.class_names,
            width=width,
            height=height,
            skipped=len(manifest.skipped()) + failed,
            source=manifest.dataset,
            duplicates=manifest.duplicates,
        )


def _add_examples(section: SectionDraft, params: Params, listed: Listed, path: Path) -> None:
    with open_thumbnails(path) as file:
        usable = np.flatnonzero(file.size.any(axis=1))
        label = listed.label[file.image_id]
        names, tiles = [], []
        for index in np.unique(label[usable])[: params.example_classes].tolist():
            rows = spread(usable[label[usable] == index], params.examples)
            pixels = [file.pixels(slice(row, row + 1))[0] for row in rows]
            size = [(int(width), int(height)) for width, height in file.size[rows]]
            tiles.append(np.stack([scale(*one, params.tile) for one in zip(pixels, size, strict=True)]))
            names.append(listed.classes[index] if index >= 0 else "")
    add_examples(section, names, tiles)


def spread(rows: NDArray[np.integer], count: int) -> list[int]:
    """Return at most `count` of the rows, evenly spread: (n,) -> list."""
    places = np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int)
    return rows[places].tolist()


def _add_network(section: SectionDraft, activations: Activations, weights: Path) -> None:
    description = read_description(weights)
    about = {
        "architecture": description.architecture,
        "weights": description.weights,
        "outputs": len(description.classes),
        "input": description.preprocessing.input_size,
    }
    add_network(section, about, [activations.layer(name) for name in activations.layers])


def _read_training(path: Path) -> Sequence[tuple[float, ...]]:
    """Read the training's curve; empty where the network was not trained here."""
    if not path.exists():
        return []
    return [tuple(float(cell) if cell else math.nan for cell in row) for row in read_table(path, TRAINING)]


STAGE = Stage(
    name="render-summary",
    run=run,
    params=Params,
    block="render_summary",
    inputs={
        "activations": "artifacts/activations",
        "manifest": "artifacts/manifest.h5",
        "predictions": "artifacts/predictions.h5",
        "thumbnails": "artifacts/thumbnails.h5",
        "course": "plots/weights_training.csv",
        "weights": "artifacts/weights",
    },
    outputs={"out": "artifacts/figures/summary"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
