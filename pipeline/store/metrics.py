"""The numbers of a stage as JSON that `dvc metrics` compares."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

from pipeline.store.replacing import replaced

SIGNIFICANT_DIGITS = 6


def write_metrics(path: Path, values: Mapping[str, object]) -> None:
    """Write numbers as JSON: keys sorted, six significant digits, in place in one step.

    Parameters
    ----------
    path
        The file; its folder is made.
    values
        Name to number, string, None, or a further mapping of these.

    Raises
    ------
    ValueError
        A number is NaN or infinite: JSON has no word for it. Or one is called `error`, which `dvc metrics`
        takes for its own failure to read the file.
    """
    if _names_error(values):
        raise ValueError(f"{path}: no number may be called 'error', which dvc metrics takes for a failure")
    text = json.dumps(_rounded(values), indent=2, sort_keys=True, allow_nan=False)
    with replaced(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def significant(value: float) -> float:
    """Round a finite number to six significant digits."""
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}") if math.isfinite(value) else value


def _names_error(value: object) -> bool:
    return isinstance(value, Mapping) and ("error" in value or any(map(_names_error, value.values())))


def _rounded(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        return value
    number = float(value)
    return int(number) if hasattr(value, "__index__") else significant(number)
