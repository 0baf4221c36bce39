"""Adversarial images beside what they were made of, and images that were made from nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.contents import blocks
from pipeline.contents.parts import ImagePart
from pipeline.contents.values import Evidence, Fact, Number
from pipeline.contents.writing import SectionDraft
from pipeline.dataset.isolation import isolated
from pipeline.figures.drawing.canvas import Canvas, Drawn, Edge, Label, Pixels, said_of
from pipeline.figures.drawing.plotting import short
from pipeline.formats.fooling import METHODS, NEVER, Fooling, PixelProbe
from pipeline.formats.probes import Pictured
from pipeline.store.tables import write_table

SIDE, GAP, TEXT = 128, 6, 12  # pixels
LETTERS, NAME = 15, 72  # letters of a name above pictures, and pixels of one under a picture
GREY = 127
PHONE, NEARLY = 340, 420  # pixels across
COLUMNS = 3  # pictures in a line of those made from nothing
WORDS = {"fgsm": "FGSM", "pgd": "PGD"}
ASCENDED = ("output", "began_as", "steps", "predicted", "confidence")

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Names:
    """What outputs of the network are called, and classes of the manifest."""

    output: Sequence[str]
    of_class: Sequence[str]


@dataclass(frozen=True)
class Row:
    """What was done to a probe: its words, what came of it, what is said of that, and of it as it was."""

    title: str
    picture: Picture
    said: str
    fooled: bool
    before: str = ""


def add_probes(section: SectionDraft, found: Fooling, probes: Mapping[int, Pictured], names: Names) -> None:
    """Draw each probe, what was added to it, and the result, a row an attack."""
    right = found.shown.predicted == found.shown.output
    for place, image_id in enumerate(found.shown.image_id.tolist()):
        rows = list(_rows(found, place, names))
        figures = (_probe(section, found, place, names, rows),) if rows else ()
        distance = int(found.fooled["pgd"].level[place])
        known = right[place] and distance != NEVER
        facts = (Fact(name="distance", value=distance, form="count"),) if known else ()
        section.images.append(
            ImagePart(image_id=image_id, path=probes[image_id].path, facts=facts, blocks=figures)
        )
    section.numbers["probes_wrong"] = int((~right).sum())
    section.add(blocks.Images(id="probes", caption="probes", images=tuple(found.shown.image_id.tolist())))


def _rows(found: Fooling, place: int, names: Names) -> Iterator[Row]:
    """Yield what was tried on a probe; what only makes the network wrong, where it is not so already."""
    outputs, shown = names.output, found.shown
    output, largest = int(shown.output[place]), int(found.sample.level[-1])
    before = said(outputs[shown.predicted[place]], float(shown.confidence[place]))
    for method in METHODS if shown.predicted[place] == output else ():
        one = found.fooled[method]
        level, predicted = int(one.level[place]), int(one.predicted[place])
        title = f"{WORDS[method]}, ε = {largest if level == NEVER else level}"
        after = said(outputs[predicted], float(one.confidence[place]))
        yield Row(title, one.picture[place], after, predicted != output, before)
    minimal = found.minimal
    if minimal is not None and place < len(minimal.target):
        target, predicted = int(minimal.target[place]), int(minimal.predicted[place])
        after = said(outputs[predicted], float(minimal.confidence[place]))
        title = f"smallest change to {isolated(short(outputs[target], LETTERS))}"
        yield Row(title, minimal.picture[place], after, predicted == target, before)
    if found.pixels is not None:
        yield _by_pixels(found.pixels, place, largest, names)


def _by_pixels(pixels: PixelProbe, place: int, largest: int, names: Names) -> Row:
    level = int(pixels.shown_level[place])
    target = short(names.of_class[pixels.classes[pixels.shown_target[place]]], LETTERS)
    title = f"linear classifier of pixels, ε = {largest if level == NEVER else level}"
    return Row(title, pixels.shown[place], target, level != NEVER)


def said(name: str, confidence: float) -> str:
    """Name a class and how sure the network is of it; what is not all is not rounded to it."""
    sure = "> 99.9" if 0.9995 <= confidence < 1 else f"{100 * confidence:.1f}"
    return said_of("", name, TEXT, NAME) + f" {sure} %"


def _probe(
    section: SectionDraft, found: Fooling, place: int, names: Names, rows: Sequence[Row]
) -> blocks.Figure:
    outputs, shown = names.output, found.shown
    picture, image_id = shown.picture[place], int(shown.image_id[place])
    side = enlarged(picture).shape[0]
    width = enlarged(picture).shape[1] + GAP
    step = side + 2 * TEXT + 5 * GAP
    canvas = Canvas(3 * max(width, 118), len(rows) * step)
    table = []
    for line, row in enumerate(rows):
        top, factor = line * step, amplification(picture, row.picture)
        canvas.draw(Label(1, top, row.title, TEXT, bold=True))
        amplified = _amplified(picture, row.picture, factor)
        texts = (row.before, f"change × {factor}", row.said if row.fooled else f"not: {row.said}")
        for column, (pixels, text) in enumerate(zip((picture, amplified, row.picture), texts, strict=True)):
            _put(canvas, column * max(width, 118) + 1, top + TEXT + GAP, enlarged(pixels), text)
        change = row.picture.astype(int) - picture
        table.append((row.title, row.said, int(row.fooled), int(np.abs(change).max()), factor))
    name = f"fooled-{image_id}"
    write_table(
        section.folder / f"{name}.csv", ("attack", "says", "fooled", "largest_change", "amplified"), table
    )
    numbers: dict[str, Number] = {
        "output": outputs[shown.output[place]], "predicted": outputs[shown.predicted[place]],
        "right": int(shown.output[place] == shown.predicted[place]),
        "fooled": sum(row.fooled for row in rows), "tried": len(rows),
    }  # fmt: skip
    return blocks.Figure(
        id=name, caption="fooled", data=f"{name}.csv", numbers=numbers,
        **save_for_phones(canvas, section.folder, name),
    )  # fmt: skip


def save_for_phones(canvas: Canvas, folder: Path, name: str) -> Drawn:
    """Save a drawing; what is a little too wide for a phone is made to fit on the page."""
    factor = min(1.0, PHONE / canvas.width) if canvas.width <= NEARLY else 1.0
    found = canvas.save(folder, name)
    found["width"], found["height"] = round(factor * canvas.width), round(factor * canvas.height)
    return found


def _put(canvas: Canvas, x: int, y: int, pixels: Picture, text: str) -> None:
    height, width = pixels.shape[:2]
    canvas.draw(Pixels(x, y, pixels), Edge(x, y, width, height))
    canvas.draw(Label(x, y + height + GAP, text, TEXT))


def enlarged(picture: Picture) -> Picture:
    """Return a picture (H, W, 1 or 3) in three colours, each pixel repeated until it is large enough."""
    times = max(1, SIDE // min(picture.shape[:2]))
    return np.broadcast_to(picture, (*picture.shape[:2], 3)).repeat(times, 0).repeat(times, 1)


def amplification(picture: Picture, changed: Picture) -> int:
    """Return the largest whole factor by which the change still fits the range around grey; 1 at least."""
    largest = int(np.abs(changed.astype(int) - picture).max())
    return max(1, GREY // largest) if largest else 1


def _amplified(picture: Picture, changed: Picture, factor: int) -> Picture:
    return np.clip(GREY + factor * (changed.astype(int) - picture), 0, 255).astype(np.uint8)


def add_ascended(section: SectionDraft, found: Fooling, outputs: Sequence[str]) -> None:
    """Draw the images that were made from noise and from grey, as two figures."""
    made = found.ascended
    rows = [
        (outputs[target], "grey" if flat else "noise", steps, outputs[predicted], sure)
        for target, flat, steps, predicted, sure in zip(
            made.target.tolist(), made.flat.tolist(), made.steps.tolist(), made.predicted.tolist(),
            made.confidence.tolist(), strict=True,
        )
    ]  # fmt: skip
    write_table(section.folder / "ascended.csv", ASCENDED, rows)
    figures = []
    for flat, began in enumerate(("noise", "grey")):
        places = np.flatnonzero(made.flat == flat)
        sure = made.confidence[places]
        answers = [(outputs[made.target[place]], float(made.confidence[place])) for place in places]
        below = [f"{steps} step{'s' * (steps != 1)}" for steps in made.steps[places].tolist()]
        canvas = sheet(made.picture[places], answers, below)
        name = f"from-{began}"
        numbers: dict[str, Number] = {
            "began": began, "made": len(places), "reached": int((sure >= found.about.confidence).sum()),
            "median_steps": float(np.median(made.steps[places])),
        }  # fmt: skip
        figures.append(
            blocks.Figure(
                id=name, caption="from-noise", data="ascended.csv", numbers=numbers,
                evidence=Evidence(n=len(places)), **save_for_phones(canvas, section.folder, name),
            )
        )  # fmt: skip
    section.add(blocks.Multiples(id="ascended", caption="ascended", wide=True, figures=tuple(figures)))


def sheet(pictures: Picture, answers: Sequence[tuple[str, float]], below: Sequence[str]) -> Canvas:
    """Draw pictures (n, H, W, C), each with a name, how sure the network is of it, and a line below."""
    columns = min(COLUMNS, len(pictures))
    height, width = enlarged(pictures[0]).shape[:2]
    across, down = max(width + GAP, 118), height + 2 * TEXT + 4 * GAP
    canvas = Canvas(columns * across, -(-len(pictures) // columns) * down)
    for number, (picture, words, line) in enumerate(zip(pictures, answers, below, strict=True)):
        x, y = number % columns * across + 1, number // columns * down + 1
        _put(canvas, x, y, enlarged(picture), said(*words))
        canvas.draw(Label(x, y + height + TEXT + 2 * GAP, line, TEXT))
    return canvas
