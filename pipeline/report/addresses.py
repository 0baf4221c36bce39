"""Where each page lies, relative to the report's folder. What is built on an address stays there."""

from urllib.parse import quote

from pipeline.contents.slugs import layer_slug


def address(path: str) -> str:
    """Return a relative file path as a relative URL; a colon in it never reads as a scheme."""
    return quote(path, safe="/", errors="surrogatepass")


def chapter_page(slug: str) -> str:
    """Return the page of a chapter."""
    return f"chapters/{slug}.html"


def section_anchor(chapter: str, section: str) -> str:
    """Return where a section begins."""
    return f"{chapter_page(chapter)}#{section}"


def layer_page(layer: str) -> str:
    """Return the page of a layer."""
    return f"layers/{layer_slug(layer)}.html"


def unit_page(layer: str, unit: int, *, drawn: bool) -> str:
    """Return the page of a unit; of one that was not drawn, a page that looks its numbers up."""
    return f"units/{layer_slug(layer)}/{unit}.html" if drawn else f"{any_unit(layer)}{unit}"


def any_unit(layer: str) -> str:
    """Return what a unit's number is put behind to lead to it, whether it was drawn or not."""
    return f"unit.html#{quote(layer, safe='')}/"


def image_page(path: str) -> str:
    """Return the page that looks an image up by its path in the dataset."""
    return f"image.html#path={address(path)}"


def table_file(section: str, table: str) -> str:
    """Return the file of a table, for spreadsheets."""
    return f"tables/{section}-{table}.csv"
