"""The whole report: a folder that opens by double-click."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.contents.map_points import read_map_points
from pipeline.contents.reading import StoredSection
from pipeline.contents.writing import LIST
from pipeline.errors import UserError
from pipeline.parallel.forks import map_forked
from pipeline.progress import progress
from pipeline.report.captions import FOLDER as CAPTIONS
from pipeline.report.captions import check_chapter, read_caption, read_chapters, read_page_words
from pipeline.report.collecting import Chapter, LayerEntry, Worded, collect_images, collect_layers
from pipeline.report.environment import Frame
from pipeline.report.pages import about
from pipeline.report.pages.chapters import write_chapters
from pipeline.report.pages.first import write_first
from pipeline.report.pages.images import write_images
from pipeline.report.pages.labelling import write_labelling
from pipeline.report.pages.layers import write_layer
from pipeline.report.pages.lookup import write_lookup, write_undrawn
from pipeline.report.pages.maps import find_maps, with_viewers, write_map
from pipeline.report.pages.searching import write_search
from pipeline.report.pages.units import with_neighbours, write_units
from pipeline.report.provenance import Provenance
from pipeline.report.sources import sources_of
from pipeline.report.unit_shown import Units, glimpses
from pipeline.store.replacing import linked, replaced_folder

ASSETS = Path(__file__).parent / "assets"
# Anchors of the pages' own, which no section may take.
RESERVED = {
    "content", "provenance", "skipped", "noted", "graph", "downloads", "distributions", "all-units", "tools",
    "list",
}  # fmt: skip


# Pages of units from which on processes save more time than their beginning takes.
MANY_PAGES = 300


@dataclass(frozen=True)
class Texts:
    """What the person who runs the report chooses.

    Attributes
    ----------
    title
        Heading of every page.
    skipped_shown
        Most rows of the tables of skipped and of odd images; all of them are in a CSV beside each.
    captions
        The folder of caption files.
    """

    title: str
    skipped_shown: int = 100
    captions: Path = CAPTIONS


def write_report(out: Path, sections: Sequence[StoredSection], provenance: Provenance, texts: Texts) -> None:
    """Write a report into a folder, replacing what was there only when the new one is whole.

    Parameters
    ----------
    out
        The report's folder.
    sections
        What the render stages drew; each needs a caption file.
    provenance
        What it was all made from.
    texts
        Title and other choices.

    Raises
    ------
    UserError
        If a caption is missing, names a chapter that there is not, or needs a number that no artifact gives;
        if a section has the name of an anchor of the pages.
    """
    chapters = order_sections(sections, provenance, texts)
    worded = [section for chapter in chapters for section in chapter.sections]
    maps = find_maps(worded)
    with _replaced(out) as folder:
        shutil.copytree(ASSETS, folder / "assets")
        for section in sections:
            # What is listed for the report alone would be megabytes that no page shows.
            shutil.copytree(
                section.folder, folder / "figures" / section.content.name,
                ignore=shutil.ignore_patterns(LIST), copy_function=linked,
            )  # fmt: skip
        frame = Frame(folder, texts.title, chapters, maps[0].page if maps else None)
        write_first(frame, read_page_words("first", texts.captions), maps[0] if maps else None)
        write_chapters(frame)
        about.write_about(frame, chapters[-1], provenance, skipped_shown=texts.skipped_shown)
        for found in maps:
            write_map(frame, found)
        write_labelling(frame, worded)
        _write_collected(frame, worded)


def order_sections(sections: Sequence[StoredSection], provenance: Provenance, texts: Texts) -> list[Chapter]:
    """Return the chapters that have sections, in their order, and the one about the report at the end.

    Raises
    ------
    UserError
        If a caption is missing or names a chapter that there is not, or a section has the name of an anchor.
    """
    titles = read_chapters(texts.captions)
    if about.SLUG not in titles:
        raise UserError(f"{texts.captions}: lists no chapter '{about.SLUG}'; every report has one")
    found: dict[str, list[Worded]] = {slug: [] for slug in titles}
    for section in sections:
        name = section.content.name
        caption = read_caption(name, texts.captions)
        if name in RESERVED:
            raise UserError(f"{section.folder}: a section cannot be called '{name}', pages have this anchor")
        check_chapter(caption, found)
        found[caption.chapter].append(
            Worded(
                section.content,
                caption,
                provenance.metrics,
                source=_source(section.folder),
                drawn_from=sources_of(name, caption, provenance),
            )  # fmt: skip
        )
    last = found.pop(about.SLUG)
    chapters = [Chapter(slug, titles[slug], _sorted(own)) for slug, own in found.items() if own]
    return with_viewers([*chapters, Chapter(about.SLUG, titles[about.SLUG], _sorted(last))])


def _source(folder: Path) -> str:
    """Return the file of a section in the folder of artifacts."""
    return f"figures/{folder.parent.name}/{folder.name}/{LIST}"


def _sorted(sections: list[Worded]) -> list[Worded]:
    return sorted(sections, key=lambda section: (section.caption.order, section.name))


def _write_collected(frame: Frame, sections: Sequence[Worded]) -> None:
    """Write the pages of layers, units and images, which collect from all sections.

    Where there are many, those of each layer and those of images are written side by side.
    """
    layers, maps = collect_layers(sections), find_maps(sections)
    found = (maps[0], read_map_points(frame.report / maps[0].section.folder)) if maps else None
    images, others = collect_images(sections, layers), glimpses(layers)
    drawn = [sum(unit.drawn for unit in layer.units) for layer in layers]
    jobs: list[Callable[[], Any]] = [
        partial(write_images, frame, images, layers, found, sections),
        *(partial(_write_units_of, frame, others, *step) for step in with_neighbours(layers)),
    ]
    done = map_forked(lambda job: job(), jobs, here=sum(drawn) < MANY_PAGES)
    paths, abouts = next(done), []
    with progress("pages of units", total=sum(drawn), unit="pages") as bar:
        for layer, count, about_units in zip(layers, drawn, done, strict=True):
            abouts.append((layer.name, about_units))
            bar.advance(count)
    write_lookup(frame, abouts)
    write_search(frame, layers, paths, found[1].classes if found else ())


def _write_units_of(
    frame: Frame,
    others: Units,
    before: LayerEntry | None,
    layer: LayerEntry,
    after: LayerEntry | None,
) -> dict[str, Any]:
    """Write the page of a layer and of its drawn units; return what is told of the others."""
    write_layer(frame, before, layer, after)
    write_units(frame, layer, others)
    return write_undrawn(frame, layer)


@contextmanager
def _replaced(out: Path) -> Iterator[Path]:
    """Give an empty folder that takes the place of `out` when all went well."""
    if out.exists() and any(out.iterdir()) and not (out / "assets" / "site.js").is_file():
        raise UserError(f"{out}: holds something that is not a report; move it away, or give another folder")
    with replaced_folder(out) as partial:
        yield partial
