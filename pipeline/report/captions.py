"""The words of a section, read from its caption file.

A file begins with lines ``key: value``: the section's title, the chapter that it stands in, and its place
there; then, after an empty line, its text. ``## name`` begins the words of one part, a figure, a table or a
notice, in the same manner::

    title: How well the network does
    chapter: network
    order: 20

    Of {{ images | plural("image") }}, {{ accuracy | share }} are classified correctly.

    ## confusion
    title: Confusion of classes
    alt: A square of counts, large on the diagonal.

    A row is a label, a column what the network said.

A line that begins with spaces goes on with the value before it. `wording` fills the numbers in.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from pipeline.errors import UserError, nearest

FOLDER = Path(__file__).parent / "captions"
CHAPTERS = "chapters.yaml"
PAGES = "pages"
_PART = re.compile(r"^## +([A-Za-z0-9][A-Za-z0-9._-]*) *$", re.MULTILINE)
_HEAD = re.compile(r"(?:title|alt|name [^:]+): .*")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True)
class Words:
    """What is said of a section or of one part of it; all of it templates.

    Attributes
    ----------
    place
        Where it stands, for messages: the file, and the part.
    head
        ``title`` and the like, one line each.
    text
        Markdown.
    """

    place: str
    head: Mapping[str, str]
    text: str


@dataclass(frozen=True)
class Parts:
    """The parts of a file of words.

    Attributes
    ----------
    parts
        By name: in a caption file those of figures, tables and notices.
    source
        The file.
    """

    parts: Mapping[str, Words]
    source: Path

    def part(self, name: str) -> Words:
        """Return the words of a part.

        Raises
        ------
        UserError
            Naming the file, if it says nothing of this part.
        """
        if name not in self.parts:
            raise UserError(f"{self.source}: no words for '{name}'; write a part '## {name}'")
        return self.parts[name]


@dataclass(frozen=True)
class Caption(Parts):
    """A caption file.

    Attributes
    ----------
    title
        The section's heading.
    chapter
        Slug of the chapter that the section stands in.
    order
        Its place there.
    words
        Of the section itself.
    """

    title: str
    chapter: str
    order: int
    words: Words


def read_chapters(folder: Path = FOLDER) -> dict[str, str]:
    """Read the chapters of the report: slug to title, in their order.

    Raises
    ------
    UserError
        If the file is missing, no text in UTF-8, or not a list of slugs and titles.
    """
    source = folder / CHAPTERS
    try:
        chapters = yaml.safe_load(_text(source))
    except yaml.YAMLError as error:
        raise UserError(f"{source}: cannot be read ({str(error).splitlines()[0]})") from None
    if not isinstance(chapters, dict) or not chapters:
        raise UserError(f"{source}: must hold lines 'slug: title', one a chapter")
    for slug, title in chapters.items():
        if not _SLUG.fullmatch(str(slug)) or not isinstance(title, str):
            raise UserError(
                f"{source}: '{slug}: {title}': a chapter is a slug of a-z, 0-9 and -, and a title"
            )
    return chapters


def read_caption(name: str, folder: Path = FOLDER) -> Caption:
    """Read the caption file of a section.

    Raises
    ------
    UserError
        If there is none, if it is no text in UTF-8, or a part or the file itself does not begin as it must.
    """
    source = folder / f"{name}.md"
    if not source.is_file():
        raise UserError(f"{source}: section '{name}' has no caption; write this file")
    own, *rest = _PART.split(_text(source))
    words = _words(str(source), own)
    try:
        title, chapter, order = words.head["title"], words.head["chapter"], int(words.head["order"])
    except (KeyError, ValueError):
        raise UserError(
            f"{source}: must begin with the lines 'title: …', 'chapter: …' and 'order: <number>'"
        ) from None
    return Caption(_parts(source, rest), source, title, chapter, order, words)


def read_page_words(name: str, folder: Path = FOLDER) -> Parts:
    """Read the words of a page that belongs to no section, ``pages/<name>.md``: parts and nothing else.

    Raises
    ------
    UserError
        If there is no such file, if it is no text in UTF-8, or a part does not begin as it must.
    """
    source = folder / PAGES / f"{name}.md"
    if not source.is_file():
        raise UserError(f"{source}: the page '{name}' has no words; write this file")
    _, *rest = _PART.split(_text(source))
    return Parts(_parts(source, rest), source)


def check_chapter(caption: Caption, chapters: Collection[str]) -> None:
    """Hold the chapter of a caption against those that there are.

    Raises
    ------
    UserError
        Naming the caption, and the chapter that was probably meant.
    """
    if caption.chapter not in chapters:
        meant = nearest(caption.chapter, chapters)
        hint = f"; did you mean '{meant}'?" if meant else f"; there are {', '.join(chapters)}"
        raise UserError(f"{caption.source}: no chapter '{caption.chapter}'{hint}")


def _text(source: Path) -> str:
    try:
        # Some editors begin a file with the mark of its encoding.
        return source.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{source}: cannot be read as text in UTF-8 ({error})") from None


def _parts(source: Path, names_and_texts: Sequence[str]) -> dict[str, Words]:
    parts: dict[str, Words] = {}
    for part, text in zip(names_and_texts[::2], names_and_texts[1::2], strict=True):
        place = f"{source}, '## {part}'"
        if part in parts:
            raise UserError(f"{place}: is written twice")
        parts[part] = _part(place, text)
    return parts


def _part(place: str, text: str) -> Words:
    """Read the words of a part, which may have no head."""
    lines = text.strip("\n")
    if not _HEAD.match(lines):
        return Words(place, {}, lines)
    words = _words(place, lines)
    for key in words.head:
        if not _HEAD.match(f"{key}: "):
            raise UserError(f"{place}: knows no '{key}'; a part has 'title', 'alt' and 'name <column>'")
    return words


def _words(place: str, text: str) -> Words:
    """Split what begins with lines ``key: value`` into these and the text after an empty line."""
    head, _, body = text.strip("\n").partition("\n\n")
    values: dict[str, str] = {}
    key = ""
    for line in head.splitlines():
        if line.startswith(" ") and key:
            values[key] += f" {line.strip()}"
            continue
        key, colon, value = line.partition(":")
        if not colon:
            raise UserError(f"{place}: must begin with lines 'key: value' and an empty line, not '{line}'")
        values[key] = value.strip()
    return Words(place, values, body.strip("\n"))
