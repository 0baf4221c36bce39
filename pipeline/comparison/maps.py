"""Whether two maps of the images show the same."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.comparison.alignment import Aligned, align, neighbours_kept
from pipeline.comparison.pairing import Pairs
from pipeline.comparison.runs import Run
from pipeline.contents import blocks
from pipeline.contents.values import Evidence
from pipeline.contents.writing import SectionDraft
from pipeline.errors import UserError
from pipeline.figures.drawing.palette import LOOKS, Theme, colour
from pipeline.figures.drawing.plotting import clean, plot
from pipeline.formats.embedding import Embedding, read_embedding
from pipeline.formats.status import Status

EMBEDDING = "artifacts/embedding.h5"
# A picture of more points shows no more.
MOST_DRAWN = 10_000


def add_maps(section: SectionDraft, first: Run, second: Run, pairs: Pairs, *, seed: int) -> None:
    """Lay one map upon the other.

    Raises
    ------
    UserError
        If either run has no map, with the reason, or they have too few images in common.
    """
    ours, theirs = _read(first), _read(second)
    _, our_rows, their_rows = pairs.among(ours.image_id, theirs.image_id)
    if not len(our_rows):
        raise UserError("no image is on both maps")
    one, other = ours.xy[our_rows], theirs.xy[their_rows]
    section.numbers |= {"images": len(one), "same": int(np.array_equal(one, other))}
    if section.numbers["same"]:
        return
    kept = neighbours_kept(one, other, seed=seed)
    aligned = align(one, other)
    if kept is None or aligned is None:
        raise UserError(f"{len(one)} images are on both maps, too few to compare them")
    section.numbers |= {
        "left": aligned.left, "kept": kept.share, "interval": (kept.low, kept.high),
        "neighbours": kept.neighbours, "asked": kept.images, "by_chance": kept.by_chance,
    }  # fmt: skip
    drawn = np.sort(np.random.default_rng(seed).permutation(len(one))[:MOST_DRAWN])
    label = ours.label[our_rows][drawn]
    files = plot(
        section.folder, "maps", (6.8, 3.6), lambda figure, theme: _paint(figure, theme, aligned, drawn, label)
    )
    evidence = Evidence(n=len(one))
    section.add(
        blocks.Figure(
            id="maps", caption="maps", evidence=evidence, numbers={"drawn": len(drawn)}, **files
        )
    )  # fmt: skip


def _read(run: Run) -> Embedding:
    found = read_embedding(run.path(EMBEDDING))
    if isinstance(found, Status):
        raise UserError(f"{run.name} has no map: {found.reason}")
    return found


def _paint(
    figure: Figure, theme: Theme, aligned: Aligned, drawn: NDArray[np.int64], label: NDArray[np.int32]
) -> None:
    inks = [colour(int(one) % LOOKS if one >= 0 else -1) for one in label]
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    for axes, points, title in zip(panels, (aligned.first, aligned.second), ("first", "second"), strict=True):
        clean(axes)
        axes.scatter(*points[drawn].T, s=3, c=inks, linewidths=0, rasterized=True)
        axes.set_title(title, color=theme.ink)
        axes.set_aspect("equal")
    # Pictures have their first line at the top, and so have maps.
    panels[0].invert_yaxis()
