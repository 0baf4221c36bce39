"""The nearest images side by side, by codes, pixels and colours, and how often their labels agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.contents import blocks
from pipeline.contents.parts import ImagePart
from pipeline.contents.values import Evidence, Fact, Number
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.canvas import Canvas, Edge, Label, Pixels, said_of
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import plot
from pipeline.figures.drawing.scales import up_to
from pipeline.figures.map_neighbours import SHOWN as SHOWN_OF_MAP
from pipeline.formats.neighbours import CODES, SPACES, Neighbours, Space
from pipeline.formats.status import Status
from pipeline.store.tables import write_table

SHOWN = 5
TILE, GAP, TEXT = 58, 4, 11  # pixels
SIZE = (3.5, 1.7)  # inches
SAME, OTHER = "✓", "✗"
AGREEMENT, NEAREST = "agreement.csv", "nearest.csv"


@dataclass(frozen=True)
class Described:
    """What is known of the images that are shown.

    Attributes
    ----------
    tile
        Image id to its picture, (TILE, TILE, 4) uint8, transparent beside it.
    path
        Image id to its path.
    label, predicted
        Image id to a class's name; None where there is none.
    judged
        Image id to whether it is known if the network is right.
    """

    tile: Mapping[int, NDArray[np.uint8]]
    path: Mapping[int, str]
    label: Mapping[int, str | None]
    predicted: Mapping[int, str | None]
    judged: Mapping[int, bool]


def add_neighbours(
    section: SectionDraft, found: Neighbours | Status, known: Described | None, *, on_map: bool = False
) -> None:
    """Show the probes' neighbours, and how often labels agree; or say why there are none.

    Parameters
    ----------
    section
        What it is added to.
    found
        From neighbours.h5.
    known
        Of all images in it; tiles of the probes and of those that are shown beside them.
        None where there are no neighbours.
    on_map
        Whether the points of the map name the nearest of its images.
    """
    if isinstance(found, Status):
        section.status = found
        return
    assert known is not None
    section.numbers |= asdict(found.about) | {
        "probes": len(found.probe), "sample": len(found.sample), "shown": min(SHOWN, found.about.k),
        "sampled": int(found.about.sampled), "lists": len(found.image_id),
        "hub_chance": found.about.k / (found.about.images - 1),
        # Of equal codes those that come first in the dataset are listed.
        "tied": int((found.spaces[CODES].distance.max(axis=1) == 0).sum()),
    }  # fmt: skip
    section.numbers |= {f"{name}_hub": space.hub for name, space in found.spaces.items()}
    if on_map:
        images, k = found.on_map.neighbour.shape
        section.numbers |= {"near_images": images, "near": min(SHOWN_OF_MAP, k)}
        section.image_near = "nearest"
    _add_agreement(section, found, known)
    if len(found.probe):
        _write_nearest(section, found, known)
        figures = {int(probe): _draw(section, found, known, int(probe)) for probe in found.probe}
        section.add(blocks.Multiples(id="probes", caption="probes", figures=tuple(figures.values())))
        section.images += _parts(found, known, figures)


def shown_images(found: Neighbours) -> NDArray[np.int64]:
    """Return the probes and what is shown beside them, ascending, each once."""
    rows = np.searchsorted(found.image_id, found.probe)
    near = [space.neighbour[rows, :SHOWN].ravel() for space in found.spaces.values()]
    return np.unique(np.concatenate([found.probe, *near]))


def _add_agreement(section: SectionDraft, found: Neighbours, known: Described) -> None:
    summaries = {name: space.summary for name, space in found.spaces.items() if space.summary}
    if not summaries:
        section.add(blocks.Notice(caption="no-agreement"))
        return
    chance = float(np.nanmean(found.chance))
    section.numbers["chance"] = chance
    for name, one in summaries.items():
        section.numbers |= {
            name: one.agreement,
            f"{name}_interval": (one.agreement_low, one.agreement_high),
        }
        if name != CODES:
            section.numbers |= {
                f"{name}_lead": one.lead,
                f"{name}_lead_interval": (one.lead_low, one.lead_high),
            }
    values = {name: (one.agreement, one.agreement_low, one.agreement_high) for name, one in summaries.items()}
    files = plot(
        section.folder, "agreement", SIZE, lambda figure, theme: _paint(figure, theme, values, chance)
    )
    columns = ("image_id", "path", "label", *summaries, "chance")
    ids = found.sample.tolist()
    write_table(
        section.folder / AGREEMENT, columns,
        zip(
            ids, (known.path[one] for one in ids), (known.label[one] for one in ids),
            *(found.spaces[name].agreement.tolist() for name in summaries), found.chance.tolist(),
            strict=True,
        ),
    )  # fmt: skip
    evidence = Evidence(n=len(found.sample), split=found.about.split, interval="bootstrap")
    section.add(
        blocks.Figure(id="agreement", caption="agreement", data=AGREEMENT, evidence=evidence, **files)
    )


def _paint(
    figure: Figure, theme: Theme, values: Mapping[str, tuple[float, float, float]], chance: float
) -> None:
    axes = figure.add_subplot()
    end = up_to([100 * chance, *(100 * high for _, _, high in values.values())]) / 100
    for place, (mean, low, high) in enumerate(values.values()):
        axes.plot([low, high], [place, place], color=theme.accent, linewidth=2)
        axes.plot(mean, place, "o", color=theme.accent, markersize=6)
        left = mean > 0.75 * end
        axes.annotate(
            f"{100 * mean:.1f} %", (low if left else high, place), xytext=(-7 if left else 7, 0),
            textcoords="offset points", ha="right" if left else "left", va="center",
        )  # fmt: skip
    axes.axvline(chance, color=theme.soft, linestyle="--", linewidth=1)
    axes.annotate(
        "chance", (chance, 1), xytext=(3, 2), textcoords="offset points", xycoords=("data", "axes fraction"),
        color=theme.soft, ha="left" if chance < 0.5 * end else "right",
    )  # fmt: skip
    axes.set_yticks(range(len(values)), [f"by {name}" for name in values])
    axes.set_ylim(len(values) - 0.5, -0.5)
    axes.set_xlim(0, end)
    axes.set_xticks([0, end / 2, end], ["0", f"{50 * end:g} %", f"{100 * end:g} %"])
    axes.set_xlabel("neighbours with the image’s label")


def _draw(section: SectionDraft, found: Neighbours, known: Described, probe: int) -> blocks.Figure:
    """Draw a probe, and beside it a row of neighbours for each space."""
    shown, row = min(SHOWN, found.about.k), int(np.searchsorted(found.image_id, probe))
    step, head = TILE + 2 * TEXT + 4 * GAP, TILE + 3 * GAP
    canvas = Canvas(SHOWN * (TILE + GAP), head + len(SPACES) * step)
    _put(canvas, known, probe, (1, 1), "")
    for line, text in enumerate(said(known, probe, canvas.width - TILE - 2 * GAP)):
        canvas.draw(Label(TILE + 2 * GAP, 2 * GAP + line * 2 * TEXT, text, TEXT + 1, bold=not line))
    for place, (name, space) in enumerate(found.spaces.items()):
        top = head + place * step
        canvas.draw(Label(1, top, f"nearest by {name}", TEXT, bold=True))
        for rank in range(shown):
            near = int(space.neighbour[row, rank])
            where = (1 + rank * (TILE + GAP), top + TEXT + GAP)
            label = known.label[near]
            mark = _mark(known.label[probe], label) if space.summary else ""
            _put(canvas, known, near, where, said_of(mark, label or "", TEXT, TILE))
    name = f"probe-{probe}"
    label, predicted = known.label[probe], known.predicted[probe]
    numbers: dict[str, Number] = {
        "path": known.path[probe], "label": label or "", "predicted": predicted or "",
        "right": int(known.judged[probe] and label == predicted),
    }  # fmt: skip
    return blocks.Figure(
        id=name,
        caption="probe",
        numbers=numbers,
        data=NEAREST,
        evidence=Evidence(n=shown, of="neighbours"),
        **canvas.save(section.folder, name),
    )


def said(known: Described, probe: int, width: int) -> tuple[str, str]:
    """Return a probe's label and what it is taken for, each a line of so many pixels."""
    label, predicted = known.label[probe], known.predicted[probe]
    of_it = f" {SAME if label == predicted else OTHER}" if known.judged[probe] else ""
    return (
        said_of("label ", label or "–", TEXT + 1, width, bold=True),
        said_of("taken for ", predicted or "–", TEXT + 1, width, after=of_it),
    )


