"""Tables as CSV files that people open in spreadsheets and `dvc plots` draws."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from numbers import Integral
from pathlib import Path

from pipeline.errors import UserError
from pipeline.store.cells import quote, unquote
from pipeline.store.replacing import replaced


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file in place in one step; text that a spreadsheet would run as a formula is quoted.

    Parameters
    ----------
    path
        The file; its folder is made.
    columns
        The header.
    rows
        As many cells each: text, whole numbers, and numbers with a fraction, kept to six significant digits.
        None and NaN are empty cells.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([_cell(name) for name in columns])
    writer.writerows([_cell(value) for value in row] for row in rows)
    with replaced(path) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")


def read_table(path: Path, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Read some columns of a CSV file.

    Returns
    -------
    list of tuple of str
        One tuple a row, cells in the order of `columns`, spaces around them and the quote of `write_table`
        cut off; empty lines are left out.

    Raises
    ------
    UserError
        The file is not text in UTF-8, a column is missing, or a line has too few cells.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise UserError(
                    f"{path}: no column '{missing[0]}'; the first line must be {','.join(columns)}"
                )
            return [_picked(path, reader.line_num, row, columns) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: not a CSV file in UTF-8 ({error})") from None


def _picked(path: Path, line: int, row: dict[str, str], columns: Sequence[str]) -> tuple[str, ...]:
    cells = [row[name] for name in columns]
    if any(cell is None for cell in cells):
        raise UserError(f"{path}: line {line} has too few cells; it must have {', '.join(columns)}")
    return tuple(unquote(cell.strip()) for cell in cells)


def _cell(value: object) -> str:
    if isinstance(value, str):
        return quote(value)
    if value is None or value != value:
        return ""
    return str(value) if isinstance(value, Integral) else f"{value:.6g}"
