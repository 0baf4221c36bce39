"""Captions with their numbers filled in.

Captions are Markdown and Jinja: ``{{ images | count }}`` is a number, written by a filter of `numbers`, and
``{% if knn is defined %}`` … ``{% endif %}`` encloses what is said only where there is that number. A value
is never read as Markdown or HTML: while Markdown runs, a code stands in its place.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import (
    Environment,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
    Undefined,
    UndefinedError,
)
from markdown import markdown
from markupsafe import Markup, escape

from pipeline.errors import UserError
from pipeline.report.captions import Words
from pipeline.report.numbers import FILTERS, number

# Letters for private use, which Markdown lets pass: between them stands a value, in hexadecimal.
_OPEN, _CLOSE = "\ue000", "\ue001"
_CODED = re.compile(f"{_OPEN}([0-9a-f]*){_CLOSE}")


def prose(words: Words, numbers: Mapping[str, Any]) -> Markup:
    """Return a text as HTML, its numbers filled in and escaped.

    Parameters
    ----------
    words
        Markdown and Jinja.
    numbers
        Name to number, name, or a further mapping of these.

    Raises
    ------
    UserError
        Naming the caption and the number that is missing or cannot be written so.
    """
    made = _filled(words.place, words.text, numbers, coded=True)
    return Markup(_CODED.sub(_escaped, markdown(made, extensions=["tables"])))


def line(words: Words, key: str, numbers: Mapping[str, Any]) -> str:
    """Return one line of a head as plain text, its numbers filled in; empty where there is none.

    Raises
    ------
    UserError
        As `prose` does.
    """
    return _filled(words.place, words.head.get(key, ""), numbers, coded=False).strip()


def _filled(place: str, text: str, numbers: Mapping[str, Any], *, coded: bool) -> str:
    try:
        return _template(text, coded).render(numbers)
    except TemplateSyntaxError as error:
        raise UserError(f"{place}: {error.message} (line {error.lineno} of the text)") from None
    except UndefinedError as error:
        name = re.findall("'([^']+)'", error.message or "")[-1]
        raise UserError(f"{place}: no number '{name}' in the section's or the metrics' files") from None
    except (TemplateError, TypeError, ValueError) as error:
        raise UserError(f"{place}: {error}") from None


@cache
def _template(text: str, coded: bool) -> Template:
    return _environment(coded).from_string(text)


@cache
def _environment(coded: bool) -> Environment:
    environment = Environment(
        # What is coded is escaped once Markdown is through; a plain line, by the template of its page.
        autoescape=coded,
        undefined=StrictUndefined,
        finalize=_code if coded else _written,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS
    return environment


def _written(value: Any) -> str:
    # A missing number says so as it becomes a text; an `if` without `else` in a sentence becomes no text.
    return str(value) if isinstance(value, Undefined) else number(value)


def _code(value: Any) -> str:
    return f"{_OPEN}{_written(value).encode('utf-8', 'surrogatepass').hex()}{_CLOSE}"


def _escaped(match: re.Match[str]) -> str:
    return str(escape(bytes.fromhex(match[1]).decode("utf-8", "surrogatepass")))
