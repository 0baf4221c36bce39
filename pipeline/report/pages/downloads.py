"""The files of a report that can be taken away: the numbers behind figures, and its tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.contents.blocks import Block, Figure, Multiples, Table
from pipeline.report.addresses import address, section_anchor, table_file
from pipeline.report.collecting import Chapter, Worded
from pipeline.report.shown import Shown


def downloads(chapters: Sequence[Chapter], root: str) -> list[Shown]:
    """Return the CSV files of each section that has any, in the order of the report.

    Parameters
    ----------
    chapters
        Of the report.
    root
        What leads from the page to the report's folder.
    """
    listed = []
    for chapter in chapters:
        for section in chapter.sections:
            files = list(dict.fromkeys(_files(section)))
            if files:
                named = [{"name": file.rpartition("/")[2], "address": root + address(file)} for file in files]
                page = root + section_anchor(chapter.slug, section.name)
                listed.append({"title": section.caption.title, "page": page, "files": named})
    return listed


def _files(section: Worded) -> Iterator[str]:
    for block in section.content.blocks:
        yield from _of_block(section, block)
    for layer in section.content.layers:
        if layer.data:
            yield section.folder + layer.data


def _of_block(section: Worded, block: Block) -> Iterator[str]:
    if isinstance(block, Figure) and block.data:
        yield section.folder + block.data
    elif isinstance(block, Multiples):
        for figure in block.figures:
            yield from _of_block(section, figure)
    elif isinstance(block, Table):
        yield table_file(section.name, block.id)
