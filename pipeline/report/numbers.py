"""How the report writes numbers: one way everywhere, in captions and in tables."""

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

from pipeline.dataset.isolation import isolated
from pipeline.report.escaping import visible

SPACE = "\u00a0"  # between a number and its unit no line may end
RANGE = "\u2013"
MINUS = "\u2212"
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
NONE = "\u2013"


def number(value: Any) -> str:
    """Write a number as prose does: thousands set apart, at most four significant digits; a name as it is.

    Raises
    ------
    ValueError
        If it is neither a number nor a text.
    """
    if isinstance(value, str):
        return isolated(visible(value))
    return _signed(f"{_real(value):,}") if isinstance(value, Integral) else _significant(_real(value))


def count(value: Any) -> str:
    """Write a whole number, its thousands set apart.

    Raises
    ------
    ValueError
        If it is not whole.
    """
    if _real(value) != int(value):
        raise ValueError(f"{value!r} cannot be counted; it is not whole")
    return _signed(f"{int(value):,}")


def decimals(value: Any, places: int) -> str:
    """Write a number with a fixed number of decimals, its thousands set apart.

    Raises
    ------
    ValueError
        If it is no number.
    """
    return _signed(f"{_real(value):,.{places}f}")


def share(value: Any, places: int = 1) -> str:
    """Write a share of one in per cent; what is neither none nor all is not rounded to it.

    Raises
    ------
    ValueError
        If it is no number.
    """
    percent, step = 100 * _real(value), 10.0**-places
    if 0 < percent < step / 2:
        return f"<{SPACE}{step:.{places}f}{SPACE}%"
    if 100 - step / 2 <= percent < 100:
        return f">{SPACE}{100 - step:.{places}f}{SPACE}%"
    return _signed(f"{percent:.{places}f}") + f"{SPACE}%"


def interval(ends: Sequence[Any], places: int = 1) -> str:
    """Write an interval of shares in per cent, or of their differences: beside a minus no dash means "to".

    Where both ends would be zero, it has as many decimals as show two digits of the larger; where both would
    be all, two of what the lower one lacks.

    Raises
    ------
    ValueError
        If these are not two numbers.
    """
    low, high = ends
    largest, lacking = 100 * max(abs(_real(low)), abs(_real(high))), 100 * (1 - _real(low))
    for small in (largest, lacking):
        if 0 < small < 10.0**-places / 2:
            places = 1 - math.floor(math.log10(small))
    begin, end = _signed(f"{100 * _real(low):.{places}f}"), share(high, places)
    return f"{begin} to {end}" if MINUS in begin + end else f"{begin}{RANGE}{end}"


def plural(value: Any, one: str, many: str = "") -> str:
    """Write a count and what is counted; `many` is `one` with an s where it is left out.

    Raises
    ------
    ValueError
        If the number is not whole.
    """
    return f"{count(value)}{SPACE}{one if value == 1 else many or f'{one}s'}"


def size(pair: Sequence[Any]) -> str:
    """Write two lengths, height and width.

    Raises
    ------
    ValueError
        If these are not two whole numbers.
    """
    height, width = pair
    return f"{count(height)}{SPACE}×{SPACE}{count(width)}"


def cell(value: Any) -> str:
    """Write a number as a table does: aligned by its digits, nothing set apart; a dash for none."""
    if value is None:
        return NONE
    if isinstance(value, float):
        return _significant(value)
    return visible(value) if isinstance(value, str) else _signed(str(value))


FILTERS = {
    "number": number,
    "count": count,
    "decimals": decimals,
    "share": share,
    "interval": interval,
    "plural": plural,
    "size": size,
}


def _significant(value: float) -> str:
    """Write at most four significant digits; what is very large or small with a power of ten."""
    digits, _, power = f"{value:.4g}".partition("e")
    return _signed(digits) + (f"{SPACE}×{SPACE}10{str(int(power)).translate(RAISED)}" if power else "")


def _signed(text: str) -> str:
    """Write a minus where Python writes a hyphen; zero has no sign."""
    if "-" not in text:
        return text
    if not text.strip("-0.,"):
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def _real(value: Any) -> Any:
    # Asked first, since to ask for Real takes ten times as long, and a large network has a million cells.
    if type(value) in (int, float):
        return value
    if isinstance(value, bool) or not isinstance(value, Real):
        # Written out and not by its repr, since a number that a template lacks says so as it is written out.
        raise ValueError(f"'{value}' is no number")
    return value
