"""The folder of a chapter, as a render stage writes it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.contents.blocks import Block
from pipeline.contents.parts import ImageOutputs, ImagePart, ImageUnits, LayerPart, SpriteSheet, WholeImage
from pipeline.contents.section import Section
from pipeline.contents.values import Number
from pipeline.formats.status import DONE, Status
from pipeline.store.replacing import replaced_folder

LIST = "contents.json"


@dataclass
class SectionDraft:
    """A section that is being made.

    Attributes
    ----------
    name
        The section's name in the report.
    folder
        Where its files go.
    numbers, blocks, layers, images, sheets, whole_images, image_units, image_outputs,
    image_near
        As in `pipeline.contents.section.Section`.
    status
        Whether the analysis was done, as its artifact says.
    """

    name: str
    folder: Path
    numbers: dict[str, Number] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    layers: list[LayerPart] = field(default_factory=list)
    images: list[ImagePart] = field(default_factory=list)
    sheets: list[SpriteSheet] = field(default_factory=list)
    whole_images: list[WholeImage] = field(default_factory=list)
    image_units: ImageUnits | None = None
    image_outputs: ImageOutputs | None = None
    image_near: str | None = None
    status: Status = DONE

    def add(self, *blocks: Block) -> None:
        """Put blocks at the end of the page."""
        self.blocks.extend(blocks)

    def content(self) -> Section:
        """Return the section as it stands."""
        return Section(
            name=self.name, status=self.status.state, reason=self.status.reason, numbers=self.numbers,
            blocks=tuple(self.blocks), layers=tuple(self.layers), images=tuple(self.images),
            sheets=tuple(self.sheets), whole_images=tuple(self.whole_images), image_units=self.image_units,
            image_outputs=self.image_outputs, image_near=self.image_near,
        )  # fmt: skip


@dataclass
class ChapterDraft:
    """A chapter that is being made: ask it for its sections, in any order."""

    folder: Path
    sections: list[SectionDraft] = field(default_factory=list)

    def section(self, name: str) -> SectionDraft:
        """Begin a section; its folder is there when this returns."""
        draft = SectionDraft(name, self.folder / name)
        draft.folder.mkdir()
        self.sections.append(draft)
        return draft


@contextmanager
def new_chapter(path: Path) -> Iterator[ChapterDraft]:
    """Make a chapter under a temporary name and put it in place when it is whole.

    Parameters
    ----------
    path
        The chapter's folder. What was there before is replaced.
    """
    with replaced_folder(path) as folder:
        chapter = ChapterDraft(folder)
        yield chapter
        for draft in chapter.sections:
            write_section(draft.folder, draft.content())


def write_section(folder: Path, section: Section) -> None:
    """Write what a section says beside its files; equal sections give equal bytes."""
    lost = [name for name in section.files if not (folder / name).is_file()]
    assert not lost, f"section '{section.name}' names '{lost[0]}', which was not drawn"
    content = section.model_dump(mode="json", exclude_none=True)
    text = json.dumps(content, sort_keys=True, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    (folder / LIST).write_text(text + "\n", encoding="utf-8")
