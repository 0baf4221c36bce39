"""The section of occlusion: what the network says of each probe while a square of it is covered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contents.blocks import Figure, Images, Multiples, Table
from pipeline.contents.parts import ImagePart
from pipeline.contents.values import Column, Evidence, Fact, Number
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.overlays.panels import LEAST_FALL, LEAST_SHARE, Panels, draw
from pipeline.formats.occlusion import Covered, Occlusion
from pipeline.formats.probes import Pictured
from pipeline.formats.status import Status
from pipeline.store.tables import write_table

COLUMNS = (
    Column(name="window", form="count"), Column(name="stride", form="count"),
    Column(name="places", form="count"), Column(name="changed", form="proportion"),
    Column(name="share", form="share"), Column(name="fall", form="number"),
)  # fmt: skip
DATA = ("y", "x", "probability", "score", "predicted", "activation")
# Other labels that a figure has colours for; of more, the rest share a grey.
NAMED = 4


def add_occlusion(
    section: SectionDraft,
    found: Occlusion | Status,
    probes: Mapping[int, Pictured],
    outputs: Sequence[str],
    *,
    shown: int,
) -> None:
    """Draw what becomes of each probe, or say why there is nothing.

    Parameters
    ----------
    section
        Of the report.
    found
        From its artifact.
    probes
        With their pictures, by image.
    outputs
        Names of the network's outputs.
    shown
        Probes on the chapter's page; each has its maps on its own.
    """
    if isinstance(found, Status):
        section.status = found
        return
    section.add(_table(found))
    for place, image_id in enumerate(found.whole.image_id.tolist()):
        drawn = _Drawn(section, found, place, outputs)
        part = ImagePart(
            image_id=image_id,
            path=probes[image_id].path,
            facts=drawn.facts(),
            blocks=drawn.blocks(probes[image_id].pixels),
        )
        section.images.append(part)
    images = tuple(found.whole.image_id[:shown].tolist())
    section.numbers |= _numbers(found) | {"shown": len(images)}
    section.add(Images(id="probes", caption="probes", images=images))


def changed(found: Occlusion, size: Covered) -> NDArray[np.bool_]:
    """(P, ny, nx) bool, where the most probable label is another than with nothing covered."""
    return size.predicted != found.whole.predicted[:, None, None]


def falls(found: Occlusion, size: Covered) -> NDArray[np.float32]:
    """(P, ny, nx), by how much the probability falls; negative where it rises."""
    return found.whole.probability[:, None, None] - size.probability


def _numbers(found: Occlusion) -> dict[str, Number]:
    """Return what the section says of all probes."""
    whole, largest = found.whole, found.sizes[-1]
    numbers: dict[str, Number] = {
        "probes": len(whole.image_id), "by_label": int(whole.by_label.sum()), "fill": found.about.fill,
        "layer": found.about.layer, "largest": largest.window, "sizes": len(found.sizes),
        "changed": int(changed(found, largest).any((1, 2)).sum()),
        "zero": tuple(map(round, found.about.zero)),
        "least_fall": LEAST_FALL, "least_share": LEAST_SHARE,
        "wrong": int((whole.by_label & (whole.predicted != whole.output)).sum()),
    }  # fmt: skip
    return numbers | {"places": sum(len(one.y) * len(one.x) for one in found.sizes)}


def _table(found: Occlusion) -> Table:
    rows = []
    for size in found.sizes:
        other = changed(found, size)
        somewhere = (int(other.any((1, 2)).sum()), len(other))
        fall = float(np.median(falls(found, size).max((1, 2))))
        rows.append((size.window, size.stride, other[0].size, somewhere, float(other.mean()), fall))
    evidence = Evidence(n=len(found.whole.image_id))
    return Table(id="sizes", caption="sizes", columns=COLUMNS, rows=tuple(rows), evidence=evidence)


@dataclass(frozen=True)
class _Drawn:
    """Draws what becomes of one probe, all sizes of the square at one scale."""

    section: SectionDraft
    found: Occlusion
    place: int
    outputs: Sequence[str]

    def facts(self) -> tuple[Fact, ...]:
        """Return the largest fall of the probability, under the largest square."""
        size = self.found.sizes[-1]
        fall = float(falls(self.found, size)[self.place].max())
        return (Fact(name=f"largest fall under a square of {size.window} pixels", value=fall),)

    def blocks(self, picture: NDArray[np.uint8]) -> tuple[Multiples, ...]:
        """Draw a figure a size."""
        falling = [falls(self.found, size)[self.place] for size in self.found.sizes]
        rising = [self._rises(size) for size in self.found.sizes]
        scales = (_scale(falling, LEAST_FALL), _scale(rising, LEAST_SHARE))
        zero = self.found.about.zero if self.found.about.fill == "zero" else None
        figures = []
        for size, fall, rise in zip(self.found.sizes, falling, rising, strict=True):
            ranks, names = self._labels(size)
            panels = Panels(picture, size.window, size.y, size.x, zero, fall, ranks, rise, scales)
            figures.append(self._figure(size, panels, names))
        image_id = int(self.found.whole.image_id[self.place])
        return (Multiples(id=f"covered-{image_id}", caption="covered", wide=True, figures=tuple(figures)),)

    def _rises(self, size: Covered) -> NDArray[np.float32]:
        """(ny, nx), the activation as a share of what it was: 0 as before, −1 gone; NaN where none is."""
        before = self.found.whole.activation[self.place]
        with np.errstate(invalid="ignore", divide="ignore"):
            return (size.activation[self.place] - before) / np.abs(before)

    def _figure(self, size: Covered, panels: Panels, names: str) -> Figure:
        name = f"occlusion-{self.found.whole.image_id[self.place]}-{size.window}"
        self._write(name, size)
        return Figure(
            id=name, caption="occlusion", data=f"{name}.csv", **draw(panels).save(self.section.folder, name),
            numbers=self._numbers(size, panels) | {"others": names},
            evidence=Evidence(n=panels.fall.size, of="places"),
        )  # fmt: skip

    def _numbers(self, size: Covered, panels: Panels) -> dict[str, Number]:
        y, x = np.unravel_index(int(panels.fall.argmax()), panels.fall.shape)
        whole, place = self.found.whole, self.place
        return {
            "window": size.window, "stride": size.stride, "output": self.outputs[whole.output[place]],
            "before": float(whole.probability[place]), "least": float(size.probability[place].min()),
            "most": float(size.probability[place].max()), "corner": (int(size.y[y]), int(size.x[x])),
            "predicted": self.outputs[whole.predicted[place]], "places": panels.fall.size,
            "unit": int(whole.unit[place]), "others_places": int((panels.labels >= 0).sum()),
        }  # fmt: skip

    def _labels(self, size: Covered) -> tuple[NDArray[np.int64], str]:
        """Return (ny, nx) the rank of the label there among the others, -1 the same, and what these are."""
        predicted = size.predicted[self.place]
        other, counts = np.unique(
            predicted[predicted != self.found.whole.predicted[self.place]], return_counts=True
        )
        order = np.argsort(-counts, kind="stable")
        ranks = np.full(predicted.shape, -1)
        for rank, which in enumerate(order.tolist()):
            ranks[predicted == other[which]] = min(rank, NAMED)
        named = [
            f"colour {rank + 1} is {self.outputs[other[which]]}"
            for rank, which in enumerate(order[:NAMED].tolist())
        ]
        return ranks, ", ".join([*named, f"colour {NAMED + 1} others"] if len(order) > NAMED else named)

    def _write(self, name: str, size: Covered) -> None:
        maps = [getattr(size, column)[self.place] for column in DATA[2:]]
        rows = []
        for row, column in np.ndindex(len(size.y), len(size.x)):
            probability, score, predicted, activation = (one[row, column].item() for one in maps)
            rows.append((
                int(size.y[row]), int(size.x[column]), probability, score, self.outputs[predicted],
                None if activation != activation else activation,
            ))  # fmt: skip
        write_table(self.section.folder / f"{name}.csv", DATA, rows)


def _scale(maps: Sequence[NDArray[np.float32]], least: float) -> float:
    """Return the largest magnitude of all maps, and no less than what is worth a colour."""
    known = [float(np.nanmax(np.abs(one))) for one in maps if np.isfinite(one).any()]
    return max([least, *(one for one in known if np.isfinite(one))])
