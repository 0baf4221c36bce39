"""The section that comes first: the dataset, the network, how well it does, what was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.figures.drawing.canvas import Canvas, Label, Pixels, text_width
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import figure_entry, plot, short
from pipeline.figures.evaluation import interval, percent
from pipeline.figures.section import Section
from pipeline.numerics.intervals import wilson
from pipeline.store.tables import write_table

MOST_CLASSES = 30
GAP, TEXT = 3, 15  # pixels between tiles, and the size of a name
TRAINING = ("epoch", "train_loss", "test_loss", "test_accuracy")


@dataclass(frozen=True)
class Dataset:
    """What the manifest says.

    Attributes
    ----------
    label : (N,) int32
        -1 where there is none.
    split : (N,) str
    classes : tuple of str
    width, height : (N,) int32
        Pixels.
    skipped : int
        Files that were left out; the report lists them under Provenance.
    source : str
        The folder or file it was read from.
    duplicates : int
        Images whose bytes another image has too.
    """

    label: NDArray[np.int32]
    split: NDArray[np.str_]
    classes: tuple[str, ...]
    width: NDArray[np.int32]
    height: NDArray[np.int32]
    skipped: int
    source: str
    duplicates: int


def add_dataset(section: Section, dataset: Dataset) -> None:
    """Add counts of classes and splits, sizes, and how many images were left out."""
    splits = np.unique(dataset.split).tolist()
    section.numbers |= {
        "dataset": dataset.source,
        "images": len(dataset.label),
        "classes": len(dataset.classes),
        "splits": len(splits),
        "unlabelled": int((dataset.label < 0).sum()),
        "skipped": dataset.skipped,
        "duplicates": dataset.duplicates,
    }
    for name, values in (("width", dataset.width), ("height", dataset.height)):
        section.numbers |= {f"{name}_min": int(values.min()), f"{name}_max": int(values.max())}
        section.numbers[f"{name}_median"] = float(np.median(values))
    _add_counts(section, dataset, splits)


def _add_counts(section: Section, dataset: Dataset, splits: Sequence[str]) -> None:
    counts = class_counts(dataset, splits)
    rows = [(name, *row, sum(row)) for name, row in _largest(counts)]
    total = np.sum([row for _, row in counts], axis=0).tolist()
    width, height = (sizes(values) for values in (dataset.width, dataset.height))
    caption = (
        f"{dataset.source}: {width} wide, {height} high. Equal to another image byte for byte: "
        f"{dataset.duplicates:,}. Files that were left out: {dataset.skipped:,}."
    )
    columns = ("class", *splits, "images")
    section.add_table("dataset", "The dataset", columns, [*rows, ("all", *total, sum(total))], caption)


def class_counts(dataset: Dataset, splits: Sequence[str]) -> list[tuple[str, list[int]]]:
    """Count each class's images by split; the last row is of images without a label, if there are any."""
    names = [*dataset.classes, "no label"]
    place = np.where(dataset.label >= 0, dataset.label, len(dataset.classes))
    counts = [np.bincount(place[dataset.split == split], minlength=len(names)) for split in splits]
    table = np.stack(counts, axis=1)
    last = len(names) if table[-1].any() else len(names) - 1
    return list(zip(names[:last], table[:last].tolist(), strict=True))


def _largest(counts: list[tuple[str, list[int]]]) -> list[tuple[str, list[int]]]:
    """Keep the largest classes and add up the others, where there are too many for a table."""
    if len(counts) <= MOST_CLASSES:
        return counts
    counts = sorted(counts, key=lambda row: -sum(row[1]))
    rest = np.sum([row for _, row in counts[MOST_CLASSES:]], axis=0).tolist()
    return [*counts[:MOST_CLASSES], (f"{len(counts) - MOST_CLASSES} further classes", rest)]


def sizes(values: NDArray[np.int32]) -> str:
    """Return the range of lengths in words."""
    low, middle, high = int(values.min()), float(np.median(values)), int(values.max())
    return f"{low:,} px" if low == high else f"{low:,} to {high:,} px (median {middle:,.0f})"


def add_examples(section: Section, names: Sequence[str], tiles: Sequence[NDArray[np.uint8]]) -> None:
    """Draw a line of example images for each class.

    Parameters
    ----------
    section
        The figure is added to it.
    names
        Of the C classes drawn.
    tiles
        For each an (e, s, s, 4) uint8 array, e may differ.
    """
    side = tiles[0].shape[1]
    left = 12 + max(text_width(short(name), TEXT) for name in names)
    across = max(len(line) for line in tiles)
    canvas = Canvas(left + across * (side + GAP) - GAP, len(names) * (side + GAP) - GAP)
    for row, (name, line) in enumerate(zip(names, tiles, strict=True)):
        y = row * (side + GAP)
        canvas.draw(Label(left - 12, y + side / 2, short(name), TEXT, anchor="rm"))
        canvas.draw(*(Pixels(left + i * (side + GAP), y, tile) for i, tile in enumerate(line)))
    canvas.save_png(section.folder / "examples.png")
    canvas.save_svg(section.folder / "examples.svg")
    files: dict[str, Any] = {"image": "examples.png", "dark_image": None, "vector": "examples.svg"}
    files["data"] = None
    files |= {"width": canvas.width, "height": canvas.height}
    caption = f"{across} images of each class, spread evenly over its files in the order of their names."
    alt = "Lines of small example images, one line a class."
    section.figures.append(figure_entry(section, "examples", "Examples", alt, caption, files))


