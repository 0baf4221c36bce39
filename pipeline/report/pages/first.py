"""The first page: one screen that says what was found, then a card for each section."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from markupsafe import Markup

from pipeline.contents.blocks import Block, Figure, Images, Multiples, Table, Units, Viewer
from pipeline.contents.values import Number
from pipeline.errors import UserError
from pipeline.parallel.forks import map_forked
from pipeline.report import cells
from pipeline.report.addresses import address, section_anchor, unit_page
from pipeline.report.captions import Parts
from pipeline.report.collecting import Chapter, Worded, collect_layers
from pipeline.report.environment import Frame
from pipeline.report.first.head import head, sourced
from pipeline.report.first.pictures import card_mosaic, card_pictures, map_picture, write_strip
from pipeline.report.first.rules import RULES, THRESHOLDS, Finding, standing
from pipeline.report.first.strip import PICTURES, SELECTIVITY, choose_units, spread
from pipeline.report.pages.maps import ImageMap
from pipeline.report.shown import Shown, View, unit_numbers
from pipeline.report.wording import line, prose, sourced_line

# The section that draws the map; where there is no map, it says why.
MAP = "embedding"
# A map whose scripts are larger waits until the reader points at it, so that the first view stays below 1 MB.
LIVE_BYTES = 200_000


def write_first(frame: Frame, words: Parts, found: ImageMap | None) -> None:
    """Write ``index.html`` and its pictures.

    Parameters
    ----------
    frame
        The report; the files of its sections are there already.
    words
        Of the page.
    found
        The map, where there is one.

    Raises
    ------
    UserError
        If a caption lacks words or a number, or names no figure for a card though the section has figures.
    """
    sections = {section.name: section for chapter in frame.chapters for section in chapter.sections}
    metrics: Mapping[str, Number] = next((one.metrics for one in sections.values()), {})
    frame.write(
        "index.html",
        "index.html",
        {
            "head": head(words, sections, metrics),
            "standing": _standing(words, sections),
            "nothing": line(words.part("nothing"), "title", {}),
            "rules": [
                prose(words.part(name), THRESHOLDS) for name in dict.fromkeys(rule.name for rule in RULES)
            ],
            "map": _map(frame, found) if found else None,
            "no_map": sections[MAP].content.reason if MAP in sections else "",
            "strip": _strip(frame, words, list(sections.values())),
            "cards": _cards(frame),
        },
    )


def _standing(words: Parts, sections: Mapping[str, Worded]) -> list[Shown]:
    contents = {name: section.content for name, section in sections.items()}
    return [_finding(words, sections[one.section], one) for one in standing(contents)]


def _finding(words: Parts, section: Worded, found: Finding) -> Shown:
    own = section.sources()
    sources = {name: own[key] for name, key in found.keys.items()}
    page = section_anchor(section.caption.chapter, section.name)
    return {
        "rule": found.rule,
        "page": f"{page}/{found.block}" if found.block else page,
        "text": sourced_line(words.part(found.rule), "title", found.numbers, sources),
    }


def _map(frame: Frame, found: ImageMap) -> Shown:
    """Return the still picture of the map, and what makes it a live one."""
    section, viewer = found.section, found.viewer
    view = View(section, "", {})
    still = next((block for block in section.content.blocks if isinstance(block, Figure)), None)
    shown = view.block(still) if still else None
    if still and shown and not still.dark:
        shown["image"] = map_picture(frame.report, section, still.image)
    scripts = [section.folder + script for script in viewer.scripts]
    size = sum((frame.report / script).stat().st_size for script in scripts)
    return {
        "page": found.page,
        "still": shown,
        "folder": address(section.folder),
        "scripts": " ".join(map(address, scripts)),
        "at_once": size <= LIVE_BYTES,
    }


def _strip(frame: Frame, words: Parts, sections: Sequence[Worded]) -> Shown | None:
    """Draw the strip of units; None where no unit is drawn."""
    drawn, name = choose_units(collect_layers(sections))
    if not drawn:
        return None
    chosen = spread(drawn)
    said = {"shown": len(chosen), "layers": len(drawn), "selective": int(name == SELECTIVITY)}
    part = words.part("strip")
    return {
        "title": line(part, "title", said),
        "text": prose(part, said),
        "sheet": write_strip(frame.report, [one.pictures for one in chosen], PICTURES),
        "units": [
            {
                "layer": one.layer,
                "unit": one.unit,
                "page": address(unit_page(one.layer, one.unit, drawn=True)),
                "source": one.source,
                "alt": line(part, "alt", {"layer": one.layer, "unit": one.unit, "pictures": one.shown}),
            }
            for one in chosen
        ],
    }


def _cards(frame: Frame) -> list[Shown]:
    """Draw the cards side by side: it takes longer than the rest of the page, nearly all to code pictures."""
    sections = [(chapter, one) for chapter in frame.chapters for one in chapter.sections]
    return list(map_forked(lambda one: _card(frame, *one), sections))


def _card(frame: Frame, chapter: Chapter, section: Worded) -> Shown:
    found = _card_figure(section)
    return {
        "chapter": chapter.title,
        "title": section.caption.title,
        "page": section_anchor(chapter.slug, section.name),
        "status": section.content.status,
        "reason": section.content.reason,
        "finding": _sourced_finding(section),
        "evidence": _evidence(section, found),
        "figure": _card_picture(frame, section, found)
        if found
        else _card_sheet(frame, section) or _card_images(frame, section),
    }


def _card_picture(frame: Frame, section: Worded, figure: Figure) -> Shown:
    """Draw a card's picture; its words may name the layer or the image that the figure belongs to."""
    content = section.content
    layer = next((part.layer for part in content.layers if figure in part.blocks), "")
    path = next((part.path for part in content.images if _holds(part.blocks, figure)), "")
    shown = View(section, "", {"layer": layer, "path": path}).block(figure)
    pictures = card_pictures(frame.report, section, figure.image, figure.dark)
    return {"alt": shown["alt"] or shown["title"], **pictures}


