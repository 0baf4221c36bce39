"""Cells of a CSV that no spreadsheet runs as a formula."""

import re

FORMULA = re.compile(r"'*[=+\-@\t\r]")
QUOTED = re.compile(r"'+[=+\-@\t\r]")


def quote(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would run; `unquote` takes it off again."""
    return f"'{text}" if FORMULA.match(text) else text


def unquote(text: str) -> str:
    """Return the text that `quote` was given."""
    return text[1:] if QUOTED.match(text) else text