def add_network(section: Section, about: Mapping[str, Any], layers: Sequence[Mapping[str, Any]]) -> None:
    """Add the network's layers with their geometry.

    Parameters
    ----------
    section
        The table is added to it.
    about
        ``architecture``, ``weights``, ``outputs``, ``input`` (height, width).
    layers
        Attributes of each, with ``name``, in the network's order.
    """
    section.numbers |= {
        "architecture": about["architecture"],
        "weights": about["weights"],
        "outputs": about["outputs"],
        "input_height": about["input"][0],
        "input_width": about["input"][1],
        "layers": len(layers),
        "units": int(sum(layer["units"] for layer in layers)),
    }
    rows = [
        (layer["name"], layer["kind"], layer["units"], times(layer["map_size"]), *field(layer))
        for layer in layers
    ]
    columns = ("layer", "kind", "units", "map", "receptive field", "stride")
    caption = (
        f"{about['architecture']}, weights: {about['weights']}. Sizes are height × width; receptive field "
        f"and stride are in pixels of the network's input ({times(about['input'])})."
    )
    section.add_table("network", "The network's layers", columns, rows, caption)


def field(layer: Mapping[str, Any]) -> tuple[str, str]:
    """Return a layer's receptive field and stride in words."""
    status = layer["rf_status"]
    if status == "unknown":
        return "unknown", "unknown"
    if status == "global":
        return "whole image", ""
    return ("at most " if status == "bound" else "") + times(layer["rf_size"]), times(layer["rf_stride"])


def times(pair: Sequence[int]) -> str:
    """Return a pair of lengths as height × width."""
    return f"{int(pair[0])} × {int(pair[1])}"


def add_accuracy(section: Section, splits: Sequence[Mapping[str, Any]], held_out: str, outputs: int) -> None:
    """Add the accuracy of each split; the held-out one's is the section's number.

    Parameters
    ----------
    section
        The table is added to it.
    splits
        ``name``, ``images``, ``labelled``, ``right``, ``right_top5`` of each.
    held_out
        The split whose images were not trained on; empty where there is none.
    outputs
        K of the network; top-5 accuracy is shown above five.
    """
    known = [split for split in splits if split["labelled"]]
    if not known:
        return
    rows = []
    for split in known:
        low, high = wilson(split["right"], split["labelled"])
        share = split["right"] / split["labelled"]
        top5 = percent(split["right_top5"] / split["labelled"]) if outputs > 5 else None
        rows.append(
            (split["name"], split["labelled"], percent(share), interval(float(low), float(high)), top5)
        )
        if split["name"] == held_out:
            section.numbers |= {"accuracy": share, "accuracy_low": float(low), "accuracy_high": float(high)}
            section.numbers |= {"accuracy_images": split["labelled"], "held_out": held_out}
    columns = ("split", "images", "accuracy, %", "95 % interval (Wilson)", "top-5 accuracy, %")
    caption = (
        f"Only '{held_out}' was held out: its accuracy is the network's. That of the others is of images "
        "that may have been trained on."
        if held_out
        else "No split was held out: these images may have been trained on."
    )
    section.add_table("accuracy", "Accuracy", columns, rows, caption)


def add_training(section: Section, epochs: Sequence[Sequence[float]]) -> None:
    """Draw losses and accuracy by epoch: rows of epoch, train loss, test loss, test accuracy; NaN is none."""
    if not epochs:
        return
    columns = np.array(epochs, np.float64).T
    write_table(
        section.folder / "training.csv", TRAINING, zip(columns[0].astype(int), *columns[1:], strict=True)
    )
    files = plot(section.folder, "training", (7.5, 3.2), lambda f, t: _paint_training(f, t, columns))
    files |= {"data": "training.csv"}
    caption = f"Cross-entropy and held-out accuracy after each of {int(columns[0].max())} epochs."
    alt = "Two curves of falling loss, and one of rising accuracy."
    section.figures.append(figure_entry(section, "training", "Training", alt, caption, files))


def _paint_training(figure: Figure, theme: Theme, columns: NDArray[np.float64]) -> None:
    epoch, train, test, accuracy = columns
    left, right = figure.subplots(1, 2)
    for values, colour, name in (
        (train, theme.accent, "training images"),
        (test, theme.contrast, "held-out images"),
    ):
        kept = np.isfinite(values) & (values > 0)
        left.plot(epoch[kept], values[kept], color=colour, linewidth=1.6, label=name)
    left.set_yscale("log")
    left.yaxis.set_major_formatter("{x:g}")
    left.yaxis.set_minor_formatter("")
    left.set_ylabel("cross-entropy, nats")
    left.legend(loc="upper right")
    kept = np.isfinite(accuracy)
    right.plot(epoch[kept], 100 * accuracy[kept], color=theme.contrast, linewidth=1.6)
    right.set_ylabel("held-out accuracy, %")
    for axes in (left, right):
        axes.set_xlabel("epoch")
        axes.grid(axis="y")
        axes.set_axisbelow(True)
