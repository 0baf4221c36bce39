"""A section as a whole."""

from collections.abc import Mapping

from pydantic import model_validator

from pipeline.contents.blocks import Block, Images, Units, block_files, block_ids, block_numbers
from pipeline.contents.parts import ImageOutputs, ImagePart, ImageUnits, LayerPart, SpriteSheet, WholeImage
from pipeline.contents.values import Model, Number, Slug
from pipeline.formats.status import State, Status


class Section(Model):
    """What a section says: its parts in the order of the page, and what it adds to pages that collect.

    Attributes
    ----------
    name
        Of the section, once in the report; its caption file has the same.
    status, reason
        Whether the analysis was done, and why not.
    numbers
        Name to number or text, for every caption of the section.
    blocks
        In the order of the page.
    layers, images
        What it says of layers, their units, and images.
    sheets, whole_images
        Pictures of whole images, and which lies where: each image once.
    image_units
        In which units images stand highest; None where the section does not say it.
    image_outputs
        What the network takes images for; None likewise.
    image_near
        Names a part of its caption file: what the nearest images are that the map's points name; None where
        they name none.
    """

    name: Slug
    status: State = "done"
    reason: str = ""
    numbers: Mapping[str, Number] = {}
    blocks: tuple[Block, ...] = ()
    layers: tuple[LayerPart, ...] = ()
    images: tuple[ImagePart, ...] = ()
    sheets: tuple[SpriteSheet, ...] = ()
    whole_images: tuple[WholeImage, ...] = ()
    image_units: ImageUnits | None = None
    image_outputs: ImageOutputs | None = None
    image_near: Slug | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> "Section":
        Status(self.status, self.reason)  # refuses a state without its reason
        _once("id", [name for blocks in self._lists() for name in block_ids(blocks)])
        layers, images = [part.layer for part in self.layers], [part.image_id for part in self.images]
        _once("layer", layers)
        _once("image", images)
        for block in self.blocks:
            if isinstance(block, Units) and not set(block.layers) <= set(layers):
                raise ValueError(f"block '{block.id}' shows a layer of which the section says nothing")
            if isinstance(block, Images) and not set(block.images) <= set(images):
                raise ValueError(f"block '{block.id}' shows an image of which the section says nothing")
        self._check_numbers()
        self._check_whole_images()
        return self

    def _check_numbers(self) -> None:
        """See that what stands over one of the section's numbers in a caption is of its kind.

        Its value may be a part's own: the units of one layer in place of all units. A layer's name in place
        of a count is another thing of the same name.
        """
        parts = [numbers for blocks in self._lists() for numbers in block_numbers(blocks)]
        for numbers in [*parts, *(layer.numbers for layer in self.layers)]:
            for name in numbers.keys() & self.numbers.keys():
                over, own = numbers[name], self.numbers[name]
                if isinstance(over, str) != isinstance(own, str):
                    raise ValueError(f"number '{name}' is {own!r} in the section, {over!r} in a part of it")

    def _check_whole_images(self) -> None:
        _once("whole image", [one.image_id for one in self.whole_images])
        for one in self.whole_images:
            if one.sheet >= len(self.sheets) or not self.sheets[one.sheet].holds(one):
                raise ValueError(f"whole image {one.image_id}: leaves the sheets")
        for layer in self.layers:
            shown = [scene.image for unit in layer.units for scene in unit.scenes]
            if any(image is not None and image >= len(self.whole_images) for image in shown):
                raise ValueError(f"layer {layer.layer}: shows a whole image that is not there")

    @property
    def files(self) -> list[str]:
        """The names of all files that it refers to, relative to its folder."""
        files = [name for blocks in self._lists() for name in block_files(blocks)]
        files += [sheet.file for sheet in self.sheets]
        for layer in self.layers:
            files += [layer.data] if layer.data else []
            files += [sheet.file for sheet in layer.sheets]
        return files

    def _lists(self) -> list[tuple[Block, ...]]:
        """Every list of blocks in it."""
        lists = [self.blocks, *(image.blocks for image in self.images)]
        for layer in self.layers:
            lists += [layer.blocks, *(unit.blocks for unit in layer.units)]
        return lists


def _once(kind: str, names: list[str] | list[int]) -> None:
    seen: set[str | int] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{kind} '{name}' is given twice")
        seen.add(name)
