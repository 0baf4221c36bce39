"""The folder that a render stage hands to the report: its figures, and section.json that lists them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.store.metrics import significant
from pipeline.store.replacing import replaced_folder

LIST = "section.json"


@dataclass
class Section:
    """A section that is being made.

    Attributes
    ----------
    name
        The section's name in the report.
    folder
        Where its files go.
    figures, tables
        Entries of section.json, in the order of the page.
    numbers
        Name to number or text, for the section's caption.
    viewer
        The file that describes the data of an interactive view, if there is one.
    layers
        Entries of layers whose units have pages of their own.
    """

    name: str
    folder: Path
    figures: list[dict[str, Any]] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)
    numbers: dict[str, Any] = field(default_factory=dict)
    viewer: str | None = None
    layers: list[dict[str, Any]] = field(default_factory=list)

    def add_table(
        self, name: str, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], caption: str
    ) -> None:
        """Add a table of text and numbers; numbers are cut to six significant digits."""
        plain = [[_plain(cell) for cell in row] for row in rows]
        entry = {"id": f"{self.name}-{name}", "title": title, "columns": list(columns), "rows": plain}
        self.tables.append(entry | {"caption": caption})

    def content(self) -> dict[str, Any]:
        """Return what section.json says."""
        content = {
            "section": self.name,
            "figures": self.figures,
            "numbers": {name: _plain(value) for name, value in self.numbers.items()},
            "tables": self.tables,
            "viewer": self.viewer,
        }
        return content | ({"layers": self.layers} if self.layers else {})


@contextmanager
def new_section(path: Path) -> Iterator[Section]:
    """Make a section under a temporary name and put it in place when it is whole.

    Parameters
    ----------
    path
        The section's folder; its last part is the section's name. What was there before is replaced.
    """
    with replaced_folder(path) as folder:
        section = Section(path.name, folder)
        yield section
        text = json.dumps(section.content(), indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False)
        (folder / LIST).write_text(text + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    """Return a number as Python's own, six significant digits; anything else as it is."""
    value = value.item() if hasattr(value, "item") else value
    return significant(value) if isinstance(value, float) else value
