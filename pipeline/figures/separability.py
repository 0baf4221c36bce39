"""How well a linear probe of each layer tells the classes apart, against depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import binom

from pipeline.contents import blocks
from pipeline.contents.parts import LayerPart
from pipeline.contents.values import Evidence, Fact, Number
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.palette import Theme
from pipeline.figures.drawing.plotting import ending, plot
from pipeline.figures.drawing.scales import up_to
from pipeline.formats.separability import Kind, Probes, ProbeSample, Separability
from pipeline.formats.status import Status
from pipeline.numerics.intervals import wilson
from pipeline.store.tables import write_table

MOST_NAMED = 24
LEVEL = 0.05  # chance that any probe is taken for better than the most frequent class
WORDS: dict[Kind, str] = {"mean": "means", "maxima": "maxima"}
COLUMNS = ("network", "layer", "of", "units", "strength", "right", "images", "accuracy", "low", "high")


@dataclass(frozen=True)
class Curve:
    """The accuracies of probes from layer to layer: (L,) right ones of `images`."""

    kind: Kind
    initial: bool
    right: NDArray[np.int64]
    images: int

    @property
    def share(self) -> NDArray[np.float64]:
        """(L,) 0 to 1."""
        return self.right / self.images

    @property
    def ends(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(L,) each, Wilson's interval."""
        return wilson(self.right, np.full(len(self.right), self.images))


def add_separability(section: SectionDraft, found: Separability | Status) -> None:
    """Draw the accuracies of the probes, or say why there are none."""
    if isinstance(found, Status):
        section.status = found
        return
    curves = [
        _curve(found, kind, probes, initial=initial)
        for initial, probes in ((False, found.probes), (True, found.initial))
        for kind in found.kinds
        if probes
    ]
    evidence = Evidence(n=len(found.sample.held_out), interval="wilson")
    section.numbers |= _counted(found) | _told(found, curves)
    own = [one for one in curves if not one.initial]
    section.numbers |= _beyond(own, _largest_class(found.sample))
    _write(section, found, curves)
    size = (4.4, 3.9)
    files = plot(section.folder, "depth", size, lambda f, t: _paint(f, t, found, curves))
    section.add(
        blocks.Figure(
            id="depth", caption="depth", data="probes.csv", evidence=evidence,
            numbers=_titled(found, curves[0]), **files,
        )
    )  # fmt: skip
    section.layers += [_layer_part(name, place, own, evidence) for place, name in enumerate(found.layers)]


def _curve(found: Separability, kind: Kind, probes: Probes, *, initial: bool) -> Curve:
    label = found.sample.label
    right = [int((probes[layer, kind].predicted == label).sum()) for layer in found.layers]
    return Curve(kind, initial, np.array(right, np.int64), len(label))


def _counted(found: Separability) -> dict[str, Number]:
    sample = found.sample
    probes = [*found.probes.values(), *found.initial.values()]
    counted: dict[str, Number] = {
        "fitted": len(sample.fit), "held_out": len(sample.held_out), "classes": len(sample.classes),
        "drawn": int(sample.drawn), "layers": len(found.layers), "means": int("mean" in found.kinds),
        "initial": int(bool(found.initial)), "unfinished": sum(not one.converged for one in probes),
        "probes": len(probes), "strength_low": min(one.strength for one in probes),
        "strength_high": max(one.strength for one in probes), "largest_class": _largest_class(sample),
    }  # fmt: skip
    if (sample.network_right >= 0).all():
        right = int(sample.network_right.sum())
        low, high = wilson(right, len(sample.label))
        counted |= {"network": right / len(sample.label), "network_ends": (float(low), float(high))}
    return counted


def _largest_class(sample: ProbeSample) -> float:
    """Return the share of the most frequent class among what is held out."""
    return int(np.bincount(sample.label, minlength=len(sample.classes)).max()) / len(sample.label)


def _beyond(curves: Sequence[Curve], largest_class: float) -> dict[str, Number]:
    """Count the probes, and those that are clearly right more often than the most frequent class is.

    A binomial test; of many probes the best is above chance by chance, so their number is corrected for.
    """
    tested = sum(len(one.right) for one in curves)
    chance = np.concatenate([binom.sf(one.right - 1, one.images, largest_class) for one in curves])
    return {"tested": tested, "beyond": int((chance * tested < LEVEL).sum())}


