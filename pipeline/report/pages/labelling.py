"""The page on which people label images; what they answer, the stage `humans` reads."""

from collections.abc import Sequence

from pipeline.contents.blocks import Viewer
from pipeline.report.addresses import address, section_anchor
from pipeline.report.collecting import Worded
from pipeline.report.environment import Frame
from pipeline.report.shown import View


def write_labelling(frame: Frame, sections: Sequence[Worded]) -> None:
    """Write the labelling page of each section that has one."""
    for section in sections:
        for viewer in section.content.blocks:
            if isinstance(viewer, Viewer) and viewer.program == "label":
                _write(frame, section, viewer)


def _write(frame: Frame, section: Worded, viewer: Viewer) -> None:
    frame.write(
        section.pages[viewer.id],
        "label.html",
        {
            "viewer": View(section, "", {}).block(viewer),
            "back": section_anchor(section.caption.chapter, section.name),
            "folder": address(section.folder),
            "scripts": [address(section.folder + script) for script in viewer.scripts],
        },
    )
