"""The page of the interactive map, drawn by a script of our own from numbers and thumbnail atlases."""

import json
from typing import Any

from pipeline.errors import UserError
from pipeline.report.section import Section


def map_values(section: Section) -> dict[str, Any]:
    """Return what the map's page needs: where its points and its atlases are, relative to the report.

    Raises
    ------
    UserError
        If the viewer's file names no points, or points that are not there.
    """
    assert section.content.viewer is not None, "asked for the map of a section without one"
    source = section.folder / section.content.viewer
    try:
        points = json.loads(source.read_bytes())["points"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{source}: must be JSON that names its 'points' ({error!r})") from None
    if not isinstance(points, str) or not (section.folder / points).is_file():
        raise UserError(
            f"{source}: its points {points!r} are not there; run the section's render stage again"
        )
    folder = f"figures/{section.content.section}/"
    return {"folder": folder, "points": folder + points}