def _told(found: Separability, curves: Sequence[Curve]) -> dict[str, Number]:
    """Return what the words say: of each kind the best layer, and how the first and the last do."""
    told: dict[str, Number] = {}
    for one in curves:
        if one.initial:
            told[f"initial_{one.kind}"] = float(one.share.max())
            told[f"initial_{one.kind}_layer"] = found.layers[int(one.share.argmax())]
            continue
        best = int(one.share.argmax())
        low, high = one.ends
        told |= {
            f"best_{one.kind}": float(one.share[best]), f"best_{one.kind}_layer": found.layers[best],
            f"best_{one.kind}_ends": (float(low[best]), float(high[best])),
            f"first_{one.kind}": float(one.share[0]), f"last_{one.kind}": float(one.share[-1]),
        }  # fmt: skip
        if len(found.layers) > 1:
            steps = np.diff(one.share)
            most = int(steps.argmax())
            told |= {
                f"rise_{one.kind}": float(steps[most]),
                f"rise_{one.kind}_from": found.layers[most],
                f"rise_{one.kind}_to": found.layers[most + 1],
                f"rise_{one.kind}_shares": (float(one.share[most]), float(one.share[most + 1])),
                # Of the layer before the upper end of the interval, of the one after it the lower.
                f"rise_{one.kind}_ends": (float(high[most]), float(low[most + 1])),
            }
    return told | {"first_layer": found.layers[0], "last_layer": found.layers[-1]}


def _titled(found: Separability, one: Curve) -> dict[str, Number]:
    """Return what the title weighs: of one kind what the words say, by names without the kind's."""
    low, high = one.ends
    told = {name.replace(f"_{one.kind}", ""): value for name, value in _told(found, [one]).items()}
    ends = {"first_ends": (float(low[0]), float(high[0])), "last_ends": (float(low[-1]), float(high[-1]))}
    return told | ends


def _write(section: SectionDraft, found: Separability, curves: Sequence[Curve]) -> None:
    rows = []
    for one in curves:
        probes = found.initial if one.initial else found.probes
        low, high = one.ends
        for place, layer in enumerate(found.layers):
            probe = probes[layer, one.kind]
            rows.append((
                "initialisation" if one.initial else "network", layer, WORDS[one.kind],
                probe.weight.shape[1], probe.strength, int(one.right[place]), one.images,
                one.share[place], low[place], high[place],
            ))  # fmt: skip
    write_table(section.folder / "probes.csv", COLUMNS, rows)


def _paint(figure: Figure, theme: Theme, found: Separability, curves: Sequence[Curve]) -> None:
    axes, place = figure.add_subplot(), np.arange(len(found.layers))
    for number, one in enumerate(curves):
        colour = theme.accent if one.kind == "mean" else theme.contrast
        low, high = one.ends
        # Intervals of several curves would hide each other.
        at = place + 0.08 * (number - (len(curves) - 1) / 2)
        axes.vlines(at, 100 * low, 100 * high, color=colour, linewidth=1.2)
        axes.plot(
            at, 100 * one.share, color=colour, marker="o" if not one.initial else "D", markersize=4,
            markerfacecolor=colour if not one.initial else theme.paper, linewidth=1.3,
            linestyle="--" if one.initial else "-",
            label=f"{WORDS[one.kind]}, initialisation" if one.initial else WORDS[one.kind],
        )  # fmt: skip
    sample = found.sample
    if (sample.network_right >= 0).all():
        axes.axhline(100 * sample.network_right.mean(), color=theme.ink, linewidth=1, label="the network")
    ticks = range(0, len(found.layers), -(-len(found.layers) // MOST_NAMED))
    names = [ending(found.layers[tick], 20) for tick in ticks]
    axes.set_xticks(ticks, names, rotation=50, ha="right", rotation_mode="anchor", fontsize=8)
    top = up_to([*(100 * one.ends[1].max() for one in curves), 100 * sample.network_right.mean()])
    axes.set_ylim(-0.02 * top, 1.02 * top)
    axes.set_ylabel("held-out images right, %")
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    figure.legend(loc="outside lower center", ncols=2, fontsize=8)


def _layer_part(name: str, place: int, curves: Sequence[Curve], evidence: Evidence) -> LayerPart:
    facts = []
    for one in curves:
        low, high = one.ends
        value, ends = float(one.share[place]), (float(low[place]), float(high[place]))
        facts += [
            Fact(name=f"{one.kind}_right", value=value, form="share", evidence=evidence),
            Fact(name=f"{one.kind}_ends", value=ends, form="interval", evidence=evidence),
        ]
    return LayerPart(layer=name, facts=tuple(facts))