def _card_sheet(frame: Frame, section: Worded) -> Shown | None:
    """Draw the first units' strips of a middle layer: all that a section has which speaks of units alone."""
    layers = [layer for layer in section.content.layers if any(unit.strips for unit in layer.units)]
    if not layers:
        return None
    layer = layers[len(layers) // 2]
    unit, strip = next((unit, unit.strips[0]) for unit in layer.units if unit.strips)
    words, said = section.caption.part(strip.caption), unit_numbers(layer.layer, layer, unit)
    alt = line(words, "alt", {**section.numbers(layer.numbers), **said}) or section.caption.title
    return {"alt": alt, **card_pictures(frame.report, section, layer.sheets[strip.sheet].file)}


def _card_images(frame: Frame, section: Worded) -> Shown | None:
    """Draw the images that a section's program begins with."""
    programs = [block for block in section.content.blocks if isinstance(block, Viewer) and block.pictures]
    if not programs:
        return None
    return {"alt": section.caption.title, **card_mosaic(frame.report, section, programs[0].pictures)}


def _holds(blocks: Sequence[Block], figure: Figure) -> bool:
    return any(
        block is figure or (isinstance(block, Multiples) and figure in block.figures) for block in blocks
    )


def _card_figure(section: Worded) -> Figure | None:
    """Return the figure that the caption file names for the card, else the first one that the section shows.

    Raises
    ------
    UserError
        If the caption file names none, though the section has figures of its own.
    """
    figures = {name: figure for block in section.content.blocks for name, figure in _pictures(section, block)}
    wanted = section.caption.words.head.get("card", "")
    if figures and not wanted:
        raise UserError(
            f"{section.caption.source}: names no figure for the card on the first page; add a line "
            f"'card: {next(iter(figures))}', or 'card: none'"
        )
    return figures.get(wanted) or next(iter(figures.values()), _first_of_images(section))


def _pictures(section: Worded, block: Block) -> Iterator[tuple[str, Figure]]:
    """Yield what a card can show of a block: a figure itself, of units the first figure of a middle layer."""
    if isinstance(block, Figure):
        yield block.id, block
    elif isinstance(block, Multiples):
        yield from ((one.id, one) for one in block.figures)
    elif isinstance(block, Units):
        parts = {part.layer: part for part in section.content.layers}
        shown = parts[block.layers[len(block.layers) // 2]].blocks
        yield from ((block.id, one) for one in shown[:1] if isinstance(one, Figure))


def _first_of_images(section: Worded) -> Figure | None:
    """Return the first figure that a section shows of an image."""
    shown = {image for block in section.content.blocks if isinstance(block, Images) for image in block.images}
    parts = sorted(section.content.images, key=lambda part: part.image_id not in shown)
    pictures = (figure for part in parts for block in part.blocks for _, figure in _pictures(section, block))
    return next(pictures, None)


def _sourced_finding(section: Worded) -> Markup | str:
    if section.content.status != "done":
        return ""
    return sourced_line(section.caption.words, "finding", section.numbers(), section.sources())


def _evidence(section: Worded, figure: Figure | None) -> Markup | str:
    """Say what a card's sentence is of: the caption's line ``n``, else its figure's or a block's evidence."""
    if section.content.status != "done":
        return ""
    said = sourced_line(section.caption.words, "n", section.numbers(), section.sources())
    if said:
        return Markup("n = {}").format(said)
    blocks = [block for block in section.content.blocks if isinstance(block, (Figure, Table))]
    for block in sorted(blocks, key=lambda block: block != figure):
        if block.evidence:
            source = f"{section.source}#blocks.{block.id}.evidence"
            return sourced(cells.evidence_text(block.evidence), source)
    return ""
