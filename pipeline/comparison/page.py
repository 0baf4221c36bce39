"""The page of a comparison: sections with their words, in the look of the report."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.comparison.changed import KINDS, Shown
from pipeline.contents.writing import SectionDraft
from pipeline.errors import UserError
from pipeline.formats.status import Status
from pipeline.report.addresses import address
from pipeline.report.captions import FOLDER, read_caption
from pipeline.report.collecting import Worded
from pipeline.report.environment import Frame
from pipeline.report.pages.chapters import write_tables
from pipeline.report.shown import View
from pipeline.report.site import ASSETS
from pipeline.report.wording import prose

CAPTIONS = FOLDER / "comparison"
USED = (ASSETS / "style.css", ASSETS / "site.js", Path(__file__).parent / "comparison.css")


@dataclass
class Page:
    """A page that is being made.

    Attributes
    ----------
    folder
        Where it goes.
    sections
        Those that were added, in the order of the page.
    shown
        Images whose prediction changed, by kind.
    """

    folder: Path
    sections: list[SectionDraft] = field(default_factory=list)
    shown: Mapping[str, Sequence[Shown]] = field(default_factory=dict)

    @property
    def differs(self) -> bool:
        """Whether a section says that anything differs; one that could not be drawn says nothing of it."""
        counts = ("settings", "differing", "changed")
        return any(section.numbers.get(name) for section in self.sections for name in counts)

    def add(self, name: str, draw: Callable[[SectionDraft], Any]) -> Any:
        """Add a section; one that a run lacks something for says so, and leaves the others alone.

        Returns
        -------
        Any
            What `draw` returns; None where it could not.
        """
        section = SectionDraft(name, self.folder / "figures" / name)
        section.folder.mkdir(parents=True)
        self.sections.append(section)
        try:
            return draw(section)
        except UserError as error:
            section.status = Status("not applicable", str(error))
            return None

    def write(self, title: str, first: str, second: str, *, nothing: bool) -> None:
        """Write ``index.html`` and what it needs.

        Parameters
        ----------
        title
            Its heading.
        first, second
            What the runs are called.
        nothing
            Whether nothing differs.
        """
        (self.folder / "assets").mkdir()
        for file in USED:
            shutil.copy(file, self.folder / "assets" / file.name)
        frame = Frame(self.folder, title, (), None)
        worded = [Worded(one.content(), read_caption(one.name, CAPTIONS), {}) for one in self.sections]
        for section in worded:
            write_tables(self.folder, section)
        shown = [self._section(section) for section in worded]
        values = {"first": first, "second": second, "nothing": nothing, "sections": shown}
        frame.write("index.html", "comparison.html", values)

    def _section(self, section: Worded) -> dict[str, Any]:
        done = section.content.status == "done"
        return {
            "name": section.name,
            "title": section.caption.title,
            "status": section.content.status,
            "reason": section.content.reason,
            "text": prose(section.caption.words, section.numbers()) if done else "",
            "blocks": View(section, "", {}).blocks(section.content.blocks) if done else [],
            "galleries": list(self._galleries(section)) if done else [],
        }

    def _galleries(self, section: Worded) -> list[dict[str, Any]]:
        """Return what is shown of each kind of changed image, in the section that counts them."""
        groups = [kind for kind in KINDS if self.shown.get(kind) and kind in section.content.numbers]
        view = View(section, "", {})
        return [
            {
                **view.words(kind, {}), "kind": kind, "count": section.content.numbers[kind],
                "images": [vars(one) | {"address": self._address(section, one)} for one in self.shown[kind]],
            }
            for kind in groups
        ]  # fmt: skip

    def _address(self, section: Worded, image: Shown) -> str:
        return address(section.folder + image.picture) if image.picture else ""
