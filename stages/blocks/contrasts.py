"""The block `contrasts`: its schema."""

from pydantic import Field

from pipeline.params import OptionalBlock


class Params(OptionalBlock):
    """The block `contrasts`; units and layers are those of the block `patches`, as is the side of a patch."""

    images: int = Field(ge=1, le=100, description="weakest images of each unit, and as many at random")
    seed: int = Field(ge=0, le=2**31 - 1, description="of the images at random")
