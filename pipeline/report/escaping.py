"""Names from a dataset made harmless to the eye.

Jinja escapes what goes into HTML, `addresses` what goes into links, and `pipeline.store.tables` what goes into
spreadsheets; this is the rest.
"""

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
