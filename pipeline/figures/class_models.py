"""The section of class models: the image that each class's score likes best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.contents.blocks import Figure, Multiples
from pipeline.contents.values import Evidence, Number
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.canvas import Canvas
from pipeline.figures.drawing.overlays.overlay import scaled
from pipeline.figures.drawing.tiles import framed
from pipeline.formats.class_models import ClassModels
from pipeline.formats.status import Status
from pipeline.store.tables import write_table

SIDE = 224  # pixels, longer side of a picture
# The last share of the steps, in which a climb that has come to its end rises no more.
LAST = 0.2
NOTHING_MOVES = Status("not applicable", "from the zero image nothing moves the score of any of the classes")


def add_class_models(section: SectionDraft, found: ClassModels | Status, outputs: Sequence[str]) -> None:
    """Show the pictures, or say why there are none.

    A class whose score nothing moves from the zero image has none: it would be an even grey.

    Parameters
    ----------
    section
        Of the report.
    found
        From their artifact.
    outputs
        Names of the network's outputs.
    """
    if isinstance(found, Status):
        section.status = found
        return
    moved = np.flatnonzero((found.score != found.score[:, :1]).any(axis=1))
    if not len(moved):
        section.status = NOTHING_MOVES
        return
    weight = found.weight[moved]
    section.numbers |= {
        "classes": len(moved), "recognised": int((found.predicted == found.output)[moved].sum()),
        "steps": found.energy.shape[1] - 1, "chosen": int(found.chosen_weight),
        "last": LAST, "rising": max(rising(found)), "clipped": float(np.median(found.clipped[moved])),
        "least_weight": float(weight.min()), "most_weight": float(weight.max()),
        "unmoved": len(found.output) - len(moved),
    }  # fmt: skip
    figures = tuple(_figure(section, found, place, outputs) for place in moved.tolist())
    section.add(Multiples(id="models", caption="models", figures=figures))


def rising(found: ClassModels) -> list[float]:
    """Return for each class which share of all that its energy rose it rose in the last of the steps."""
    late = found.energy[:, -1 - round(LAST * (found.energy.shape[1] - 1))]
    whole = found.energy[:, -1] - found.energy[:, 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole > 0, (found.energy[:, -1] - late) / whole, 0).tolist()


def _figure(section: SectionDraft, found: ClassModels, place: int, outputs: Sequence[str]) -> Figure:
    pixels = found.picture[place]
    rgb = np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))
    shown = scaled(rgb, SIDE)
    canvas = Canvas(shown.shape[1] + 2, shown.shape[0] + 2)
    canvas.draw(*framed(1, 1, shown))
    output, predicted = int(found.output[place]), int(found.predicted[place])
    name = f"class-{output}"
    course = zip(found.score[place].tolist(), found.energy[place].tolist(), strict=True)
    rows = [(step, *both) for step, both in enumerate(course)]
    write_table(section.folder / f"{name}.csv", ("step", "score", "energy"), rows)
    numbers: dict[str, Number] = {
        "output": outputs[output], "predicted": outputs[predicted], "same": int(output == predicted),
        "probability": float(found.probability[place]), "first": float(found.score[place, 0]),
        "score": float(found.score[place, -1]), "weight": float(found.weight[place]),
    }  # fmt: skip
    return Figure(
        id=name, caption="model", data=f"{name}.csv", **canvas.save(section.folder, name), numbers=numbers,
        evidence=Evidence(n=len(rows) - 1, of="steps"),
    )  # fmt: skip
