"""Draw the summary: dataset, network, accuracy, confusion, calibration, training, what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pipeline.contents.writing import SectionDraft, new_chapter
from pipeline.figures.drawing.mosaic import scale
from pipeline.figures.evaluation import Evaluation, add_evaluation
from pipeline.figures.summary import (
    Listed,
    add_accuracy,
    add_dataset,
    add_examples,
    add_network,
    add_training,
)
from pipeline.formats.activations import Activations, open_activations
from pipeline.formats.class_names import read_class_names
from pipeline.formats.manifest import open_manifest
from pipeline.formats.predictions import Evaluated, read_predictions
from pipeline.formats.thumbnails import open_thumbnails
from pipeline.formats.weights import read_course, read_description
from pipeline.numerics.spreading import evenly_spread
from stages.blocks.render_summary import Params
from stages.command import Stage, execute


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write artifacts/figures/summary/."""
    activations = open_activations(paths["activations"])
    evaluated, names = read_predictions(paths["predictions"]), read_class_names(paths["names"])
    listed = _read_listed(paths["manifest"], names.of_class, evaluated, len(activations.skipped()))
    with new_chapter(paths["out"]) as chapter:
        section = chapter.section("summary")
        add_dataset(section, listed)
        _add_examples(section, params, listed, paths["thumbnails"])
        _add_network(section, activations, paths["weights"])
        section.numbers |= _without_output(listed, evaluated)
        add_accuracy(section, evaluated)
        counted = evaluated.confusion, evaluated.calibration, evaluated.held_out
        add_evaluation(section, Evaluation(names.of_output, *counted))
        add_training(section, read_course(paths["course"]))


def _without_output(listed: Listed, evaluated: Evaluated) -> dict[str, int]:
    """Count classes that no output stands for, and their images: they are in no accuracy."""
    lost = np.flatnonzero(evaluated.class_output < 0)
    return {"classes_lost": len(lost), "images_lost": int(np.isin(listed.label, lost).sum())}


def _read_listed(path: Path, names: tuple[str, ...], evaluated: Evaluated, failed: int) -> Listed:
    """Read the manifest; `failed` further images could not be read on their way to the network."""
    with open_manifest(path) as manifest:
        width, height = manifest.size()
        drawn = evaluated.basis == "unknown" and manifest.splits_drawn > 0
        return Listed(
            label=manifest.label(),
            # Splits that were drawn for a training which there was not are none.
            split=np.full(len(manifest), "") if drawn else np.array(manifest.split(), dtype=np.str_),
            classes=manifest.class_names,
            names=names,
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
        names: list[str | None] = []
        tiles = []
        present = np.unique(label[usable])
        classes, without = present[present >= 0], present[present < 0]
        for index in (*classes[: params.example_classes].tolist(), *without.tolist()):
            rows = evenly_spread(usable[label[usable] == index].tolist(), params.examples)
            pixels = [file.pixels(slice(row, row + 1))[0] for row in rows]
            size = [(int(width), int(height)) for width, height in file.size[rows]]
            tiles.append(np.stack([scale(*one, params.tile) for one in zip(pixels, size, strict=True)]))
            names.append(listed.names[index] if index >= 0 else None)
    add_examples(section, names, tiles, len(classes))


def _add_network(section: SectionDraft, activations: Activations, weights: Path) -> None:
    description = read_description(weights)
    about = {
        "architecture": description.architecture,
        "weights": description.weights,
        "outputs": len(description.classes),
        "input": description.preprocessing.input_size,
    }
    add_network(section, about, [activations.layer(name) for name in activations.layers])


STAGE = Stage(
    name="render-summary",
    run=run,
    params=Params,
    block="render_summary",
    inputs={
        "activations": "artifacts/activations",
        "manifest": "artifacts/manifest.h5",
        "predictions": "artifacts/predictions.h5",
        "names": "artifacts/class_names.h5",
        "thumbnails": "artifacts/thumbnails.h5",
        "course": "plots/weights_training",
        "weights": "artifacts/weights",
    },
    outputs={"out": "artifacts/figures/summary"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
