"""The text about a method: Markdown with placeholders that only artifacts can fill.

A caption file begins with its title and its place in the report::

    title: Codes and their map
    order: 30

    The map shows ${images:,} images …

A placeholder is ``$name`` or ``${name:format}`` with a format of Python's; ``$$`` is a dollar sign. A name
is one of the section's numbers, or ``stage.key`` of a metrics file. A paragraph that begins with
``?name:`` is there only where the number is, one with ``!name:`` only where it is not: what says that the
dataset has no labels, say.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from markdown import markdown
from markupsafe import Markup, escape

from pipeline.errors import UserError
from pipeline.report.section import Number

FOLDER = Path(__file__).parent / "sections"
_NAME = r"[A-Za-z_]\w*(?:\.\w+)*"
_CONDITION = re.compile(rf"([?!])({_NAME}):\s*(.*)", re.DOTALL)
_PLACEHOLDER = re.compile(rf"\$(?:(\$)|({_NAME})|\{{({_NAME})(?::([^{{}}]*))?\}})")


@dataclass(frozen=True)
class Caption:
    """A section's title, its place in the report, and its text in Markdown."""

    title: str
    order: int
    text: str
    source: Path


def read_caption(name: str, folder: Path = FOLDER) -> Caption:
    """Read the caption file of a section.

    Raises
    ------
    UserError
        If there is none, or it does not begin with ``title:`` and ``order:``.
    """
    source = folder / f"{name}.md"
    if not source.is_file():
        raise UserError(f"{source}: section '{name}' has figures but no caption; write this file")
    head, _, text = source.read_text(encoding="utf-8").partition("\n\n")
    fields = dict(line.partition(":")[::2] for line in head.splitlines())
    try:
        return Caption(fields["title"].strip(), int(fields["order"]), text, source)
    except (KeyError, ValueError):
        raise UserError(f"{source}: must begin with the lines 'title: …' and 'order: <number>'") from None


def render_caption(caption: Caption, numbers: Mapping[str, Number]) -> Markup:
    """Turn a caption into HTML, its numbers filled in and escaped.

    Parameters
    ----------
    caption
        The text.
    numbers
        Name to number or name.

    Raises
    ------
    UserError
        Naming the caption file and a number that no artifact gives.
    """

    def fill(match: re.Match[str]) -> str:
        if match[1]:
            return "$"
        name = match[2] or match[3]
        if name not in numbers:
            raise UserError(f"{caption.source}: no number '{name}' in the section's or the metrics' files")
        return str(escape(_formatted(caption.source, name, numbers[name], match[4])))

    # Filled in after Markdown, so that a name from the dataset is never read as Markdown.
    return Markup(_PLACEHOLDER.sub(fill, markdown(_chosen(caption.text, numbers), extensions=["tables"])))


def number_text(value: Number) -> str:
    """Write a number as prose does: thousands set apart, at most four significant digits."""
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _chosen(text: str, numbers: Mapping[str, Number]) -> str:
    """Drop the paragraphs whose condition does not hold."""
    kept = []
    for paragraph in re.split(r"\n\s*\n", text):
        condition = _CONDITION.match(paragraph.lstrip())
        if condition is None:
            kept.append(paragraph)
        elif (condition[2] in numbers) == (condition[1] == "?"):
            kept.append(condition[3])
    return "\n\n".join(kept)


def _formatted(source: Path, name: str, value: Number, form: str | None) -> str:
    if form is None:
        return number_text(value)
    try:
        return format(value, form)
    except ValueError:
        raise UserError(f"{source}: '{name}' is {value!r}, which cannot be written as '{form}'") from None
