"""The block `render_embedding`: its schema."""

from pydantic import Field

from pipeline.params import Block


class Params(Block):
    """The block `render_embedding`."""

    canvas: int = Field(ge=200, le=10_000, description="side of the mosaics, pixels")
    tile: int = Field(ge=8, le=512, description="side of an image on the map, pixels")
    viewer_images: int = Field(
        ge=1, le=100_000, description="images in the interactive map; a sample of more"
    )
    viewer_tile: int = Field(ge=8, le=256, description="side of a thumbnail there, pixels")
    seed: int = Field(ge=0, le=2**31 - 1, description="of the sample")
