"""The block `neighbours`: its schema."""

from typing import Literal

from pydantic import Field, field_validator

from pipeline.params import OptionalBlock


class Params(OptionalBlock):
    """The block `neighbours`."""

    k: int = Field(ge=1, le=100, description="nearest images of each image")
    metric: Literal["euclidean", "cosine"] = Field(
        description="distance of codes; cosine: each is scaled to length 1"
    )
    sample: int = Field(
        ge=1, le=20_000, description="images whose labels are compared with their neighbours'"
    )
    images: int = Field(
        ge=2, description="images of the map whose nearest by codes are kept, a random sample of more"
    )
    pixel_side: int = Field(ge=1, le=64, description="side of the square whose pixels are compared")
    colour_bins: int = Field(ge=3, le=25, description="bins of each of L*, a* and b*, an odd number")
    repeats: int = Field(ge=100, le=100_000, description="bootstrap samples behind the intervals")
    seed: int = Field(ge=0, le=2**31 - 1, description="of the samples and of the bootstrap")

    @field_validator("colour_bins")
    @classmethod
    def _grey_in_the_middle(cls, bins: int) -> int:
        if bins % 2 == 0:
            raise ValueError("must be odd, so that grey lies in the middle of a bin")
        return bins
