"""The block `similarity`: its schema."""

from pydantic import Field

from pipeline.params import OptionalBlock


class Params(OptionalBlock):
    """The block `similarity`."""

    sample: int = Field(ge=4, le=4000, description="images that layers are compared on")
    seed: int = Field(ge=0, le=2**31 - 1, description="of the sample and its halves")
