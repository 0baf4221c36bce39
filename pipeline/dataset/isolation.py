"""Names that are written to the left, among words that are written to the right.

In a sentence, a list or a path such a name takes numbers, brackets and other names beside it along, so that
they are read in another order: ``שלום/03.png`` comes out as the file ``png.03``. Isolates, which Unicode has
for it, keep a name to itself.
"""

import re
from unicodedata import bidirectional

# They begin what is written to the right, and what is in its own direction; and end either.
_RIGHTWARD, _OWN, _END = "\u2066", "\u2068", "\u2069"
# Between the parts of a path, and before its extension.
_BETWEEN = re.compile(r"(/|\.[0-9A-Za-z]+\Z)")


def isolated(name: str) -> str:
    """Enclose a name in isolates if a letter of it is written to the left, each part of a path by itself."""
    if name.isascii() or not any(bidirectional(letter) in ("R", "AL") for letter in name):
        return name
    parts = _BETWEEN.split(name)
    parts[::2] = [part and f"{_OWN}{part}{_END}" for part in parts[::2]]
    return f"{_RIGHTWARD}{''.join(parts)}{_END}"
