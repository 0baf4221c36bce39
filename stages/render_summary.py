"""Draw the summary: dataset, network, accuracy, confusion, calibration, training, what was left out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import store
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
from pipeline.formats.weights import read_description
from pipeline.store.tables import read_table
from stages.blocks.render_summary import Params
from stages.command import Stage, execute

RELIABILITY = ("confidence", "accuracy", "count", "low", "high")
COUNTS = ("images", "labelled", "right", "right_top5")


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write artifacts/figures/summary/."""
    activations = open_activations(paths["activations"])
    listed = _read_listed(paths["manifest"], paths["activations"])
    with new_chapter(paths["out"]) as chapter:
        section = chapter.section("summary")
        add_dataset(section, listed)
        _add_examples(section, params, listed, paths["thumbnails"])
        _add_network(section, activations, paths["weights"])
        with store.read(paths["predictions"]) as file:
            held_out, names = file.attributes()["held_out"], tuple(file.strings("output_name"))
            add_accuracy(section, _splits(file), held_out, len(names))
            add_evaluation(section, _evaluation(file, held_out, names))
        add_training(section, _read_training(paths["course"]))


def _read_listed(path: Path, activations: Path) -> Listed:
    """Read the manifest, and how many further images could not be read on their way to the network."""
    with store.read(activations / "index.h5") as index:
        failed = index.shape("skipped/image_id")[0]
    with store.read(path) as manifest:
        attributes = manifest.attributes()
        return Listed(
            label=manifest.get("label"),
            split=np.array(manifest.strings("split"), dtype=np.str_),
            classes=tuple(manifest.strings("class_names")),
            width=manifest.get("width"),
            height=manifest.get("height"),
            skipped=manifest.shape("skipped/path")[0] + failed,
            source=str(attributes["dataset"]),
            duplicates=int(attributes["duplicates"]),
        )


def _add_examples(section: SectionDraft, params: Params, listed: Listed, path: Path) -> None:
    with store.read(path) as file:
        image_id = file.get("image_id")
        content = np.stack((file.get("width"), file.get("height")), axis=1)
        usable = np.flatnonzero(content.any(axis=1))
        label = listed.label[image_id]
        names, tiles = [], []
        for index in np.unique(label[usable])[: params.example_classes].tolist():
            rows = spread(usable[label[usable] == index], params.examples)
            pixels = [file.get("thumbnail", slice(row, row + 1))[0] for row in rows]
            size = [(int(content[row, 0]), int(content[row, 1])) for row in rows]
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
    layers = [activations.attributes(name) | {"name": name} for name in activations.layers]
    add_network(section, about, layers)


def _splits(file: store.Reader) -> list[dict[str, Any]]:
    columns = {name: file.get(f"split/{name}").tolist() for name in COUNTS}
    names = file.strings("split/name")
    return [{"name": name, **{key: columns[key][row] for key in COUNTS}} for row, name in enumerate(names)]


def _evaluation(file: store.Reader, held_out: str, names: tuple[str, ...]) -> Evaluation:
    confusion = file.get("confusion")
    reliability = {name: file.get(f"reliability/{name}") for name in RELIABILITY}
    return Evaluation(names, confusion, reliability, held_out)


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
