"""The block `units`: its schema."""

from typing import Annotated

from pydantic import Field

from pipeline.params import OptionalBlock

Share = Annotated[float, Field(ge=0, le=1)]


class Params(OptionalBlock):
    """The block `units`."""

    quantiles: tuple[Share, ...] = Field(min_length=1, max_length=100, description="of the maxima, shares")
    bins: int = Field(ge=2, le=1000, description="of the histogram of the maxima")
    top: int = Field(ge=1, le=10_000, description="strongest images of each unit that are kept by name")
    nearly_dead: float = Field(ge=0, le=1, description="share of the images that are few")
    saturated: float = Field(gt=0, le=1, description="share of the images at an end of the function")
    seed: int = Field(ge=0, le=2**31 - 1, description="of the shuffled labels")
