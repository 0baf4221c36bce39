"""The block `outlines`: its schema."""

from pydantic import Field

from pipeline.params import OptionalBlock


class Params(OptionalBlock):
    """The block `outlines`; units and layers are those of the block `patches`."""

    sample: int = Field(ge=1, description="images that the units' levels are taken on")
    batch_size: int = Field(ge=1, le=4096, description="images in a batch")
    seed: int = Field(ge=0, le=2**31 - 1, description="of the sample")
