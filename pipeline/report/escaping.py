"""Names from a dataset made harmless to the eye.

Jinja escapes what goes into HTML, `addresses` what goes into links, and `pipeline.store.tables` what goes
into spreadsheets; this is the rest.
"""

from markupsafe import Markup, escape

from pipeline.dataset.isolation import isolated

# The space that keeps a number and its unit on one line is of our own making, and does no harm.
_KEPT = "\u00a0"
# Zero width: between letters of Devanagari or Persian, and between parts of an emoji, they say how to join.
_JOINERS = "\u200c\u200d"
# Isolates as elements: whoever copies a path from the page copies no letter that is not in it.
_ELEMENTS = str.maketrans({"\u2066": '<bdi dir="ltr">', "\u2068": "<bdi>", "\u2069": "</bdi>"})


def visible(text: str) -> str:
    """Show control characters, line ends and changes of writing direction as escapes."""
    if text.isprintable():
        return text
    return "".join(
        letter
        if letter.isprintable() or letter in _KEPT or _joins(text, place)
        else letter.encode("unicode_escape").decode()
        for place, letter in enumerate(text)
    )


def named(text: str) -> Markup:
    """Write a name as HTML, its control characters visible, in its own direction; a path part by part."""
    return Markup(str(escape(isolated(visible(text)))).translate(_ELEMENTS))


def _joins(text: str, place: int) -> bool:
    """Tell whether a joiner stands where it shapes a script or an emoji, not where it would hide."""
    beside = text[max(place - 1, 0) : place] + text[place + 1 : place + 2]
    return text[place] in _JOINERS and len(beside) == 2 and beside.isprintable() and min(beside) > "\x7f"
