"""What the report makes of a section with the project's own captions."""

from pathlib import Path

from pipeline.contents.reading import read_section
from pipeline.report.captions import read_caption
from pipeline.report.site import Texts, write_report
from tests.pipeline.report import fakes


def page_of(section: Path, folder: Path) -> str:
    """Return the page of a section's chapter; a word or a number that the captions lack is an error."""
    stored = read_section(section)
    write_report(folder / "report", [stored], fakes.provenance(), Texts("Small"))
    chapter = read_caption(stored.content.name).chapter
    return (folder / "report" / "chapters" / f"{chapter}.html").read_text(encoding="utf-8")
