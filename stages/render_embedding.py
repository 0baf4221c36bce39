"""Draw the map: images at their places, on a grid, points by label, and the data of the interactive view."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.contents.map_points import Attribute, value_range
from pipeline.contents.parts import ImageOutputs
from pipeline.contents.writing import SectionDraft, new_chapter
from pipeline.errors import UserError
from pipeline.figures.colourings import add_colourings
from pipeline.figures.drawing.mosaic import scale
from pipeline.figures.embedding import Points, Tiles, add_grid, add_labels, add_map, add_viewer
from pipeline.figures.map_neighbours import are_on_map
from pipeline.figures.neighbours import TILE, Described, add_neighbours, shown_images
from pipeline.figures.separability import add_separability
from pipeline.figures.similarity import add_similarity
from pipeline.formats.class_names import ClassNames, read_class_names
from pipeline.formats.embedding import Embedding, read_embedding
from pipeline.formats.manifest import ManifestFile, open_manifest
from pipeline.formats.neighbours import Neighbours, OnMap, read_neighbours
from pipeline.formats.predictions import Evaluated, read_predictions
from pipeline.formats.separability import read_separability
from pipeline.formats.similarity import read_similarity
from pipeline.formats.status import Status
from pipeline.formats.thumbnails import ThumbnailFile, open_thumbnails
from pipeline.images.attributes import NAMES
from stages.blocks.render_embedding import Params
from stages.command import Stage, execute

ROWS_AT_ONCE = 2048
# An attribute of more words is a name of each image rather than a property of some.
MOST_WORDS = 1000

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Known:
    """What is known of all images: pictures, paths, labels, predictions, and what outputs are called."""

    thumbnails: ThumbnailFile
    manifest: ManifestFile
    evaluated: Evaluated
    names: ClassNames


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write artifacts/figures/embedding/."""
    embedding = read_embedding(paths["embedding"])
    evaluated, names = read_predictions(paths["predictions"]), read_class_names(paths["names"])
    with open_manifest(paths["manifest"]) as manifest, open_thumbnails(paths["thumbnails"]) as file:
        known = Known(file, manifest, evaluated, names)
        points = embedding if isinstance(embedding, Status) else _read_points(embedding, known)
        with new_chapter(paths["out"]) as chapter:
            found = read_neighbours(paths["neighbours"])
            said, near = (
                (None, None) if isinstance(found, Status) else (_describe(found, known), found.on_map)
            )
            on_map = _add_points(chapter.section("embedding"), points, known, params, near)
            add_neighbours(chapter.section("neighbours"), found, said, on_map=on_map)
            add_similarity(chapter.section("similarity"), read_similarity(paths["similarity"]))
            add_separability(chapter.section("separability"), read_separability(paths["separability"]))


def _add_points(
    section: SectionDraft, points: Points | Status, known: Known, params: Params, near: OnMap | None
) -> bool:
    """Draw the map, or say why there is none; tell whether its points name the images that are nearest."""
    if isinstance(points, Status):
        section.status = points
        return False
    shown = _add_map(section, points, _tiles(known.thumbnails, points.image_id), params, near)
    names = known.names.of_output
    section.image_outputs = first_outputs(known.evaluated, names, points.path, shown)
    on_map = near is not None and are_on_map(near, points.image_id[shown])
    if near is not None and not on_map:
        log.warning(
            "pages of images do not show which are nearest by code: neighbours.images and .seed chose others "
            "than the map's; give them the values of render_embedding.viewer_images and .seed"
        )
    return on_map


def _add_map(
    section: SectionDraft, points: Points, tiles: Tiles, params: Params, near: OnMap | None
) -> NDArray[np.integer]:
    """Draw the map in all its forms, and return the rows of the points of the interactive one."""
    section.numbers |= {name: points.numbers[name] for name in sorted(points.numbers)}
    section.numbers["labelled"] = int((points.label >= 0).sum())
    shown = add_viewer(
        section, points, tiles, most=params.viewer_images, tile=params.viewer_tile, seed=params.seed,
        near=near,
    )  # fmt: skip
    add_map(section, points, tiles, sides=params.canvases, tile=params.tile)
    add_grid(section, points, tiles, sides=params.canvases)
    add_labels(section, points)
    add_colourings(section, points)
    return shown


def first_outputs(
    evaluated: Evaluated, names: Sequence[str], path: Sequence[str], rows: NDArray[np.integer]
) -> ImageOutputs:
    """Return what the network takes the images in some rows for, with the names that this needs."""
    used, place = np.unique(evaluated.leading[rows], return_inverse=True)
    place = place.reshape(len(rows), -1)
    pairs = zip(place.tolist(), evaluated.leading_probability[rows].tolist(), strict=True)
    outputs = {
        path[row]: tuple(value for pair in zip(*of_image, strict=True) for value in pair)
        for row, of_image in zip(rows.tolist(), pairs, strict=True)
    }
    return ImageOutputs(names=tuple(names[one] for one in used.tolist()), outputs=outputs)


def _read_points(embedding: Embedding, known: Known) -> Points:
    evaluated, names = known.evaluated, known.names
    if not np.array_equal(evaluated.image_id, embedding.image_id):
        raise UserError("predictions.h5: stale, of other images than the map; run predictions again")
    path, attributes = known.manifest.path(), known.manifest.attributes()
    # The dataset's own come first, for only the first ones are drawn.
    for name in NAMES:
        attributes.setdefault(name.replace("_", " "), known.thumbnails.attribute(name).astype(np.float64))
    predicted, classes = predicted_classes(
        evaluated.predicted, embedding.label, evaluated.class_output, names.of_class, names.of_output
    )
    numbers = {**embedding.numbers, "correlated": embedding.correlated, "metric": embedding.metric}
    return Points(
        embedding.image_id, [path[row] for row in embedding.image_id], embedding.xy, embedding.grid,
        embedding.grid_shape, embedding.label, predicted, classes, numbers,
        [made for one in attributes.items() if (made := attribute(*one, embedding.image_id))],
        np.flatnonzero(evaluated.class_output < 0).tolist(),
    )  # fmt: skip