def _put(canvas: Canvas, known: Described, image_id: int, where: tuple[int, int], text: str) -> None:
    x, y = where
    tile = known.tile[image_id]
    canvas.draw(Pixels(x, y, tile), Edge(x, y, tile.shape[1], tile.shape[0]))
    if text:
        canvas.draw(Label(x, y + len(tile) + GAP, text, TEXT))


def _mark(label: str | None, other: str | None) -> str:
    """Return the mark before a neighbour's label, whether it is the probe's."""
    if label is None or other is None:
        return ""
    return f"{SAME if label == other else OTHER} "


def _write_nearest(section: SectionDraft, found: Neighbours, known: Described) -> None:
    columns = (
        "image_id", "path", "label", "by", "rank", "neighbour", "neighbour_path", "neighbour_label",
        "distance",
    )  # fmt: skip
    write_table(section.folder / NEAREST, columns, _rows(found, known))


def _rows(found: Neighbours, known: Described) -> Iterator[tuple[object, ...]]:
    for probe in found.probe.tolist():
        row = int(np.searchsorted(found.image_id, probe))
        for name, space in found.spaces.items():
            pairs = zip(space.neighbour[row].tolist(), space.distance[row].tolist(), strict=True)
            for rank, (near, distance) in enumerate(pairs):
                yield (
                    probe, known.path[probe], known.label[probe], name, rank, near, known.path[near],
                    known.label[near], distance,
                )  # fmt: skip


def _parts(found: Neighbours, known: Described, figures: Mapping[int, blocks.Figure]) -> Iterator[ImagePart]:
    """Yield what is said of each image: of a probe its figure, of another the nearest by codes and pixels."""
    for row, image_id in enumerate(found.image_id.tolist()):
        drawn = figures.get(image_id)
        # On the page of an image the same figure stands once more, and anchors are given once.
        own = (drawn.model_copy(update={"id": f"image-{image_id}"}),) if drawn else ()
        facts = () if drawn else tuple(_nearest(found.spaces, known, row))
        yield ImagePart(image_id=image_id, path=known.path[image_id], facts=facts, blocks=own)


def _nearest(spaces: Mapping[str, Space], known: Described, row: int) -> Iterator[Fact]:
    for name, space in spaces.items():
        yield Fact(name=f"nearest_{name}", value=known.path[int(space.neighbour[row, 0])], form="image")
