"""The block `attributes`: its schema."""

from pydantic import Field

from pipeline.params import OptionalBlock


class Params(OptionalBlock):
    """The block `attributes`."""

    bins: int = Field(ge=2, le=20, description="bins of equal count of an attribute")
    least: int = Field(ge=5, le=100_000, description="images in a bin at least")
    level: float = Field(gt=0, le=0.5, description="chance of any false finding among all attributes")
    repeats: int = Field(ge=100, le=1_000_000, description="shuffles behind the chance of each attribute")
    steps: int = Field(ge=1, le=10, description="strongest attributes beside which the others are tested")
    examples: int = Field(
        ge=0, le=50, description="images shown of the best and of the worst bin of an attribute"
    )
    shown: int = Field(ge=1, le=50, description="attributes, the first ones, that have examples")
    seed: int = Field(ge=0, le=2**31 - 1, description="of shuffles, bootstrap samples and examples")
