"""The block `render_people`: its schema."""

from pydantic import Field

from pipeline.params import Block


class Params(Block):
    """The block `render_people`."""

    listed: int = Field(ge=1, le=10_000, description="lines of the lists of images; files have all of them")
    to_label: int = Field(ge=1, le=5000, description="images on the labelling page")
    side: int = Field(ge=32, le=1024, description="longest side of their pictures, pixels")
    examples: int = Field(ge=0, le=10, description="example images of each class there")
    asked: int = Field(ge=0, le=1000, description="units of each layer that people are asked about there")
    seed: int = Field(ge=0, le=2**31 - 1, description="of the images and units that are drawn")
