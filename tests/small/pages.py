"""What the report makes of a section with the project's own captions."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from PIL import Image

from pipeline.contents.blocks import Figure
from pipeline.contents.reading import read_section
from pipeline.contents.values import Number
from pipeline.report.captions import read_caption
from pipeline.report.site import Texts, write_report
from pipeline.report.wording import line
from tests.pipeline.report import fakes


def page_of(section: Path, folder: Path) -> str:
    """Return the page of a section's chapter; a word or a number that the captions lack is an error."""
    stored = read_section(section)
    write_report(folder / "report", [stored], fakes.provenance(), Texts("Small"))
    chapter = read_caption(stored.content.name).chapter
    return (folder / "report" / "chapters" / f"{chapter}.html").read_text(encoding="utf-8")


def title_of(section: str, part: str, numbers: Mapping[str, Number]) -> str:
    """Return the title of a figure of a section, written with plain spaces."""
    return line(read_caption(section).part(part), "title", numbers).replace("\u00a0", " ")


def check_sizes(folder: Path, figure: Figure) -> None:
    """Hold a figure's pictures against the size that it says; a plot has two pixels for each of the page."""
    for name in filter(None, (figure.image, figure.dark)):
        with Image.open(folder / name) as image:
            fold = round(image.width / figure.width)
            assert fold in (1, 2)
            assert image.size == pytest.approx((fold * figure.width, fold * figure.height), abs=fold - 1)
