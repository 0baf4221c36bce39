"""What contents are made of: names, numbers, cells of tables, and what numbers are of."""

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from pipeline.store.metrics import significant


class Model(BaseModel):
    """Frozen; unknown fields, NaN and infinity are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _inside(name: str) -> str:
    """Refuse a file name that could lead out of the section's folder."""
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        raise ValueError(f"must be a path inside the section's folder, got {name!r}")
    return name


class _Plain:
    """NumPy's numbers and arrays become Python's own; six significant digits of what has a fraction.

    What was written is plain already, and a large network has a million cells to read: of JSON no function of
    Python's is called.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        return core_schema.json_or_python_schema(
            schema, core_schema.no_info_before_validator_function(_rounded, schema)
        )


def _rounded(value: Any) -> Any:
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, (list, tuple)):
        return tuple(map(_rounded, value))
    return significant(value) if isinstance(value, float) else value


# A file of the section's folder.
Inside = Annotated[str, AfterValidator(_inside)]
# Anchors and file names are made of these, on every file system and in every URL.
Slug = Annotated[str, Field(pattern=r"^[A-Za-z0-9~][A-Za-z0-9._~-]*$")]
# A number, a name, or several numbers that belong together, such as a size or an interval.
Number = Annotated[int | float | str | tuple[int | float, ...], _Plain()]
# What stands in a table; several numbers where the column's form says so; None: there is none.
Cell = Annotated[int | float | str | tuple[int | float, ...] | None, _Plain()]
# How many numbers a cell of a form holds, and what each is called in a spreadsheet.
FORMS: dict[str, tuple[str, ...]] = {
    "interval": ("low", "high"),
    "proportion": ("count", "of"),
    "position": ("y", "x"),
    "box": ("x0", "y0", "x1", "y1"),
    "size": ("height", "width"),
}
Form: TypeAlias = Literal[
    "text",  # a name or a word
    "image",  # the path of an image in the dataset
    "layer",  # a layer's name
    "unit",  # a unit, as "layer/number"
    "class",  # a class's name
    "count",  # a whole number of things
    "number",  # any other number
    "share",  # 0 to 1
    "interval",  # low and high of a share
    "proportion",  # how many of how many
    "position",  # y, x in a layer's map
    "box",  # x0, y0, x1, y1 in pixels of the original image
    "size",  # height and width, pixels
]


class Column(Model):
    """A column of a table: its name, and how its cells are written."""

    name: str
    form: Form = "text"


class Evidence(Model):
    """What numbers are of.

    Attributes
    ----------
    n
        How many things were counted.
    of
        What: "images", "units", …
    split
        The split that they are of; empty for all of the dataset.
    interval
        How intervals are found; None where there are none.
    level
        Of the intervals.
    """

    n: int = Field(ge=0)
    of: str = "images"
    split: str = ""
    interval: Literal["wilson", "bootstrap"] | None = None
    level: float = Field(default=0.95, gt=0, lt=1)


class Fact(Model):
    """A number with its name, such as a layer has."""

    name: str
    value: Cell
    form: Form = "number"
    evidence: Evidence | None = None


def check_cells(columns: tuple[Column, ...], cells: tuple[Cell, ...], place: str) -> None:
    """Refuse cells that are not what their columns hold.

    Parameters
    ----------
    columns, cells
        As many of each.
    place
        Where they stand, for the message.

    Raises
    ------
    ValueError
        Naming the place and what is wrong.
    """
    if len(columns) != len(cells):
        raise ValueError(f"{place}: {len(columns)} columns, but {len(cells)} cells")
    for column, cell in zip(columns, cells, strict=True):
        wanted = len(FORMS.get(column.form, ()))
        if cell is not None and (len(cell) if isinstance(cell, tuple) else 0) != wanted:
            raise ValueError(f"{place}: {cell!r} is no {column.form} (column '{column.name}')")


def spreadsheet_row(
    columns: tuple[Column, ...], cells: tuple[Cell, ...]
) -> tuple[int | float | str | None, ...]:
    """Return a table's row for a spreadsheet: a cell of several numbers becomes as many cells."""
    flat: list[int | float | str | None] = []
    for column, cell in zip(columns, cells, strict=True):
        if column.form in FORMS:
            flat += cell if isinstance(cell, tuple) else (None,) * len(FORMS[column.form])
        else:
            assert not isinstance(cell, tuple), "checked when the table was made"
            flat.append(cell)
    return tuple(flat)


def spreadsheet_columns(columns: tuple[Column, ...]) -> tuple[str, ...]:
    """Return the names of a spreadsheet's columns that `spreadsheet_row` fills."""
    return tuple(
        f"{column.name} {part}" if part else column.name
        for column in columns
        for part in FORMS.get(column.form, ("",))
    )
