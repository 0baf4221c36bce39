"""How alike the layers of two networks are on the same images: linear CKA."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.analyses.similarity import FEWEST_IMAGES, centred
from pipeline.comparison.pairing import Pairs
from pipeline.comparison.runs import Run
from pipeline.contents import blocks
from pipeline.contents.values import Column, Evidence
from pipeline.contents.writing import SectionDraft
from pipeline.errors import UserError
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import ending, plot
from pipeline.formats.activations import Activations, open_activations
from pipeline.store.tables import write_table

FOLDER = "artifacts/activations"
# Of more images some are drawn: all pairs of them are held.
MOST_IMAGES = 1000
NO_MEANS = (
    "each unit's mean activation was not kept, of which layers are compared; extract.means: true keeps it"
)

Values = NDArray[np.float32]


def add_layers(section: SectionDraft, first: Run, second: Run, pairs: Pairs, *, seed: int) -> None:
    """Compare the layers that both have, each with itself.

    Raises
    ------
    UserError
        If either run's activations are not there, lack the means, or too few images or no layer is in both.
    """
    ours, theirs = (open_activations(run.path(FOLDER)) for run in (first, second))
    if not (ours.has_means and theirs.has_means):
        raise UserError(NO_MEANS)
    pair, our_rows, their_rows = pairs.among(ours.image_id, theirs.image_id)
    if len(pair) < 2 * FEWEST_IMAGES:
        raise UserError(f"{len(pair)} images are in both; at least {2 * FEWEST_IMAGES} are needed")
    # Not sorted: the first half is then as good a sample as the second.
    drawn = np.random.default_rng(seed).permutation(len(pair))[:MOST_IMAGES]
    layers = [name for name in ours.layers if name in theirs.layers]
    if not layers:
        raise UserError("the networks have no layer of the same name")
    found, same = [], True
    for name in layers:
        one, other = _means(ours, name, our_rows[drawn]), _means(theirs, name, their_rows[drawn])
        same &= np.array_equal(one, other)
        found.append(_alike(one, other))
    section.numbers |= {"images": len(drawn), "half": len(drawn) // 2, "same": int(same)}
    section.numbers["left_out"] = len(set(ours.layers) ^ set(theirs.layers))
    if not same:
        _draw(section, layers, np.array(found))


def _means(activations: Activations, layer: str, rows: NDArray[np.int64]) -> Values:
    """Read a layer's means on some rows, (n, U), a shard at a time."""
    order = np.argsort(rows, kind="stable")
    wanted, parts, start = rows[order], [], 0
    for shard in activations.shards():
        low, high = np.searchsorted(wanted, [start, start + len(shard.image_id)])
        if high > low:
            parts.append(shard.means(layer)[wanted[low:high] - start])
        start += len(shard.image_id)
    values = np.concatenate(parts)
    found = np.empty_like(values)
    found[order] = values
    return found


def _alike(one: Values, other: Values) -> tuple[float, float, float]:
    """Return the CKA on all images, and on either half of them."""
    middle = len(one) // 2
    return (
        _cka(one, other), _cka(one[:middle], other[:middle]), _cka(one[middle:], other[middle:]),
    )  # fmt: skip


def _cka(one: Values, other: Values) -> float:
    # Beyond 1 there is only round-off.
    return float(np.clip(centred(one) @ centred(other), -1, 1))


def _draw(section: SectionDraft, layers: Sequence[str], found: NDArray[np.float64]) -> None:
    low, high = np.fmin(found[:, 1], found[:, 2]), np.fmax(found[:, 1], found[:, 2])
    rows = list(zip(layers, found[:, 0], low, high, strict=True))
    write_table(section.folder / "cka.csv", ("layer", "cka", "lower half", "upper half"), rows)
    known = np.flatnonzero(np.isfinite(found[:, 0]))
    section.numbers["layers"] = len(known)
    if not len(known):
        return
    least = int(known[np.argmin(found[known, 0])])
    most = int(known[np.argmax(found[known, 0])])
    section.numbers |= {
        "least": float(found[least, 0]), "least_layer": layers[least],
        "most": float(found[most, 0]), "most_layer": layers[most],
    }  # fmt: skip
    evidence = Evidence(n=int(section.numbers["images"]))  # type: ignore[arg-type]
    files = plot(
        section.folder, "cka", (4.8, 1.0 + 0.25 * len(known)),
        lambda figure, theme: _paint(figure, theme, [layers[row] for row in known.tolist()], found[known]),
    )  # fmt: skip
    section.add(blocks.Figure(id="cka", caption="cka", data="cka.csv", evidence=evidence, **files))
    columns = (
        Column(name="layer"), Column(name="cka", form="number"),
        Column(name="low", form="number"), Column(name="high", form="number"),
    )  # fmt: skip
    cells = tuple((name, *(_cell(value) for value in values)) for name, *values in rows)
    section.add(blocks.Table(id="layers", caption="layers", columns=columns, rows=cells, evidence=evidence))


def _cell(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _paint(figure: Figure, theme: Theme, layers: Sequence[str], found: NDArray[np.float64]) -> None:
    axes = figure.add_subplot()
    places = np.arange(len(layers))[::-1]
    for place, (value, *halves) in zip(places, found, strict=True):
        axes.plot([min(halves), max(halves)], [place, place], color=theme.accent, linewidth=1.6)
        axes.plot(value, place, "o", color=theme.accent, markersize=5)
    axes.set_yticks(places, [ending(name) for name in layers])
    axes.set_xlim(min(-0.02, float(np.nanmin(found)) - 0.02), 1.02)
    axes.set_xlabel("linear CKA with the same layer of the other run")
    axes.grid(axis="x")
