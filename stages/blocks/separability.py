"""The block `separability`: its schema."""

from typing import Annotated

from pydantic import Field

from pipeline.params import OptionalBlock

Strength = Annotated[float, Field(gt=0, le=1e6)]


class Params(OptionalBlock):
    """The block `separability`."""

    sample: int = Field(ge=4, le=100_000, description="labelled images, those held out among them")
    layers: tuple[str, ...] = Field(min_length=1, description="layers that get probes, names or globs")
    strengths: tuple[Strength, ...] = Field(
        min_length=1, description="inverse strengths of the regularisation that are tried"
    )
    steps: int = Field(ge=1, le=10_000, description="steps of the solver at most")
    seed: int = Field(ge=0, le=2**31 - 1, description="of the sample and of what chooses the strength")
