"""What the search of every page finds: one script of few names, and shards of the paths of all images."""

from collections.abc import Sequence

from pipeline.report.addresses import address, chapter_page, layer_page, section_anchor
from pipeline.report.collecting import LayerEntry
from pipeline.report.environment import Frame
from pipeline.report.escaping import visible
from pipeline.report.scripts import write_names, write_script


def write_search(
    frame: Frame, layers: Sequence[LayerEntry], paths: Sequence[str], classes: Sequence[str]
) -> None:
    """Write ``data/search.js`` and ``data/search/<shard>.js``.

    Parameters
    ----------
    frame
        The report.
    layers
        In their order.
    paths
        Of all images that have a page, ascending.
    classes
        Those of the map; none where there is no map that could show them.
    """
    index = {
        "sections": _sections(frame),
        "layers": [(layer.name, address(layer_page(layer.name)), _units(layer)) for layer in layers],
        "classes": list(classes),
        "map": frame.map_page,
        "shards": write_names(frame.report, "search", paths),
    }
    write_script(frame.report, "search", index)


def _sections(frame: Frame) -> list[tuple[str, str, str]]:
    """Return title, address, and the chapter that it is in, empty of chapters themselves."""
    found = []
    for chapter in frame.chapters:
        title = visible(chapter.title)
        found.append((title, chapter_page(chapter.slug), ""))
        found += [
            (visible(section.caption.title), section_anchor(chapter.slug, section.name), title)
            for section in chapter.sections
        ]
    return found


def _units(layer: LayerEntry) -> int:
    """Return how many units a layer has, as far as any section says."""
    return layer.units_total or max((unit.unit + 1 for unit in layer.units), default=0)
