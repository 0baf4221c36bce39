"""The section of correspondence: how much each layer keeps of where things are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pipeline.contents import blocks
from pipeline.contents.parts import ImagePart, LayerPart
from pipeline.contents.values import Cell, Column, Evidence, Fact, Number
from pipeline.contents.writing import SectionDraft
from pipeline.figures.correspondence_course import Everything, plain_rows, plots
from pipeline.figures.correspondence_pictures import DRAWN, panel, stack, view
from pipeline.figures.correspondence_tolerances import tolerances
from pipeline.formats.correspondence import ALL, INTERIOR, CorrespondenceFile, PlacedLayer
from pipeline.formats.probes import Pictured
from pipeline.formats.status import Status

COLUMNS = (
    Column(name="layer", form="layer"), Column(name="stride", form="size"), Column(name="field", form="size"),
    Column(name="pck", form="share"), Column(name="pck_ends", form="interval"),
    Column(name="error", form="number"), Column(name="error_low", form="number"),
    Column(name="error_high", form="number"), Column(name="floor", form="number"),
    Column(name="by_field", form="number"),
    Column(name="random", form="share"), Column(name="random_ends", form="interval"),
    Column(name="chance", form="share"), Column(name="interior", form="count"),
    Column(name="interior_pck", form="share"), Column(name="interior_ends", form="interval"),
)  # fmt: skip
PLAIN = (
    Column(name="what"), Column(name="pck", form="share"), Column(name="pck_ends", form="interval"),
    Column(name="error", form="number"), Column(name="error_low", form="number"),
    Column(name="error_high", form="number"),
)  # fmt: skip
Float64 = NDArray[np.float64]


def add_correspondence(
    section: SectionDraft, found: CorrespondenceFile | Status, probes: Mapping[int, Pictured]
) -> None:
    """Draw matches, their shares and errors by layer, or say why there are none.

    Parameters
    ----------
    section
        Of the report.
    found
        From its artifact.
    probes
        With their pictures, by image.
    """
    if isinstance(found, Status):
        section.status = found
        return
    layers = {name: found.layer(name) for name in found.about.layers}
    everything = Everything(found, layers, {side: found.patches(side) for side in found.about.patches})
    section.numbers |= _told(everything) | _compared(everything)
    evidence = Evidence(n=len(found.views.image_id), interval="bootstrap")
    section.add(_typical(section, everything, probes))
    figures = (*plots(section, everything, evidence), tolerances(section, everything))
    section.add(blocks.Multiples(id="course", caption="course", figures=figures))
    section.add(_table(everything, evidence), _plain(everything, evidence))
    for place, image_id in enumerate(found.views.image_id.tolist()):
        shown = view(found, probes[image_id].pixels, place, small=True)
        matches = [(name, layer.matched) for name, layer in layers.items()]
        figure = stack(section, found, shown, matches, f"joined-{image_id}")
        section.images.append(ImagePart(image_id=image_id, path=probes[image_id].path, blocks=(figure,)))
    section.layers += [LayerPart(layer=name, facts=_facts(layer, evidence)) for name, layer in layers.items()]


def _told(everything: Everything) -> dict[str, Number]:
    """Return what was done, and what came out of it for each layer alone."""
    about, views, layers = everything.found.about, everything.found.views, everything.layers
    images, warps = views.warp.shape[:2]
    best, last = layers[everything.best].matched, about.layers[-1]
    several = [layer.matched.tied > 1 for layer in layers.values()]
    told: dict[str, Number] = {
        "images": images, "warps": warps, "points": len(views.point) // (images * warps),
        "all": len(views.point),
        "layers": len(layers), "drawn": DRAWN,
        "radius": about.radius, "share": about.share, "rotation": about.rotation,
        "smaller": about.scale[0], "larger": about.scale[1], "translation": about.translation,
        "networks": about.networks, "best": everything.best, "best_pck": best.pck[ALL, 0], "last": last,
        "last_pck": layers[last].matched.pck[ALL, 0],
        "staying": float((everything.staying <= about.radius).mean()), "tied": int(np.sum(several)),
        "matches": len(several) * len(views.point), "without": len(about.without_place),
        "without_names": ", ".join(about.without_place),
        "no_interior": sum(not layer.matched.interior.any() for layer in layers.values()),
    }  # fmt: skip
    told |= _ends("best", best.pck[ALL]) | _border(layers)
    return told


def _ends(name: str, estimate: Float64) -> dict[str, Number]:
    return {} if np.isnan(estimate).any() else {f"{name}_ends": tuple(estimate[1:].tolist())}


def _border(layers: Mapping[str, PlacedLayer]) -> dict[str, Number]:
    """Return the deepest layer that has interior points, and how its others fare."""
    for name, layer in reversed(list(layers.items())):
        inside = layer.matched.interior
        if inside.any() and not inside.all():
            hit = layer.matched.hit
            return {
                "inner": name, "inner_points": int(inside.sum()), "inner_pck": float(hit[inside].mean()),
                "outer_pck": float(hit[~inside].mean()), "outer_points": int((~inside).sum()),
            }  # fmt: skip
    return {}


def _compared(everything: Everything) -> dict[str, Number]:
    """Return in how many layers the numbers are clear of what they are held against, and which way."""
    layers = everything.layers
    told: dict[str, Number] = _sides("random", {name: one.held.over_random for name, one in layers.items()})
    told |= _sides("staying", {name: one.held.over_staying for name, one in layers.items()})
    side = everything.best_patch
    if side is not None:
        place, matched = list(everything.patches).index(side), everything.patches[side]
        told |= _sides("patches", {name: one.held.over_patches[place] for name, one in layers.items()})
        told |= {"side": side, "patches_pck": float(matched.pck[ALL, 0])} | _ends("patches", matched.pck[ALL])
    finer = {name: one for name, one in layers.items() if one.held.over_field[1] > 0}
    told["finer"] = len(finer)
    if finer:
        name, one = max(finer.items(), key=lambda item: item[1].geometry.receptive_field.size)
        told |= {
            "finer_layer": name, "finer_field": one.geometry.receptive_field.size,
            "finer_error": one.matched.median[ALL, 0], "finer_low": one.matched.median[ALL, 1],
            "finer_high": one.matched.median[ALL, 2],
            "finer_by_field": float(np.median(one.held.field_error)),
        }  # fmt: skip
    return told


def _sides(name: str, differences: Mapping[str, Float64]) -> dict[str, Number]:
    """Return how many layers' intervals are above 0, and how many below."""
    ends = np.stack(list(differences.values()))
    return {f"above_{name}": int((ends[:, 1] > 0).sum()), f"below_{name}": int((ends[:, 2] < 0).sum())}


