"""The templates, with escaping always on and a missing value always an error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from pipeline.report.addresses import address, any_unit, chapter_page, layer_page
from pipeline.report.collecting import Chapter
from pipeline.report.escaping import named, visible
from pipeline.report.numbers import FILTERS, cell
from pipeline.report.wording import unbroken

FOLDER = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Frame:
    """What all pages of a report have.

    Attributes
    ----------
    report
        The folder that the pages go to.
    title
        Heading of every page.
    chapters
        Those that have a page, in their order.
    map_page
        The page of the map, where there is one.
    """

    report: Path
    title: str
    chapters: Sequence[Chapter]
    map_page: str | None

    def write(self, page: str, template: str, values: Mapping[str, Any]) -> None:
        """Fill a template and write the page; what utf-8 cannot hold is written as escapes.

        Parameters
        ----------
        page
            Its place in the report; folders on the way are made.
        template
            The file of its template.
        values
            What the template needs; one that it lacks is an error.
        """
        path = self.report / page
        path.parent.mkdir(parents=True, exist_ok=True)
        shown = {
            "root": "../" * page.count("/"),
            "title": self.title,
            "chapters": self.chapters,
            "map_page": self.map_page,
            "page": page,
        }
        text = _template(template).render(shown | dict(values))
        path.write_bytes(text.encode("utf-8", errors="backslashreplace"))


def fragment(template: str, values: Mapping[str, Any]) -> str:
    """Fill a template that is a part of a page."""
    return _template(template).render(values)


@cache
def _template(name: str) -> Template:
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= FILTERS | {
        "unbroken": unbroken,
        "visible": visible,
        "address": address,
        "any_unit": any_unit,
        "cell": cell,
        "chapter_page": chapter_page,
        "layer_page": layer_page,
        "named": named,
    }
    return environment
