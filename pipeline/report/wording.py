"""Captions with their numbers filled in.

Captions are Markdown and Jinja: ``{{ images | count }}`` is a number, written by a filter of `numbers`, and
``{% if knn is defined %}`` … ``{% endif %}`` encloses what is said only where there is that number. A value
is never read as Markdown or HTML: while Markdown runs, a code stands in its place.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jinja2 import (
    Environment,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
    Undefined,
    UndefinedError,
    nodes,
    pass_context,
)
from jinja2.runtime import Context
from markdown import Markdown
from markdown.extensions.tables import TableExtension
from markupsafe import Markup, escape

from pipeline.errors import UserError, nearest
from pipeline.report.captions import (
    FOLDER,
    PAGES,
    Words,
    check_chapter,
    read_caption,
    read_chapters,
    read_page_words,
)
from pipeline.report.numbers import FILTERS, RANGE, SPACE, number

# Letters for private use, which Markdown lets pass: between them stands a value, in hexadecimal.
_OPEN, _CLOSE = "\ue000", "\ue001"
_CODED = re.compile(f"{_OPEN}([0-9a-f]*){_CLOSE}")
# Between where a value was read and the value; the first one counts, and no source has it.
_BETWEEN = "|"
_UNIT = re.compile(r"(?<=[0-9]) (?=%)")
_RANGES = re.compile(rf"[\d.,]+{RANGE}[\d.,]+(?:\u00a0%)?")
# What a template calls the filter that notes sources, and the sources; no number has such a name.
_SOURCED, _SOURCES = "data_source", "data_sources"


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
    made = _UNIT.sub(SPACE, _filled(words.place, words.text, numbers, coded=True))
    values: list[str] = []

    def place(match: re.Match[str]) -> str:
        values.append(match[1])
        return f"{_OPEN}{len(values) - 1:x}{_CLOSE}"

    html = _html(_CODED.sub(place, made))
    return Markup(_CODED.sub(lambda match: _escaped(values[int(match[1], 16)]), html))


def line(words: Words, key: str, numbers: Mapping[str, Any]) -> str:
    """Return one line of a head as plain text, its numbers filled in; empty where there is none.

    Raises
    ------
    UserError
        As `prose` does.
    """
    return _filled(words.place, words.head.get(key, ""), numbers, coded=False).strip()


def sourced_line(words: Words, key: str, numbers: Mapping[str, Any], sources: Mapping[str, str]) -> Markup:
    """Return one line of a head as HTML in which each number says where it was read.

    What an expression writes stands in an element with ``data-source``, if a digit is in it: the sources of
    the names in the expression, one after the other.

    Parameters
    ----------
    words, key, numbers
        As of `line`.
    sources
        Of these numbers: the artifact, ``#``, and the number's name there.

    Raises
    ------
    UserError
        As `prose` does.
    """
    known = {**numbers, _SOURCES: sources}
    made = _filled(words.place, words.head.get(key, ""), known, coded=True, sourced=True)
    return Markup(_CODED.sub(_sourced, str(escape(made.strip()))))


def unbroken(text: str) -> Markup:
    """Escape a text and keep its ranges, such as 11.0–13.9 %, on one line, which would end behind the dash.

    An invisible joiner would do that as well, and be copied into papers.
    """
    return Markup(_RANGES.sub(r'<span class="range">\g<0></span>', str(escape(text))))


def check_captions(folder: Path = FOLDER) -> None:
    """Read every caption as a template, before any page is touched; a missing number is found later.

    Raises
    ------
    UserError
        Naming the first that cannot be read, and its line.
    """
    chapters = read_chapters(folder)
    for source in sorted(folder.rglob("*.md")):
        if source.parent.name == PAGES:
            written = list(read_page_words(source.stem, folder).parts.values())
        else:
            caption = read_caption(source.stem, source.parent)
            if source.parent == folder:
                check_chapter(caption, chapters)
            written = [caption.words, *caption.parts.values()]
        for words in written:
            for text in (words.text, *words.head.values()):
                _check_template(words.place, text)


def _check_template(place: str, text: str) -> None:
    if "{" not in text:
        return
    environment = _environment(coded=True)
    try:
        parsed = environment.parse(text)
    except TemplateSyntaxError as error:
        raise _not_a_template(place, error) from None
    # Jinja finds these only where the text is written, and behind an `if` that may be never.
    for used in parsed.find_all(nodes.Filter):
        if used.name not in environment.filters:
            meant = nearest(used.name, environment.filters)
            hint = f"; did you mean '{meant}'?" if meant else ""
            raise UserError(f"{place}: no filter '{used.name}' (line {used.lineno} of the text){hint}")


def _not_a_template(place: str, error: TemplateSyntaxError) -> UserError:
    return UserError(f"{place}: {error.message} (line {error.lineno} of the text)")


def _with_sources(written: nodes.Expr) -> nodes.Expr:
    """Return what a template writes, filtered by what puts the sources of the names in it in front."""
    if isinstance(written, nodes.TemplateData):
        return written
    # The names in an expression, itself among them.
    names = {name.name for name in nodes.Output([written]).find_all(nodes.Name)}
    argument = nodes.Const(tuple(sorted(names)))
    return nodes.Filter(written, _SOURCED, [argument], [], None, None, lineno=written.lineno)


@pass_context
def _noted(context: Context, value: Any, names: tuple[str, ...]) -> str:
    """Return a value as text behind the sources of the names."""
    sources = context[_SOURCES]
    found = " ".join(sources[name] for name in names if name in sources)
    return f"{found}{_BETWEEN}{_written(value)}"


def _sourced(match: re.Match[str]) -> str:
    source, _, text = bytes.fromhex(match[1]).decode("utf-8", "surrogatepass").partition(_BETWEEN)
    if not source or not any(letter.isdigit() for letter in text):
        return str(escape(text))
    return str(Markup('<span data-source="{}">{}</span>').format(source, unbroken(text)))


def _filled(place: str, text: str, numbers: Mapping[str, Any], *, coded: bool, sourced: bool = False) -> str:
    if "{" not in text:
        return text
    try:
        return _template(text, coded=coded, sourced=sourced).render(numbers)
    except TemplateSyntaxError as error:
        raise _not_a_template(place, error) from None
    except UndefinedError as error:
        name = re.findall("'([^']+)'", error.message or "")[-1]
        raise UserError(f"{place}: no number '{name}' in the section's or the metrics' files") from None
    except (TemplateError, TypeError, ValueError) as error:
        raise UserError(f"{place}: {error}") from None


@cache
def _template(text: str, *, coded: bool, sourced: bool) -> Template:
    environment = _environment(coded=coded)
    parsed = environment.parse(text)
    if sourced:
        for output in parsed.find_all(nodes.Output):
            output.nodes = [_with_sources(written) for written in output.nodes]
    parsed.set_environment(environment)
    return environment.from_string(parsed)


@cache
def _environment(*, coded: bool) -> Environment:
    environment = Environment(
        # What is coded is escaped once Markdown is through; a plain line, by the template of its page.
        autoescape=coded,
        undefined=StrictUndefined,
        finalize=_code if coded else _written,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS
    environment.filters[_SOURCED] = _noted
    return environment


def _written(value: Any) -> str:
    # A missing number says so as it becomes a text; an `if` without `else` in a sentence becomes no text.
    return str(value) if isinstance(value, Undefined) else number(value)


def _code(value: Any) -> str:
    return f"{_OPEN}{_written(value).encode('utf-8', 'surrogatepass').hex()}{_CLOSE}"


@lru_cache(maxsize=4096)
def _html(text: str) -> str:
    """Read Markdown; of thousands of units the text is the same once places stand for their values."""
    return _markdown().reset().convert(text)


@cache
def _markdown() -> Markdown:
    # By its class: a name is looked for in every package that is installed.
    return Markdown(extensions=[TableExtension()])


def _escaped(code: str) -> str:
    return str(unbroken(bytes.fromhex(code).decode("utf-8", "surrogatepass")))
