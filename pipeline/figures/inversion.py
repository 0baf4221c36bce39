"""The section of inversion: images from their codes, layer by layer, and how far those codes are off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.analyses.inversion.weights import PAPER, PAPER_SIXTH, at_depth
from pipeline.contents import blocks
from pipeline.contents.parts import ImagePart, LayerPart
from pipeline.contents.values import Cell, Column, Evidence, Fact, Number
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.canvas import Canvas, Edge, Label, Pixels, cut_bold
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import ending, plot
from pipeline.figures.drawing.unit_grid import fit
from pipeline.formats.inversion import InversionFile, InvertedLayer
from pipeline.formats.probes import Pictured
from pipeline.formats.status import Status
from pipeline.store.tables import write_table

SIDE, GAP = 128, 8  # pixels: of a picture, and between two
NAME, NOTE = 14, 13  # pixels, sizes of text
LINE = 18  # pixels, height of a line of text
ACROSS = 3  # pictures in a line of an image's own figure, so that they can be seen on a phone
WIDTH, HEIGHT = 3.6, 2.9  # inches
DATA = ("layer", "relative_error", "of_other_images", "pixel_error", "class_kept", "probability")
COLUMNS = (
    Column(name="layer", form="layer"), Column(name="values", form="count"),
    Column(name="error", form="number"), Column(name="least", form="number"),
    Column(name="most", form="number"),
    Column(name="between", form="number"), Column(name="pixels", form="number"),
    Column(name="kept", form="proportion"), Column(name="smoothness", form="number"),
)  # fmt: skip

UInt8 = NDArray[np.uint8]


def add_inversion(
    section: SectionDraft,
    found: InversionFile | Status,
    probes: Mapping[int, Pictured],
    *,
    shown: int,
) -> None:
    """Draw the reconstructions and their errors, or say why there are none.

    Parameters
    ----------
    section
        Of the report.
    found
        From its artifact.
    probes
        With their pictures, by image.
    shown
        Probes in the chapter's picture; each has its reconstructions on its own page.
    """
    if isinstance(found, Status):
        section.status = found
        return
    layers = {name: found.layer(name) for name in found.about.layers}
    drawn = [
        [probes[one].pixels, *_images(found, place)] for place, one in enumerate(found.image_id.tolist())
    ]
    section.numbers |= _told(found, layers) | {"shown": min(shown, len(drawn))}
    evidence = Evidence(n=len(drawn))
    section.add(_rows(section, drawn[:shown], layers), _course(section, layers, evidence))
    section.add(_table(layers, found.predicted, evidence))
    for place, image_id in enumerate(found.image_id.tolist()):
        figure = _own(section, image_id, place, drawn[place], layers, found.predicted)
        section.images.append(ImagePart(image_id=image_id, path=probes[image_id].path, blocks=(figure,)))
    section.layers += [
        LayerPart(layer=name, facts=_facts(layer, found.predicted)) for name, layer in layers.items()
    ]


def _images(found: InversionFile, place: int) -> list[UInt8]:
    return [found.image(name, place) for name in found.about.layers]


def _told(found: InversionFile, layers: Mapping[str, InvertedLayer]) -> dict[str, Number]:
    """Return what the section's words say; what is not known is left out."""
    about, runs = found.about, len(found.image_id) * found.about.restarts * len(layers)
    told: dict[str, Number] = {
        "probes": len(found.image_id), "layers": len(layers), "steps": about.steps,
        "restarts": about.restarts, "runs": runs,
        "diverged": sum(layer.diverged for layer in layers.values()),
        "slowed": sum(int((layer.rate < 1).sum()) for layer in layers.values()),
        "silent": sum(int(np.isnan(layer.error).sum()) for layer in layers.values()),
        "smooth": int(any(layer.total_variation > 0 for layer in layers.values())),
        "near": int(about.sixth_norm > 0), "as_published": int(_is_published(found, layers)),
    }  # fmt: skip
    kept = [(layer.predicted == found.predicted).sum() for layer in layers.values()]
    told |= {"kept": int(sum(kept)), "images": len(found.image_id) * len(layers)}
    medians = {name: median(layer.error) for name, layer in layers.items()}
    known = {name: value for name, value in medians.items() if value is not None}
    if len(known) > 1:
        least, most = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
        told |= {
            "least_layer": least, "least": known[least], "most_layer": most, "most": known[most],
            "rises": int(_ascends(list(known.values()))), "falls": int(_ascends([*known.values()][::-1])),
        }  # fmt: skip
    between = {name: median(layers[name].between) for name in known}
    lost = [name for name, value in between.items() if value is not None and known[name] >= value]
    told |= {"lost": len(lost), "lost_layers": ", ".join(lost)}
    first, last = next(iter(layers)), list(layers)[-1]
    told |= {"first": first, "last": last}
    for place, name in (("first", first), ("last", last)):
        for kind, values in (("pixels", layers[name].pixel_error), ("between", layers[name].between)):
            value = median(values)
            told |= {} if value is None else {f"{place}_{kind}": value}
    return told