def _typical(
    section: SectionDraft, everything: Everything, probes: Mapping[int, Pictured]
) -> blocks.Multiples:
    """Draw the first warp of the image with the median share of right points, layer by layer."""
    found, layers = everything.found, everything.layers
    ids = found.views.image_id.tolist()
    hits = np.mean([layer.matched.hit for layer in layers.values()], axis=0).reshape(len(ids), -1).mean(1)
    place = int(np.argsort(hits, kind="stable")[(len(ids) - 1) // 2])
    shown = view(found, probes[ids[place]].pixels, place)
    matches = [(name, layer.matched) for name, layer in layers.items()]
    side = everything.best_patch
    if side is not None:
        matches.append((f"patches of {side} pixels", everything.patches[side]))
    figures = [
        panel(section, found, shown, matched, f"typical-{number}", of)
        for number, (of, matched) in enumerate(matches)
    ]
    return blocks.Multiples(
        id="typical",
        caption="typical",
        figures=tuple(figures),
        numbers={"path": probes[ids[place]].path},
    )


def _plain(everything: Everything, evidence: Evidence) -> blocks.Table:
    rows = [
        (what, row[0], _pair(row[1], row[2]), *map(_known, row[3:])) for what, row in plain_rows(everything)
    ]
    return blocks.Table(id="plain", caption="plain", columns=PLAIN, rows=tuple(rows), evidence=evidence)


def _table(everything: Everything, evidence: Evidence) -> blocks.Table:
    rows = [_row(name, layer) for name, layer in everything.layers.items()]
    return blocks.Table(id="layers", caption="layers", columns=COLUMNS, rows=tuple(rows), evidence=evidence)


def _row(name: str, layer: PlacedLayer) -> tuple[Cell, ...]:
    held, matched, field = layer.held, layer.matched, layer.geometry.receptive_field
    return (
        name, field.stride, field.size, *_share(matched.pck[ALL]), *map(_known, matched.median[ALL].tolist()),
        float(np.median(held.floor)), float(np.median(held.field_error)), *_share(held.random_pck),
        float(held.chance_hit.mean()), int(matched.interior.sum()), *_share(matched.pck[INTERIOR]),
    )  # fmt: skip


def _share(estimate: Float64) -> tuple[Cell, Cell]:
    value, low, high = estimate.tolist()
    return _known(value), _pair(low, high)


def _pair(low: float, high: float) -> tuple[float, float] | None:
    return None if np.isnan([low, high]).any() else (low, high)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value


def _facts(layer: PlacedLayer, evidence: Evidence) -> tuple[Fact, ...]:
    """Return the share of right points of a layer, its median error, and the share with random weights."""
    matched = layer.matched
    return (
        Fact(name="pck", value=float(matched.pck[ALL, 0]), form="share", evidence=evidence),
        Fact(name="random", value=float(layer.held.random_pck[0]), form="share", evidence=evidence),
        Fact(name="error", value=float(matched.median[ALL, 0]), evidence=evidence),
    )
