"""The page that looks an image up: what is known of it, its place on the map, the units that it excites."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.contents.map_points import MapPoints
from pipeline.report.addresses import address, section_anchor, unit_page
from pipeline.report.collecting import ImageEntry, LayerEntry, Worded
from pipeline.report.environment import Frame, fragment
from pipeline.report.pages.maps import ImageMap
from pipeline.report.scripts import write_buckets, write_script
from pipeline.report.shown import View


def write_images(
    frame: Frame,
    images: Mapping[str, ImageEntry],
    layers: Sequence[LayerEntry],
    found: tuple[ImageMap, MapPoints] | None,
) -> None:
    """Write ``image.html`` and its data: ``data/images.js``, and shards by a hash of the path.

    Parameters
    ----------
    frame
        The report.
    images
        By path, what sections say.
    layers
        Those of the units that images excite.
    found
        The map and its points; None where there is no map.
    """
    drawn = {(unit.layer, unit.unit) for layer in layers for unit in layer.units() if unit.drawn}
    places = {path: place for place, path in enumerate(found[1].path)} if found else {}
    records = {
        path: _record(images.get(path), found[1] if found else None, places.get(path), drawn)
        for path in sorted({*images, *places})
    }
    shards = write_buckets(frame.report, "images", records)
    write_script(frame.report, "images", {"shards": shards, "map": _map(*found) if found else None})
    frame.write("image.html", "image.html", {})


def _map(found: ImageMap, points: MapPoints) -> dict[str, Any]:
    return {
        "folder": address(found.section.folder),
        "classes": list(points.classes),
        "atlases": points.levels[-1].model_dump(),
    }


def _record(
    entry: ImageEntry | None, points: MapPoints | None, place: int | None, drawn: set[tuple[str, int]]
) -> dict[str, Any]:
    """Return what the page shows of an image; what there is not is left out."""
    record: dict[str, Any] = {}
    if points is not None and place is not None:
        of_place = (points.image_id, points.label, points.predicted)
        record["map"] = [place, *(int(values[place]) for values in of_place)]
    if entry and entry.parts:
        record["said"] = [_said(*part) for part in entry.parts]
    if entry and entry.excites:
        record["units"] = [
            (layer, unit, rank, unit_page(layer, unit, drawn=(layer, unit) in drawn))
            for layer, unit, rank in entry.excites
        ]
    return record


def _said(section: Worded, part: Any) -> str:
    """Return what a section says of an image as it stands on the page."""
    view = View(section, "", {"path": part.path})
    return fragment(
        "image-part.html",
        {
            "title": section.caption.title,
            "chapter": section_anchor(section.caption.chapter, section.name),
            "facts": view.facts(part.facts),
            "blocks": view.blocks(part.blocks),
        },
    )
