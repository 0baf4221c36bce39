"""Maps of some units on one image, a line a checkpoint."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.contents import blocks
from pipeline.contents.parts import ImagePart
from pipeline.contents.slugs import layer_slug
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.canvas import Canvas, Label, text_width
from pipeline.figures.drawing.courses import Steps
from pipeline.figures.drawing.tiles import GAP, enlarge, format_value, framed
from pipeline.formats.probes import Pictured
from pipeline.formats.training_dynamics import Checkpoints, DynamicsFile, ShownMaps
from pipeline.numerics.maps import localisation
from pipeline.store.tables import write_table

LARGEST = 96  # pixels, side of a map or of the image; a larger one is made smaller
_LABEL, _NOTE = 13, 11  # pixels, sizes of text


def steps_of(checkpoints: Checkpoints) -> Steps:
    """Return what checkpoints are called along an axis."""
    return Steps(checkpoints.name, checkpoints.epoch)


def add_maps(section: SectionDraft, found: DynamicsFile, pictured: Pictured | None) -> None:
    """Draw the maps of every layer that has some, and lay them on the image's page too.

    Parameters
    ----------
    section
        Figures are added to it.
    found
        The artifact.
    pictured
        The image; None where there is none, and nothing is drawn.
    """
    if pictured is None or pictured.image_id != found.about.shown_image:
        return
    drawn = [_figure(section, found, layer, pictured) for layer in found.about.shown_layers]
    section.add(*drawn)
    again = tuple(one.model_copy(update={"id": f"image-{one.id}"}) for one in drawn)
    section.images.append(ImagePart(image_id=pictured.image_id, path=pictured.path, blocks=again))


def greys(maps: NDArray[np.float32]) -> tuple[NDArray[np.uint8], float]:
    """Return maps as greys, black at zero and below, white at the largest value, and that value."""
    largest = max(float(maps.max(initial=0)), 0.0)
    shares = np.clip(maps / largest, 0, 1) if largest > 0 else np.zeros_like(maps)
    return (shares * 255).round().astype(np.uint8), largest


def _figure(section: SectionDraft, found: DynamicsFile, layer: str, pictured: Pictured) -> blocks.Figure:
    shown, slug = found.shown(layer), layer_slug(layer)
    steps = steps_of(found.checkpoints)
    heads = [f"epoch {label}" if steps.numbered else label for label in steps.labels]
    canvas = draw(shown, heads, f"{layer} on one image", pictured.pixels)
    _write(section, f"maps-{slug}.csv", found.checkpoints, shown)
    height, width = shown.maps.shape[2:]
    return blocks.Figure(
        id=f"maps-{slug}", caption="maps", data=f"maps-{slug}.csv",
        **canvas.save(section.folder, f"maps-{slug}"),
        numbers={
            "layer": layer, "units": len(shown.unit), "image": pictured.path, "map_size": (height, width),
        },
    )  # fmt: skip


def _write(section: SectionDraft, name: str, checkpoints: Checkpoints, shown: ShownMaps) -> None:
    local = localisation(shown.maps)
    rows = [
        (checkpoint, unit, float(one.max()), float((one == 0).mean()), share)
        for checkpoint, maps, shares in zip(checkpoints.name, shown.maps, local.tolist(), strict=True)
        for unit, one, share in zip(shown.unit.tolist(), maps, shares, strict=True)
    ]
    columns = ("checkpoint", "unit", "largest", "zeros", "localisation")
    write_table(section.folder / name, columns, rows)


def draw(shown: ShownMaps, heads: list[str], title: str, image: NDArray[np.uint8]) -> Canvas:
    """Draw the image, and below it a line of maps a checkpoint, a column a unit.

    Parameters
    ----------
    shown
        The maps.
    heads
        (T,) what the checkpoints are called.
    title
        Written beside the image.
    image
        (H, W, C) uint8, one channel or three.
    """
    lines = [greys(maps) for maps in shown.maps]
    notes = [f"white: {format_value(largest)}" for _, largest in lines]
    left = max(
        *(text_width(head, _LABEL, bold=True) for head in heads), *(text_width(note, _NOTE) for note in notes)
    )
    left, picture = left + 3 * GAP, _fitted(image)
    tiles = [[_tile(grey) for grey in line] for line, _ in lines]
    high, wide = tiles[0][0].shape[:2]
    top = len(picture) + _NOTE + 4 * GAP
    wanted = left + picture.shape[1] + 3 * GAP + text_width(title, _LABEL, bold=True)
    canvas = Canvas(max(left + len(tiles[0]) * (wide + GAP), wanted), top + len(tiles) * (high + GAP))
    canvas.draw(*framed(left, 1, picture))
    canvas.draw(Label(left + picture.shape[1] + 3 * GAP, GAP, title, _LABEL, bold=True))
    for column, unit in enumerate(shown.unit.tolist()):
        middle = left + column * (wide + GAP) + wide / 2
        canvas.draw(Label(middle, top - _NOTE - 2 * GAP, str(unit), _NOTE, anchor="ma"))
    for row, (head, note) in enumerate(zip(heads, notes, strict=True)):
        y = top + row * (high + GAP)
        canvas.draw(Label(0, y + high / 2 - _LABEL, head, _LABEL, bold=True))
        canvas.draw(Label(0, y + high / 2 + GAP, note, _NOTE))
        for column, tile in enumerate(tiles[row]):
            canvas.draw(*framed(left + column * (wide + GAP), y, tile))
    return canvas


def _tile(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a map (h, w) as a tile: small ones with each value a square."""
    pixels = np.repeat(grey[..., None], 3, axis=2)
    return _fitted(pixels) if max(grey.shape) > LARGEST else enlarge(pixels)


def _fitted(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture of one channel or three as RGB, its longer side no longer than `LARGEST`."""
    colour = np.broadcast_to(pixels, (*pixels.shape[:2], 3))
    scale = min(1.0, LARGEST / max(pixels.shape[:2]))
    height, width = (max(1, round(length * scale)) for length in pixels.shape[:2])
    image = Image.fromarray(np.ascontiguousarray(colour))
    return np.asarray(image.resize((width, height), Image.Resampling.BOX))
