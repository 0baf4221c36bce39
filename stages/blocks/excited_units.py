"""The block `excited_units`: its schema."""

from pydantic import Field

from pipeline.params import OptionalBlock


class Params(OptionalBlock):
    """The block `excited_units`."""

    units: int = Field(ge=1, le=100, description="units that are kept for each image")
    images: int = Field(ge=1, description="images that they are kept of, a random sample of more")
    seed: int = Field(ge=0, le=2**31 - 1, description="of that sample")