def _is_published(found: InversionFile, layers: Mapping[str, InvertedLayer]) -> bool:
    """Tell whether the weights of all penalties are those of the paper."""
    smooth = all(layer.total_variation == at_depth(PAPER, layer.depth) for layer in layers.values())
    return smooth and found.about.sixth_norm == PAPER_SIXTH


def median(values: NDArray[np.float32]) -> float | None:
    """Return the median of what is a number; None where nothing is."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else None


def _ascends(values: Sequence[float]) -> bool:
    return all(one < next_ for one, next_ in zip(values, values[1:], strict=False))


def _rows(
    section: SectionDraft, drawn: Sequence[Sequence[UInt8]], layers: Mapping[str, InvertedLayer]
) -> blocks.Figure:
    """Draw a line an image: itself, and what came of its code in each layer."""
    columns, top = len(layers) + 1, LINE + 4
    canvas = Canvas(columns * (SIDE + GAP) + 2 - GAP, top + len(drawn) * (SIDE + GAP) + 2 - GAP)
    for column, name in enumerate(["image", *layers]):
        x = 1 + column * (SIDE + GAP)
        canvas.draw(Label(x + SIDE / 2, 1, cut_bold(name, NAME, SIDE), NAME, bold=True, anchor="ma"))
        for row, pictures in enumerate(drawn):
            _lay(canvas, pictures[column], x, 1 + top + row * (SIDE + GAP))
    rows = [
        (name, layer.error[row].item(), layer.pixel_error[row].item())
        for name, layer in layers.items()
        for row in range(len(drawn))
    ]
    write_table(section.folder / "rows.csv", ("layer", "relative_error", "pixel_error"), _known(rows))
    return _saved(section, canvas, "rows", {}, Evidence(n=len(drawn)))


def _own(
    section: SectionDraft,
    image_id: int,
    place: int,
    pictures: Sequence[UInt8],
    layers: Mapping[str, InvertedLayer],
    predicted: NDArray[np.int32],
) -> blocks.Figure:
    """Draw an image and its reconstructions, with the error of each, for its own page."""
    step = SIDE + 2 * LINE + 2 * GAP
    lines = -(-len(pictures) // ACROSS)
    canvas = Canvas(ACROSS * (SIDE + GAP) + 2 - GAP, lines * step + 2 - GAP)
    notes = [("image", ""), *((name, _note(layer, place, predicted)) for name, layer in layers.items())]
    for number, (picture, (name, note)) in enumerate(zip(pictures, notes, strict=True)):
        x, y = 1 + number % ACROSS * (SIDE + GAP), 1 + number // ACROSS * step
        _lay(canvas, picture, x, y)
        middle = x + SIDE / 2
        canvas.draw(Label(middle, y + SIDE + 3, cut_bold(name, NAME, SIDE), NAME, bold=True, anchor="ma"))
        canvas.draw(Label(middle, y + SIDE + 4 + LINE, note, NOTE, anchor="ma"))
    name = f"inverted-{image_id}"
    rows = [
        (layer, one.error[place].item(), one.between[place].item(), one.pixel_error[place].item(),
         int(one.predicted[place] == predicted[place]), one.probability[place].item())
        for layer, one in layers.items()
    ]  # fmt: skip
    write_table(section.folder / f"{name}.csv", DATA, _known(rows))
    kept = sum(int(one.predicted[place] == predicted[place]) for one in layers.values())
    return _saved(section, canvas, name, {"kept": kept}, Evidence(n=len(layers), of="layers"))


def _note(layer: InvertedLayer, place: int, predicted: NDArray[np.int32]) -> str:
    error = layer.error[place]
    kept = "same class" if layer.predicted[place] == predicted[place] else "other class"
    return "no code" if np.isnan(error) else f"{error:.2f}, {kept}"


def _known(rows: Sequence[tuple[Cell, ...]]) -> list[tuple[Cell, ...]]:
    return [tuple(None if value != value else value for value in row) for row in rows]


def _lay(canvas: Canvas, picture: UInt8, x: int, y: int) -> None:
    """Lay a picture into the middle of its square."""
    shown = fit(picture, (SIDE, SIDE))
    height, width = shown.shape[:2]
    x, y = x + (SIDE - width) // 2, y + (SIDE - height) // 2
    canvas.draw(Pixels(x, y, shown), Edge(x, y, width, height))


def _saved(
    section: SectionDraft, canvas: Canvas, name: str, numbers: Mapping[str, Number], evidence: Evidence
) -> blocks.Figure:
    caption = "rows" if name == "rows" else "own"
    return blocks.Figure(
        id=name, caption=caption, data=f"{name}.csv", numbers=numbers, evidence=evidence,
        **canvas.save(section.folder, name),
    )  # fmt: skip


def _course(section: SectionDraft, layers: Mapping[str, InvertedLayer], evidence: Evidence) -> blocks.Figure:
    """Draw each probe's error against depth, and the medians."""
    rows = [
        (name, layer.depth, place, error, layer.between[place].item())
        for name, layer in layers.items()
        for place, error in enumerate(layer.error.tolist())
    ]
    header = ("layer", "depth", "probe", "relative_error", "of_other_images")
    write_table(section.folder / "course.csv", header, _known(rows))

    def paint(figure: Figure, theme: Theme) -> None:
        axes, places = figure.add_subplot(), np.arange(len(layers))
        for kind, colour, label in (
            ("error", theme.accent, "inverted"),
            ("between", theme.contrast, "others"),
        ):
            values = [getattr(layer, kind) for layer in layers.values()]
            for place, column in enumerate(values):
                axes.plot([place] * len(column), column, ".", color=colour, alpha=0.5, markersize=5)
            middle = [np.nan if (value := median(column)) is None else value for column in values]
            axes.plot(places, middle, "-o", color=colour, linewidth=1.3, markersize=4, label=label)
        axes.set_xticks(places, [ending(name, 16) for name in layers], rotation=30, ha="right")
        axes.set_ylim(bottom=0)
        axes.set_ylabel("distance of the code, relative")
        axes.grid(axis="y")
        axes.set_axisbelow(True)
        figure.legend(loc="outside lower center", ncols=2, fontsize=8)

    files = plot(section.folder, "course", (max(WIDTH, 0.6 * len(layers)), HEIGHT), paint)
    return blocks.Figure(id="course", caption="course", data="course.csv", evidence=evidence, **files)


def _table(
    layers: Mapping[str, InvertedLayer], predicted: NDArray[np.int32], evidence: Evidence
) -> blocks.Table:
    rows = []
    for name, layer in layers.items():
        known = layer.error[~np.isnan(layer.error)]
        ends = (float(known.min()), float(known.max())) if len(known) else (None, None)
        kept = (int((layer.predicted == predicted).sum()), len(predicted))
        rows.append(
            (name, layer.values, median(layer.error), *ends, median(layer.between),
             median(layer.pixel_error), kept, layer.total_variation)
        )  # fmt: skip
    return blocks.Table(id="layers", caption="layers", columns=COLUMNS, rows=tuple(rows), evidence=evidence)


def _facts(layer: InvertedLayer, predicted: NDArray[np.int32]) -> tuple[Fact, ...]:
    """Return the error of a layer, and how often the class survived."""
    error, evidence = median(layer.error), Evidence(n=len(predicted))
    kept = (int((layer.predicted == predicted).sum()), len(predicted))
    facts = [Fact(name="kept", value=kept, form="proportion", evidence=evidence)]
    return (Fact(name="error", value=error, evidence=evidence), *facts) if error is not None else tuple(facts)
