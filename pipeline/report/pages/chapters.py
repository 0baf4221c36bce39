"""The first page, and a page for each chapter."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline.contents.blocks import Block, Figure, Table, Units, Viewer
from pipeline.contents.values import spreadsheet_columns, spreadsheet_row
from pipeline.errors import UserError
from pipeline.report.addresses import section_anchor, table_file
from pipeline.report.collecting import Chapter, Worded
from pipeline.report.environment import Frame
from pipeline.report.shown import Shown, View
from pipeline.report.wording import line, prose
from pipeline.store.tables import write_table


def write_index(frame: Frame) -> None:
    """Write ``index.html``: a line of each section's numbers, and a card for each section."""
    sections = [section for chapter in frame.chapters for section in chapter.sections]
    frame.write(
        "index.html",
        "index.html",
        {
            "headlines": [text for section in sections if (text := _line(section, "headline"))],
            "viewers": [view for section in sections for view in _viewers(section)],
            "cards": [_card(chapter, one) for chapter in frame.chapters for one in chapter.sections],
        },
    )


def write_chapters(frame: Frame) -> None:
    """Write ``chapters/<chapter>.html`` for each chapter but the one about the report."""
    for chapter in frame.chapters[:-1]:
        write_chapter(frame, chapter, "chapter.html", {})


def write_chapter(frame: Frame, chapter: Chapter, template: str, values: dict[str, Any]) -> None:
    """Write the page of a chapter.

    Parameters
    ----------
    frame
        The report.
    chapter
        Its sections may be none.
    template
        The file of its template.
    values
        What this needs besides the sections.
    """
    for section in chapter.sections:
        write_tables(frame.report, section)
    before, after = _neighbours(frame.chapters, chapter)
    shown = {
        "chapter": chapter,
        "sections": [_section(section) for section in chapter.sections],
        "before": before,
        "after": after,
    }
    frame.write(f"chapters/{chapter.slug}.html", template, shown | values)


def write_tables(report: Path, section: Worded) -> None:
    """Write each table of a section for spreadsheets."""
    content = section.content
    lists = [content.blocks, *(image.blocks for image in content.images)]
    for layer in content.layers:
        lists += [layer.blocks, *(unit.blocks for unit in layer.units)]
    for block in (block for blocks in lists for block in blocks):
        if isinstance(block, Table):
            rows = [spreadsheet_row(block.columns, row) for row in block.rows]
            write_table(report / table_file(section.name, block.id), spreadsheet_columns(block.columns), rows)


def _section(section: Worded) -> Shown:
    done = section.content.status == "done"
    # What was not done has no numbers, which its text would ask for.
    return {
        "name": section.name,
        "title": section.caption.title,
        "status": section.content.status,
        "reason": section.content.reason,
        "text": prose(section.caption.words, section.numbers()) if done else "",
        "blocks": View(section, "../", {}).blocks(section.content.blocks),
    }


def _card(chapter: Chapter, section: Worded) -> Shown:
    return {
        "chapter": chapter.title,
        "title": section.caption.title,
        "page": section_anchor(chapter.slug, section.name),
        "status": section.content.status,
        "reason": section.content.reason,
        "finding": _line(section, "finding"),
        "figure": _card_figure(section),
    }


def _card_figure(section: Worded) -> Shown | None:
    """Return the figure that the caption file names for the card, where this run has it.

    Raises
    ------
    UserError
        If the caption file names none, though the section has figures.
    """
    figures = {name: figure for block in section.content.blocks for name, figure in _pictures(section, block)}
    wanted = section.caption.words.head.get("card", "")
    if figures and not wanted:
        raise UserError(
            f"{section.caption.source}: names no figure for the card on the first page; add a line "
            f"'card: {next(iter(figures))}', or 'card: none'"
        )
    found = figures.get(wanted)
    layer = next((part.layer for part in section.content.layers if found in part.blocks), "")
    return View(section, "", {"layer": layer}).block(found) if found else None


def _pictures(section: Worded, block: Block) -> Iterator[tuple[str, Figure]]:
    """Yield what a card can show of a block: a figure itself, of units the first figure of a middle layer."""
    if isinstance(block, Figure):
        yield block.id, block
    elif isinstance(block, Units):
        parts = {part.layer: part for part in section.content.layers}
        shown = parts[block.layers[len(block.layers) // 2]].blocks
        yield from ((block.id, one) for one in shown[:1] if isinstance(one, Figure))


def _line(section: Worded, key: str) -> str:
    return line(section.caption.words, key, section.numbers()) if section.content.status == "done" else ""


def _viewers(section: Worded) -> list[Shown]:
    """Return the maps: the first page leads to them, to other programs the section."""
    view = View(section, "", {})
    blocks = [block for block in section.content.blocks if isinstance(block, Viewer)]
    return [view.block(block) for block in blocks if block.program == "map"]


def _neighbours(chapters: Sequence[Chapter], chapter: Chapter) -> tuple[Chapter | None, Chapter | None]:
    place = [one.slug for one in chapters].index(chapter.slug)
    before = chapters[place - 1] if place else None
    return before, chapters[place + 1] if place + 1 < len(chapters) else None
