"""A page for each chapter."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.contents.blocks import Table
from pipeline.contents.values import spreadsheet_columns, spreadsheet_row
from pipeline.report.addresses import table_file
from pipeline.report.collecting import Chapter, Worded
from pipeline.report.environment import Frame
from pipeline.report.pages.graph import name_of
from pipeline.report.shown import Shown, View
from pipeline.report.sources import Source
from pipeline.report.wording import prose
from pipeline.store.tables import write_table


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
        "sources": [_source(source) for source in section.drawn_from] if done else [],
    }


def _source(source: Source) -> Shown:
    artifact = source.artifact
    return {
        "page": f"about.html#artifact-{name_of(artifact.name)}",
        "file": artifact.name,
        "stage": artifact.stage,
        "version": artifact.schema_version,
        "made_from": [name for name in artifact.digests if name != "params"],
        "params": source.params,
    }


def _neighbours(chapters: Sequence[Chapter], chapter: Chapter) -> tuple[Chapter | None, Chapter | None]:
    place = [one.slug for one in chapters].index(chapter.slug)
    before = chapters[place - 1] if place else None
    return before, chapters[place + 1] if place + 1 < len(chapters) else None
