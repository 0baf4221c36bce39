"""The block `scorecard`: its schema."""

from typing import Literal

from pydantic import Field

from pipeline.params import OptionalBlock


class Params(OptionalBlock):
    """The block `scorecard`."""

    probes: int = Field(ge=1, le=500, description="probes with maps of all methods, the first ones")
    steps: int = Field(ge=2, le=1000, description="in which an image's pixels are deleted")
    fill: Literal["zero", "mean", "blur", "noise"] = Field(description="what stands where one is deleted")
    repeats: int = Field(ge=1, le=100, description="orders by lot, for each image")
    again: int = Field(ge=1, le=500, description="of the probes, those with maps of shuffled weights")
    layers: int = Field(ge=1, le=100, description="steps from the last layer shuffled to all of them")
    batch_size: int = Field(ge=1, le=4096, description="inputs in a batch")
    seed: int = Field(ge=0, le=2**31 - 1, description="of lots")
