"""The section that comes first: the dataset, the network, how well it does, what was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from pipeline.contents import blocks
from pipeline.contents.parts import LayerPart
from pipeline.contents.values import Cell, Column, Evidence, Number
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.canvas import Canvas, Label, Pixels, text_width
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import plot, short
from pipeline.formats.activations import KeptLayer
from pipeline.formats.predictions import Evaluated, SplitCounts
from pipeline.numerics.geometry import BOUND, GLOBAL, ReceptiveField
from pipeline.numerics.intervals import wilson
from pipeline.store.tables import write_table

MOST_CLASSES = 30
NO_LABEL = "no label"
GAP, TEXT = 3, 15  # pixels between tiles, and the size of a name
DECADE = 10
TRAINING = ("epoch", "train_loss", "test_loss", "test_accuracy")


@dataclass(frozen=True)
class Listed:
    """What the manifest says of the images.

    Attributes
    ----------
    label : (N,) int32
        -1 where there is none.
    split : (N,) str
    classes : tuple of str
        Their names in the dataset.
    names : tuple of str
        What people call them.
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
    names: tuple[str, ...]
    width: NDArray[np.int32]
    height: NDArray[np.int32]
    skipped: int
    source: str
    duplicates: int


def add_dataset(section: SectionDraft, listed: Listed) -> None:
    """Add counts of classes and splits, sizes, and how many images were left out."""
    splits = np.unique(listed.split).tolist()
    present = np.unique(listed.label[listed.label >= 0])
    section.numbers |= {
        "dataset": listed.source,
        "images": len(listed.label),
        "classes": len(listed.classes),
        "classes_present": len(present),
        "split": splits[0] if len(splits) == 1 else "",
        "unlabelled": int((listed.label < 0).sum()),
        "skipped": listed.skipped,
        "duplicates": listed.duplicates,
    }
    for name, values in (("width", listed.width), ("height", listed.height)):
        section.numbers |= {f"{name}_min": int(values.min()), f"{name}_max": int(values.max())}
        section.numbers[f"{name}_median"] = float(np.median(values))
    _add_counts(section, listed, splits)


def _add_counts(section: SectionDraft, listed: Listed, splits: Sequence[str]) -> None:
    counts = class_counts(listed, splits)
    # A column for each split where there are several, and the classes' own names where people have others.
    several, named = len(splits) > 1, listed.names != listed.classes
    own = dict(zip(listed.names, listed.classes, strict=True))
    total = np.sum([row for _, row in counts], axis=0).tolist()
    rows = [
        (name, *((own.get(name),) if named else ()), *(row if several else ()), sum(row))
        for name, row in (*_largest(counts), ("all", total))
    ]
    columns = (
        Column(name="class", form="class"),
        *((Column(name="own_name"),) if named else ()),
        *(Column(name=name, form="count") for name in (*(splits if several else ()), "images")),
    )
    evidence = Evidence(n=len(listed.label))
    section.add(
        blocks.Table(
            id="dataset",
            caption="dataset",
            columns=columns,
            rows=tuple(rows),
            evidence=evidence,
            numbers={"listed": min(len(counts), MOST_CLASSES), "counted": len(counts)},
        )
    )


def class_counts(listed: Listed, splits: Sequence[str]) -> list[tuple[str, list[int]]]:
    """Count each class's images by split; the last row is of images without a label, if there are any."""
    names = [*listed.names, NO_LABEL]
    place = np.where(listed.label >= 0, listed.label, len(listed.classes))
    counts = [np.bincount(place[listed.split == split], minlength=len(names)) for split in splits]
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


