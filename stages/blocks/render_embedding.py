"""The block `render_embedding`: its schema."""

from typing import Annotated

from pydantic import Field

from pipeline.params import Block

Side = Annotated[int, Field(ge=200, le=10_000)]


class Params(Block):
    """The block `render_embedding`."""

    canvas: Side | Annotated[tuple[Side, ...], Field(min_length=1, max_length=8)] = Field(
        description="side of the mosaics, pixels, 200 to 10000; of a list the first stands on the page"
    )
    tile: int = Field(ge=8, le=512, description="side of an image on the map, pixels")
    viewer_images: int = Field(
        ge=1, le=100_000, description="images in the interactive map; a sample of more"
    )
    viewer_tile: int = Field(ge=8, le=256, description="side of a thumbnail there, pixels")
    seed: int = Field(ge=0, le=2**31 - 1, description="of the sample")

    @property
    def canvases(self) -> tuple[int, ...]:
        """The sides of the mosaics, each once, the one on the page first."""
        return tuple(dict.fromkeys(self.canvas if isinstance(self.canvas, tuple) else (self.canvas,)))
