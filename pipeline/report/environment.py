"""The templates, with escaping always on and a missing value always an error."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from pipeline.report.escaping import address, visible
from pipeline.report.numbers import FILTERS, cell

FOLDER = Path(__file__).parent / "templates"


@cache
def template(name: str) -> Template:
    """Return a compiled template by the name of its file."""
    return _environment().get_template(name)


def write_page(path: Path, name: str, values: Mapping[str, Any]) -> None:
    """Fill a template and write the page; what utf-8 cannot hold is written as escapes.

    Parameters
    ----------
    path
        The page; its folder is there.
    name
        The template.
    values
        What the template needs; one that it lacks is an error.
    """
    path.write_bytes(template(name).render(values).encode("utf-8", errors="backslashreplace"))


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
    environment.filters |= FILTERS | {"visible": visible, "address": address, "cell": cell}
    return environment
