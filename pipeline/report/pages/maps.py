"""The pages of interactive maps, each drawn by a script of our own from points and atlases of thumbnails."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.contents.blocks import Viewer
from pipeline.report.addresses import address, section_anchor
from pipeline.report.collecting import Chapter, Worded
from pipeline.report.environment import Frame
from pipeline.report.shown import View


@dataclass(frozen=True)
class ImageMap:
    """A map and the section that it belongs to."""

    section: Worded
    viewer: Viewer

    @property
    def page(self) -> str:
        """Its address."""
        return self.section.pages[self.viewer.id]


def with_viewers(chapters: Sequence[Chapter]) -> list[Chapter]:
    """Give every viewer its address: the first of a program has the program's name, a further one more."""
    taken: set[str] = set()

    def pages(section: Worded) -> dict[str, str]:
        made = {}
        for viewer in _viewers(section):
            page = f"{viewer.program}.html"
            made[viewer.id] = f"{viewer.program}-{section.name}-{viewer.id}.html" if page in taken else page
            taken.add(page)
        return made

    return [
        replace(chapter, sections=[replace(one, pages=pages(one)) for one in chapter.sections])
        for chapter in chapters
    ]


def find_maps(sections: Sequence[Worded]) -> list[ImageMap]:
    """Return the interactive maps of all sections."""
    return [
        ImageMap(section, viewer)
        for section in sections
        for viewer in _viewers(section)
        if viewer.program == "map"
    ]


def _viewers(section: Worded) -> list[Viewer]:
    return [block for block in section.content.blocks if isinstance(block, Viewer)]


def write_map(frame: Frame, found: ImageMap) -> None:
    """Write the page of a map."""
    section, viewer = found.section, found.viewer
    frame.write(
        found.page,
        "map.html",
        {
            "viewer": View(section, "", {}).block(viewer),
            "back": section_anchor(section.caption.chapter, section.name),
            "folder": address(section.folder),
            "scripts": [address(section.folder + script) for script in viewer.scripts],
        },
    )
