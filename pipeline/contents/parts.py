"""What a section says of a layer, of a unit, of an image: the pages of these collect it from all sections."""

from collections.abc import Mapping
from typing import NamedTuple

from pydantic import Field, model_validator

from pipeline.contents.blocks import Block
from pipeline.contents.values import Cell, Column, Fact, Inside, Model, Number, Slug, check_cells
from pipeline.formats.geometry import LayerGeometry


class SpriteSheet(Model):
    """A picture of many strips, one file for all of them; sizes are pixels."""

    file: Inside
    width: int = Field(ge=1)
    height: int = Field(ge=1)

    def holds(self, part: "Strip | WholeImage") -> bool:
        """Tell whether a part lies on it as a whole."""
        return part.x + part.width <= self.width and part.y + part.height <= self.height


class Tiles(Model):
    """Where each picture of a strip lies, so that a page can show them one by one; lengths are pixels.

    Attributes
    ----------
    count
        Pictures, in lines of `columns` from the left upper corner.
    columns
        Places in a line.
    side
        Of a picture.
    step
        From one picture to the next, across and down.
    edge
        From the strip's edges to the first picture.
    """

    count: int = Field(ge=1)
    columns: int = Field(ge=1)
    side: int = Field(ge=1)
    step: int = Field(ge=1)
    edge: int = Field(default=0, ge=0)


class Strip(Model):
    """A unit's pictures side by side, cut out of a sheet.

    Attributes
    ----------
    caption
        Names a part of the section's caption file: what the strip shows.
    sheet
        Its place in the layer's list of sheets.
    x, y, width, height
        Where it lies on the sheet, pixels.
    tiles
        Where its pictures lie in it; None where the strip is one picture.
    """

    caption: Slug
    sheet: int = Field(ge=0)
    x: int = Field(ge=0)
    y: int = Field(ge=0)
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    tiles: Tiles | None = None


class WholeImage(Model):
    """An image as the network saw it, on one of its section's sheets: all that show it share this one.

    Attributes
    ----------
    image_id
        Its row in the manifest.
    sheet
        Its place in the section's list of sheets.
    x, y, width, height
        Where it lies on the sheet, pixels.
    """

    image_id: int = Field(ge=0)
    sheet: int = Field(ge=0)
    x: int = Field(ge=0)
    y: int = Field(ge=0)
    width: int = Field(ge=1)
    height: int = Field(ge=1)


class Scene(Model):
    """A whole image in which a page frames where a unit looked.

    Attributes
    ----------
    image
        Its place in the section's list of whole images; None where it could not be read.
    value
        The activation, which is written on it.
    box
        What is framed: x0, y0, x1, y1 in pixels of the whole image, cut off at its edges.
    point
        What is marked, x and y: the middle of where it looked, where the frame does not say that.
    ungated
        What it saw without gates, as `box`; None where gates change nothing.
    outline
        Around where it was active: an SVG path in halves of a pixel of the whole image; empty where nothing
        was, None where that is not known.
    """

    image: int | None = Field(default=None, ge=0)
    value: float
    box: tuple[float, float, float, float]
    point: tuple[float, float] | None = None
    ungated: tuple[float, float, float, float] | None = None
    outline: str | None = Field(default=None, pattern=r"^[MlzZ0-9 -]*$")


class Histogram(Model):
    """How often a unit's values came up.

    Attributes
    ----------
    low, high
        Ends of the bins, which are of equal width; both ends are counted.
    counts
        Of each bin, from the lowest.
    """

    low: float
    high: float
    counts: tuple[int, ...] = Field(min_length=1)


class UnitLink(NamedTuple):
    """Another unit, and the number that says how near it is, or how it comes to be named."""

    layer: str
    unit: int
    value: float


class UnitTable(Model):
    """The table that each unit of a layer has: its caption and its columns; the rows stand with the units.

    Attributes
    ----------
    aside
        Whether it is short, and stands beside the unit's pictures; a long one is folded away.
    """

    caption: Slug
    columns: tuple[Column, ...] = Field(min_length=1)
    aside: bool = False


