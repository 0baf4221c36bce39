"""The section of the probes: which they are, and on the page of each what the network sees of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.contents.blocks import Figure, Table
from pipeline.contents.parts import ImagePart
from pipeline.contents.values import Column, Evidence, Fact
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.canvas import Canvas, Edge, Pixels
from pipeline.figures.drawing.unit_grid import fit
from pipeline.formats.probes import Pictured, Probes
from pipeline.formats.status import Status

SIDE = 320  # pixels, most of a picture: it fits a phone
COLUMNS = (
    Column(name="image", form="image"), Column(name="label", form="class"),
    Column(name="predicted", form="class"), Column(name="probability", form="share"), Column(name="verdict"),
)  # fmt: skip
OF_LABELS = ("label", "verdict")


def add_probes(
    section: SectionDraft,
    probes: Probes | Status,
    pictures: Mapping[int, Pictured],
    outputs: Sequence[str],
) -> None:
    """Say which images the probes are, or why there are none.

    Parameters
    ----------
    section
        Of the report.
    probes
        From their artifact.
    pictures
        By image.
    outputs
        Names of the network's outputs.
    """
    if isinstance(probes, Status):
        section.status = probes
        return
    labelled = probes.label >= 0
    section.numbers |= {
        "probes": len(probes), "named": int(probes.named.sum()), "right": int(probes.right.sum()),
        "wrong": int(probes.wrong.sum()), "unlabelled": int((~labelled).sum()), "split": probes.held_out,
    }  # fmt: skip
    # Of images without labels these would be empty.
    kept = [place for place, column in enumerate(COLUMNS) if labelled.any() or column.name not in OF_LABELS]
    rows = []
    for place, image_id in enumerate(probes.image_id.tolist()):
        label = outputs[probes.label[place]] if labelled[place] else None
        predicted, probability = outputs[probes.predicted[place]], float(probes.probability[place])
        verdict = _verdict(probes, place)
        cells = (probes.path[place], label, predicted, probability, verdict)
        rows.append(tuple(cells[place] for place in kept))
        values = (label, predicted, probability, verdict)
        facts = tuple(
            Fact(name=column.name, value=value, form=column.form)
            for column, value in zip(COLUMNS[1:], values, strict=True)
            if value is not None
        )
        figure = _picture(section, image_id, pictures[image_id].pixels)
        part = ImagePart(image_id=image_id, path=probes.path[place], facts=facts, blocks=(figure,))
        section.images.append(part)
    evidence = Evidence(n=len(probes), split=probes.held_out if not probes.named.any() else "")
    columns = tuple(COLUMNS[place] for place in kept)
    section.add(Table(id="list", caption="list", columns=columns, rows=tuple(rows), evidence=evidence))


def _verdict(probes: Probes, place: int) -> str | None:
    if probes.label[place] < 0:
        return None
    return "right" if probes.right[place] else "wrong"


def _picture(section: SectionDraft, image_id: int, pixels: NDArray[np.uint8]) -> Figure:
    shown = fit(pixels, (SIDE, SIDE))
    height, width = shown.shape[:2]
    canvas = Canvas(width + 2, height + 2)
    canvas.draw(Pixels(1, 1, shown), Edge(1, 1, width, height))
    name = f"picture-{image_id}"
    numbers = {"height": pixels.shape[0], "width": pixels.shape[1]}
    return Figure(id=name, caption="picture", numbers=numbers, **canvas.save(section.folder, name))
