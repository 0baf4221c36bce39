"""Names from a dataset made harmless: in text and in addresses.

Jinja escapes what goes into HTML, and `pipeline.store.tables` what goes into spreadsheets; this is the rest.
"""

from urllib.parse import quote

# The space that keeps a number and its unit on one line is of our own making, and does no harm.
_KEPT = "\u00a0"


def visible(text: str) -> str:
    """Show control characters, line ends and changes of writing direction as escapes."""
    if text.isprintable():
        return text
    return "".join(
        letter
        if letter.isprintable() or letter in _KEPT
        else letter.encode("unicode_escape").decode()
        for letter in text
    )


def address(path: str) -> str:
    """Return a relative file path as a relative URL; a colon in it never reads as a scheme."""
    return quote(path, safe="/", errors="surrogatepass")