class UnitPart(Model):
    """What a section says of a unit.

    Attributes
    ----------
    unit
        Its number in the layer.
    facts
        One cell for each column of the layer's `unit_facts`.
    strips
        Its pictures; none for a unit that was not drawn.
    scenes
        The whole images in which it looked, in the order of its table.
    rows
        Of its table, whose columns are those of the layer's `unit_table`.
    histogram
        Of its values; a page marks those of its scenes in it.
    related
        Other units, in groups, one for each of the layer's `unit_related`, nearest first; a page shows the
        first pictures of those that are drawn.
    blocks
        What is said of this unit alone.
    """

    unit: int = Field(ge=0)
    facts: tuple[Cell, ...] = ()
    strips: tuple[Strip, ...] = ()
    scenes: tuple[Scene, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    histogram: Histogram | None = None
    related: tuple[tuple[UnitLink, ...], ...] = ()
    blocks: tuple[Block, ...] = ()


class LayerPart(Model):
    """What a section says of a layer and of its units.

    Attributes
    ----------
    layer
        Its dotted name.
    units_total, geometry
        How many units it has, and what their positions see, for the heading of its page; None where the
        section does not know it.
    facts, blocks
        What is said of the layer as a whole.
    data
        The numbers of all its units as CSV.
    sheets
        Pictures that its units' strips are cut out of.
    unit_facts, unit_table
        What each unit's cells mean.
    unit_scenes
        Names a part of the section's caption file: what each unit's scenes show.
    unit_histogram, unit_related
        Name parts of it likewise: what each unit's histogram is of, and each group of other units.
    numbers
        For the captions of its units' strips, scenes, histograms and groups.
    units
        Ascending.
    """

    layer: str = Field(min_length=1)
    units_total: int | None = Field(default=None, ge=1)
    geometry: LayerGeometry | None = None
    facts: tuple[Fact, ...] = ()
    blocks: tuple[Block, ...] = ()
    data: Inside | None = None
    sheets: tuple[SpriteSheet, ...] = ()
    unit_facts: tuple[Column, ...] = ()
    unit_table: UnitTable | None = None
    unit_scenes: Slug | None = None
    unit_histogram: Slug | None = None
    unit_related: tuple[Slug, ...] = ()
    numbers: Mapping[str, Number] = {}
    units: tuple[UnitPart, ...] = ()

    @model_validator(mode="after")
    def _units_fit(self) -> "LayerPart":
        numbers = [part.unit for part in self.units]
        if any(first >= second for first, second in zip(numbers, numbers[1:], strict=False)):
            raise ValueError(f"layer {self.layer}: its units must ascend, each once")
        columns = self.unit_table.columns if self.unit_table else ()
        for part in self.units:
            place = f"layer {self.layer} unit {part.unit}"
            check_cells(self.unit_facts, part.facts, place)
            for row in part.rows:
                check_cells(columns, row, place)
            for strip in part.strips:
                self._check_strip(strip, place)
            if part.scenes and not self.unit_scenes:
                raise ValueError(f"{place}: has scenes, of which nothing is said")
            if part.histogram and not self.unit_histogram:
                raise ValueError(f"{place}: has a histogram, of which nothing is said")
            if part.related and len(part.related) != len(self.unit_related):
                raise ValueError(
                    f"{place}: {len(part.related)} groups of other units, of {len(self.unit_related)}"
                )
        return self

    def _check_strip(self, strip: Strip, place: str) -> None:
        if strip.sheet >= len(self.sheets):
            raise ValueError(f"{place}: sheet {strip.sheet} of {len(self.sheets)}")
        sheet = self.sheets[strip.sheet]
        if not sheet.holds(strip):
            raise ValueError(f"{place}: its strip '{strip.caption}' leaves the sheet {sheet.file}")


class ImagePart(Model):
    """What a section says of an image of the dataset.

    Attributes
    ----------
    image_id
        Its row in the manifest.
    path
        In the dataset.
    facts, blocks
        What is said of it.
    """

    image_id: int = Field(ge=0)
    path: str = Field(min_length=1)
    facts: tuple[Fact, ...] = ()
    blocks: tuple[Block, ...] = ()


class ImageOutputs(Model):
    """What the network takes images for, for the pages of many images: numbers alone.

    Attributes
    ----------
    names
        Of the outputs that are named.
    outputs
        By the image's path in the dataset: of each output the place of its name, and its probability, the
        most probable first, one output after the other.
    """

    names: tuple[str, ...]
    outputs: Mapping[str, tuple[int | float, ...]]

    @model_validator(mode="after")
    def _are_pairs(self) -> "ImageOutputs":
        for path, numbers in self.outputs.items():
            if len(numbers) % 2 or any(name not in range(len(self.names)) for name in numbers[::2]):
                raise ValueError(f"image '{path}': {numbers} are no outputs of {len(self.names)}")
        return self


class ImageUnits(Model):
    """The units in which images stand highest, for the pages of many images: numbers alone.

    Attributes
    ----------
    layers
        Dotted names.
    of
        Images that the ranks are among.
    units
        By the image's path in the dataset: of each unit the place of its layer, its number, and the image's
        rank in it, one unit after the other.
    """

    layers: tuple[str, ...]
    of: int = Field(ge=1)
    units: Mapping[str, tuple[int, ...]]

    @model_validator(mode="after")
    def _are_triples(self) -> "ImageUnits":
        for path, numbers in self.units.items():
            if len(numbers) % 3 or any(not 0 <= layer < len(self.layers) for layer in numbers[::3]):
                raise ValueError(f"image '{path}': {numbers} are no units of {len(self.layers)} layers")
        return self