def add_examples(
    section: SectionDraft, names: Sequence[str | None], tiles: Sequence[NDArray[np.uint8]], classes: int
) -> None:
    """Draw a line of example images for each class; nothing where no image can be shown.

    Parameters
    ----------
    section
        The figure is added to it.
    names
        Of the classes drawn; None for images without a label.
    tiles
        For each an (e, s, s, 4) uint8 array, e may differ.
    classes
        How many classes there are to draw.
    """
    if not tiles:
        return
    side = tiles[0].shape[1]
    alone = "" if len(names) == 1 else NO_LABEL
    titles = [alone if name is None else short(name) for name in names]
    left = 12 + max(text_width(title, TEXT) for title in titles)
    across, fewest = max(map(len, tiles)), min(map(len, tiles))
    canvas = Canvas(left + across * (side + GAP) - GAP, len(names) * (side + GAP) - GAP)
    for row, (title, line) in enumerate(zip(titles, tiles, strict=True)):
        y = row * (side + GAP)
        canvas.draw(Label(left - 12, y + side / 2, title, TEXT, anchor="rm"))
        canvas.draw(*(Pixels(left + i * (side + GAP), y, tile) for i, tile in enumerate(line)))
    without = sum(name is None for name in names)
    numbers = {"across": across, "fewest": fewest, "drawn": len(names) - without, "of": classes}
    section.add(
        blocks.Figure(
            id="examples", caption="examples", **canvas.save(section.folder, "examples"),
            numbers={**numbers, "without": without},
        )
    )  # fmt: skip


def add_network(section: SectionDraft, about: Mapping[str, Any], layers: Sequence[KeptLayer]) -> None:
    """Add the network's layers with their geometry.

    Parameters
    ----------
    section
        The table is added to it.
    about
        ``architecture``, ``weights``, ``outputs``, ``input`` (height, width).
    layers
        In the network's order.
    """
    section.numbers |= {
        "architecture": about["architecture"],
        "weights": about["weights"],
        "outputs": about["outputs"],
        "input_height": about["input"][0],
        "input_width": about["input"][1],
        "layers": len(layers),
        "units": int(sum(layer.units for layer in layers)),
    }
    section.layers += [
        LayerPart(layer=layer.name, units_total=layer.units, geometry=layer.geometry) for layer in layers
    ]
    rows = [_network_row(layer) for layer in layers]
    columns = (
        Column(name="layer"), Column(name="kind"), Column(name="units", form="count"),
        Column(name="map", form="size"), Column(name="receptive field"), Column(name="stride", form="size"),
    )  # fmt: skip
    section.add(blocks.Table(id="network", caption="network", columns=columns, rows=tuple(rows)))


def _network_row(layer: KeptLayer) -> tuple[Cell, ...]:
    field = layer.geometry.receptive_field
    stride = None if field.is_whole else field.stride
    return layer.name, layer.kind, layer.units, layer.geometry.map_size, _field_text(field), stride


def _field_text(field: ReceptiveField) -> str:
    """Return the size of a layer's receptive field as a table has it."""
    if field.is_whole:
        return "whole image" if field.status == GLOBAL else "unknown"
    height, width = field.size
    return f"{'at most ' if field.status == BOUND else ''}{height} × {width}"


def add_accuracy(section: SectionDraft, evaluated: Evaluated) -> None:
    """Add the accuracy of each split; that of the images which count is the section's number.

    Where no image has a label that is an output, add what the network says of them all the same: of how many
    outputs they are, and how sure it is.
    """
    splits, held_out = evaluated.splits, evaluated.held_out
    if not splits.labelled.any():
        section.numbers |= {
            "said_images": len(evaluated.predicted),
            "said_outputs": len(np.unique(evaluated.predicted)),
            "said_sure": float(evaluated.probability.mean(dtype=np.float64)),
        }
        return
    of = splits.name.index(held_out) if held_out else slice(None)
    labelled, right = int(splits.labelled[of].sum()), int(splits.right[of].sum())
    section.numbers |= {"basis": evaluated.basis, "held_out": held_out}
    if labelled:
        low, high = map(float, wilson(right, labelled))
        section.numbers |= {"accuracy": right / labelled, "accuracy_low": low, "accuracy_high": high}
        section.numbers |= {"accuracy_images": labelled}
    _add_splits(section, splits, outputs=len(evaluated.output_name))


