"""The block `class_models`: its schema."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.params import OptionalBlock


class Params(OptionalBlock):
    """The block `class_models`; the classes are those of the probes."""

    classes: int = Field(ge=1, le=1000, description="classes at most, those of the first probes")
    weight: Literal["auto"] | Annotated[float, Field(gt=0)] = Field(description="λ, or auto")
    steps: int = Field(ge=1, le=10_000, description="steps of a climb")
    batch_size: int = Field(ge=1, le=1024, description="classes in a batch")
