"""The page that looks an image up: what is known of it, its place on the map, the units that it excites."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.contents.map_points import MapPoints
from pipeline.contents.parts import ImageUnits
from pipeline.report.addresses import address, any_unit, section_anchor, unit_page
from pipeline.report.collecting import ImageEntry, LayerEntry, Worded
from pipeline.report.environment import Frame, fragment
from pipeline.report.numbers import share
from pipeline.report.pages.maps import ImageMap
from pipeline.report.scripts import write_buckets, write_script
from pipeline.report.shown import View
from pipeline.report.wording import line, prose

# Units named on an image's page where it is not known how it stands in every unit.
WINS_SHOWN = 12


def write_images(
    frame: Frame,
    images: Mapping[str, ImageEntry],
    layers: Sequence[LayerEntry],
    found: tuple[ImageMap, MapPoints] | None,
    sections: Sequence[Worded],
) -> list[str]:
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
    sections
        All; the one that says in which units images stand highest, if any does, adds to the images that are
        known where there is a map, and brings in no others; the one that says what the network takes them
        for only adds, and so does the one that knows which are nearest.

    Returns
    -------
    list of str
        The paths of all images that the page knows, ascending.
    """
    standing = next((section for section in sections if section.content.image_units), None)
    ranked = standing.content.image_units if standing else None
    most = ranked.units if ranked else {}
    drawn = {(unit.layer, unit.unit) for layer in layers for unit in layer.units if unit.drawn}
    places = {path: place for place, path in enumerate(found[1].path)} if found else {}
    records = {
        path: _record(images.get(path), found[1] if found else None, places.get(path), drawn)
        for path in sorted({*images, *(places or most)})
    }
    for path in records.keys() & most.keys():
        records[path].pop("units", None)
        records[path]["most"] = most[path]
    taken = _take(records, sections)
    shards = write_buckets(frame.report, "images", records)
    index = {
        "shards": shards,
        "map": _map(*found) if found else None,
        "most": _most(standing, ranked) if standing and ranked else None,
        "taken": taken,
        "near": _near(found[1], sections) if found else None,
    }
    write_script(frame.report, "images", index)
    frame.write("image.html", "image.html", {})
    return list(records)


def _map(found: ImageMap, points: MapPoints) -> dict[str, Any]:
    return {
        "folder": address(found.section.folder),
        "classes": list(points.classes),
        "without_output": list(points.without_output),
        "atlases": points.levels[-1].model_dump(),
        "images": len(points.path),
        "runs": list(points.runs),
        "near": list(points.near_runs),
    }


def _near(points: MapPoints, sections: Sequence[Worded]) -> dict[str, Any] | None:
    """Say what the nearest images are that the map's points name, and how often chance has each label."""
    section = next((one for one in sections if one.content.image_near), None)
    if points.near is None or section is None or section.content.image_near is None:
        return None
    words, numbers = section.caption.part(section.content.image_near), section.numbers()
    return {
        "title": line(words, "title", numbers),
        "note": prose(words, numbers),
        "page": section_anchor(section.caption.chapter, section.name),
        "chance": chances(points.label[(points.near >= 0).any(axis=1)], len(points.classes)),
    }


def chances(label: NDArray[np.integer], classes: int) -> list[str]:
    """Say how often chance alone gives images each class for a neighbour's label.

    Parameters
    ----------
    label
        (n,) of all that are compared, -1 where there is none.
    classes
        How many there are.

    Returns
    -------
    list of str
        For each class the share of an image's labelled others that have its label, too; empty text where
        none has. Without two labels, which could differ, none at all.
    """
    counts = np.bincount(label[label >= 0], minlength=classes)
    if (counts > 0).sum() < 2:
        return []
    return [share((one - 1) / (counts.sum() - 1)) if one > 1 else "" for one in counts.tolist()]


def _most(section: Worded, units: ImageUnits) -> dict[str, Any]:
    return {
        "page": section_anchor(section.caption.chapter, section.name),
        "of": units.of,
        "layers": [(name, any_unit(name)) for name in units.layers],
    }


def _take(records: dict[str, dict[str, Any]], sections: Sequence[Worded]) -> Sequence[str] | None:
    """Say what the network takes images for, where a section does; return the names of its outputs."""
    taken = next(filter(None, (section.content.image_outputs for section in sections)), None)
    if taken is None:
        return None
    for path in records.keys() & taken.outputs.keys():
        # A place of a name, then its probability as the report writes it, and so on.
        pairs = enumerate(taken.outputs[path])
        records[path]["taken"] = [share(value) if place % 2 else int(value) for place, value in pairs]
    return taken.names


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
            for layer, unit, rank in sorted(entry.excites, key=itemgetter(2))[:WINS_SHOWN]
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