def _add_splits(section: SectionDraft, splits: SplitCounts, *, outputs: int) -> None:
    """Add the table; among five outputs or fewer the label is always one of the first five."""
    top5 = outputs > 5
    rows: list[tuple[Cell, ...]] = []
    counts = zip(splits.labelled.tolist(), splits.right.tolist(), splits.right_top5.tolist(), strict=True)
    for name, (labelled, right, right_top5) in zip(splits.name, counts, strict=True):
        if not labelled:
            continue
        low, high = map(float, wilson(right, labelled))
        share = right / labelled
        rows.append((name, labelled, share, (low, high), *((right_top5 / labelled,) if top5 else ())))
    columns = (
        Column(name="split"), Column(name="images", form="count"), Column(name="accuracy", form="share"),
        Column(name="interval", form="interval"), *((Column(name="top5", form="share"),) if top5 else ()),
    )  # fmt: skip
    evidence = Evidence(n=int(splits.labelled.sum()), interval="wilson")
    section.add(
        blocks.Table(
            id="accuracy", caption="accuracy", columns=columns, rows=tuple(rows), evidence=evidence,
        )
    )  # fmt: skip


def add_training(section: SectionDraft, epochs: Sequence[Sequence[float]]) -> None:
    """Draw losses and accuracy by epoch: rows of epoch, train loss, test loss, test accuracy; NaN is none."""
    if not epochs:
        return
    columns = np.array(epochs, np.float64).T
    write_table(
        section.folder / "training.csv", TRAINING, zip(columns[0].astype(int), *columns[1:], strict=True)
    )
    files = plot(section.folder, "training", (6.4, 2.8), lambda f, t: _paint_training(f, t, columns))
    numbers: dict[str, Number] = {"epochs": int(columns[0].max())}
    accuracy = columns[3][np.isfinite(columns[3])]
    if len(accuracy):
        numbers |= {"course_first": accuracy[0], "course_last": accuracy[-1]}
    section.add(
        blocks.Figure(
            id="training", caption="training", numbers=numbers, data="training.csv",
            evidence=_held_out(section.numbers), **files,
        )
    )  # fmt: skip


def _held_out(numbers: Mapping[str, Number]) -> Evidence | None:
    """Return of which images the accuracies of a training are, from the section's numbers."""
    if numbers.get("basis") != "held out" or "accuracy_images" not in numbers:
        return None
    return Evidence.model_validate({"n": numbers["accuracy_images"], "split": numbers["held_out"]})


def _paint_training(figure: Figure, theme: Theme, columns: NDArray[np.float64]) -> None:
    epoch, train, test, accuracy = columns
    left, right = figure.subplots(1, 2)
    for values, colour, name in (
        (train, theme.accent, "training images"),
        (test, theme.contrast, "held-out images"),
    ):
        kept = np.isfinite(values) & (values > 0)
        left.plot(epoch[kept], values[kept], color=colour, linewidth=1.6, label=name)
    known = columns[1:3][np.isfinite(columns[1:3]) & (columns[1:3] > 0)]
    # Within a decade there may be no power of ten, at which alone a logarithmic axis has numbers.
    if len(known) and known.max() >= DECADE * known.min():
        left.set_yscale("log")
        left.yaxis.set_minor_formatter("")
    left.yaxis.set_major_formatter("{x:g}")
    left.set_ylabel("cross-entropy, nats")
    figure.legend(loc="outside lower center", ncols=2)
    kept = np.isfinite(accuracy)
    right.plot(epoch[kept], 100 * accuracy[kept], color=theme.contrast, linewidth=1.6)
    right.set_ylabel("held-out accuracy, %")
    for axes in (left, right):
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.grid(axis="y")
        axes.set_axisbelow(True)