def attribute(
    name: str, values: NDArray[np.float64] | Sequence[str], rows: NDArray[np.integer]
) -> Attribute | None:
    """Return some images' values of an attribute; None where all are the same, or as many as can be told.

    Parameters
    ----------
    name
        Its name.
    values
        (N,) numbers, NaN where missing, or text, empty where missing.
    rows
        Of the images.
    """
    if isinstance(values, np.ndarray):
        numbers = values[rows]
        low, high = value_range(numbers)
        return Attribute(name, numbers) if low < high else None
    text = [values[row] for row in rows.tolist()]
    counts = Counter(word for word in text if word)
    words = tuple(word for word, _ in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
    if not 1 < len(words) <= MOST_WORDS:
        return None
    place = {word: index for index, word in enumerate(words)}
    return Attribute(name, np.array([place.get(word, -1) for word in text]), words)


def _describe(found: Neighbours, known: Known) -> Described:
    """Gather what is said of the images whose neighbours were sought, and of these."""
    near = [space.neighbour.ravel() for space in found.spaces.values()]
    image_id, shown = np.unique(np.concatenate([found.image_id, *near])), shown_images(found)
    evaluated, names = known.evaluated, known.names
    path = [path.decode() for path in known.manifest.take_path(image_id).tolist()]
    label = known.manifest.take_label(image_id)
    predicted, classes = predicted_classes(
        evaluated.predicted[np.searchsorted(evaluated.image_id, image_id)], label, evaluated.class_output,
        names.of_class, names.of_output,
    )  # fmt: skip

    judged = label >= 0
    judged[judged] = evaluated.class_output[label[judged]] >= 0

    def named(indices: NDArray[np.int32]) -> dict[int, str | None]:
        said = (classes[index] if index >= 0 else None for index in indices.tolist())
        return dict(zip(image_id.tolist(), said, strict=True))

    tiles = _tiles(known.thumbnails, shown)(np.arange(len(shown)), TILE)
    return Described(
        dict(zip(shown.tolist(), tiles, strict=True)), dict(zip(image_id.tolist(), path, strict=True)),
        named(label), named(predicted), dict(zip(image_id.tolist(), judged.tolist(), strict=True)),
    )  # fmt: skip


def predicted_classes(
    predicted: NDArray[np.int32],
    label: NDArray[np.int32],
    class_output: NDArray[np.int32],
    classes: tuple[str, ...],
    outputs: Sequence[str],
) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Say the network's outputs as classes of the dataset; outputs that are none get a place behind these.

    Parameters
    ----------
    predicted
        (N,) outputs.
    label
        (N,) classes, -1 where there is none.
    class_output
        (K,) output of each class, -1 where there is none.
    classes, outputs
        Their names.

    Returns
    -------
    (N,) int32, tuple of str
        Index of each prediction in the names, and the names: the classes, then what else was predicted.
    """
    place = np.full(len(outputs), -1, np.int32)
    for index in range(len(classes) - 1, -1, -1):
        if class_output[index] >= 0:
            place[class_output[index]] = index
    further = [output for output in np.unique(predicted).tolist() if place[output] < 0]
    place[further] = np.arange(len(classes), len(classes) + len(further))
    found = place[predicted]
    # Where several classes share an output, a right prediction is the label's class.
    if len(classes):
        found = np.where((label >= 0) & (class_output[label] == predicted), label, found).astype(np.int32)
    return found, (*classes, *(outputs[output] for output in further))


def _tiles(file: ThumbnailFile, image_id: NDArray[np.int64]) -> Tiles:
    """Return a reader of tiles for rows of the map; only the chunks that hold them are read."""
    known, content = file.image_id, file.size
    place = np.searchsorted(known, image_id)
    if not np.array_equal(known[np.minimum(place, len(known) - 1)], image_id):
        raise UserError("thumbnails.h5: stale, lacks images of the map; run thumbnails again")

    def read(
        rows: NDArray[np.integer], size: int, *, margin: int = 0, square: bool = False
    ) -> NDArray[np.uint8]:
        wanted = place[rows]
        made = np.zeros((len(rows), size, size, 4), np.uint8)
        for start in range(0, len(known), ROWS_AT_ONCE):
            inside = np.flatnonzero((wanted >= start) & (wanted < start + ROWS_AT_ONCE))
            if not len(inside):
                continue
            pixels = file.pixels(slice(start, start + ROWS_AT_ONCE))
            for row in inside.tolist():
                if content[wanted[row]].any():
                    box = (int(content[wanted[row], 0]), int(content[wanted[row], 1]))
                    made[row] = scale(pixels[wanted[row] - start], box, size, margin=margin, square=square)
        return made

    return read


STAGE = Stage(
    name="render-embedding",
    run=run,
    params=Params,
    block="render_embedding",
    inputs={
        "embedding": "artifacts/embedding.h5",
        "manifest": "artifacts/manifest.h5",
        "predictions": "artifacts/predictions.h5",
        "neighbours": "artifacts/neighbours.h5",
        "names": "artifacts/class_names.h5",
        "separability": "artifacts/separability.h5",
        "similarity": "artifacts/similarity.h5",
        "thumbnails": "artifacts/thumbnails.h5",
    },
    outputs={"out": "artifacts/figures/embedding"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
