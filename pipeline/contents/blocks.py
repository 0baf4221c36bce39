"""The parts of a section, in the order of the page.

A block holds no prose. It names a part of the section's caption file, ``caption``, and gives the numbers that
are filled in there, over those of the section.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from pipeline.contents.values import Cell, Column, Evidence, Inside, Model, Number, Slug, check_cells


class _Captioned(Model):
    """What every block has.

    Attributes
    ----------
    caption
        Names a part of the section's caption file.
    numbers
        For that part; they stand above the section's own.
    """

    caption: Slug
    numbers: Mapping[str, Number] = {}


class Text(_Captioned):
    """Paragraphs of the caption file."""

    kind: Literal["text"] = "text"


class Notice(_Captioned):
    """A paragraph that is set apart: what to be careful about, or what is not there and why."""

    kind: Literal["notice"] = "notice"


class UnitTiles(Model):
    """Which units a picture shows as tiles, so that a page can lead from a tile to its unit.

    Attributes
    ----------
    layer, units
        Line by line from the left upper corner.
    rows, columns
        Places of a tile down and across the picture.
    corner
        Lines and columns of places that hold no tile, in the left upper corner.
    """

    layer: str = Field(min_length=1)
    units: tuple[int, ...] = Field(min_length=1)
    rows: int = Field(ge=1)
    columns: int = Field(ge=1)
    corner: int = Field(default=0, ge=0)


class Figure(_Captioned):
    """A picture with its other forms and its data, all files of the section's folder.

    Attributes
    ----------
    id
        Its anchor, once in the section.
    image, dark, vector, pdf, data
        The picture; the same for a dark page; as SVG; as PDF; the numbers behind it as CSV.
    width, height
        Of the picture, pixels.
    tiles
        The units that it shows side by side; None where it shows none.
    evidence
        What its numbers are of; None for a picture without numbers.
    """

    kind: Literal["figure"] = "figure"
    id: Slug
    image: Inside
    dark: Inside | None = None
    vector: Inside | None = None
    pdf: Inside | None = None
    data: Inside | None = None
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    tiles: UnitTiles | None = None
    evidence: Evidence | None = None


class Multiples(_Captioned):
    """Small figures of one kind side by side, under one caption; `wide` ones two at most."""

    kind: Literal["multiples"] = "multiples"
    id: Slug
    wide: bool = False
    figures: tuple[Figure, ...] = Field(min_length=1)


class Table(_Captioned):
    """A small table of names and numbers."""

    kind: Literal["table"] = "table"
    id: Slug
    columns: tuple[Column, ...] = Field(min_length=1)
    rows: tuple[tuple[Cell, ...], ...]
    evidence: Evidence | None = None

    @model_validator(mode="after")
    def _cells_fit(self) -> "Table":
        for number, row in enumerate(self.rows):
            check_cells(self.columns, row, f"table '{self.id}' row {number}")
        return self


class Units(_Captioned):
    """Here stands what the section says of these layers and their units."""

    kind: Literal["units"] = "units"
    id: Slug
    layers: tuple[str, ...] = Field(min_length=1)


class Images(_Captioned):
    """Here stands what the section says of these images, by their ids."""

    kind: Literal["images"] = "images"
    id: Slug
    images: tuple[int, ...] = Field(min_length=1)


class Viewer(_Captioned):
    """An interactive view on a page of its own.

    Attributes
    ----------
    program
        Which of the report's programs shows it.
    scripts
        Its data; a page opened from disk may load scripts and pictures but no other data.
    data, pictures
        What these refer to by name: further scripts, loaded when they are asked for, and pictures.
    """

    kind: Literal["viewer"] = "viewer"
    id: Slug
    program: Literal["map", "label"]
    scripts: tuple[Inside, ...] = Field(min_length=1)
    data: tuple[Inside, ...] = ()
    pictures: tuple[Inside, ...] = ()


Block: TypeAlias = Annotated[
    Text | Notice | Figure | Multiples | Table | Units | Images | Viewer, Field(discriminator="kind")
]


def block_ids(blocks: tuple[Block, ...]) -> list[str]:
    """Return the anchors of blocks; text and notices have none."""
    ids = [block.id for block in blocks if not isinstance(block, (Text, Notice))]
    return ids + [one.id for block in blocks if isinstance(block, Multiples) for one in block.figures]


def block_numbers(blocks: tuple[Block, ...]) -> list[Mapping[str, Number]]:
    """Return the numbers of each block that has a caption."""
    numbers = [block.numbers for block in blocks if isinstance(block, _Captioned)]
    inner = [block.figures for block in blocks if isinstance(block, Multiples)]
    return numbers + [one for figures in inner for one in block_numbers(figures)]


def block_files(blocks: tuple[Block, ...]) -> list[str]:
    """Return the names of all files that blocks refer to."""
    files: list[str | None] = []
    for block in blocks:
        if isinstance(block, Figure):
            files += (block.image, block.dark, block.vector, block.pdf, block.data)
        elif isinstance(block, Multiples):
            files += block_files(block.figures)
        elif isinstance(block, Viewer):
            files += (*block.scripts, *block.data, *block.pictures)
    return [name for name in files if name]
