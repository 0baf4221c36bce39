"""The block `fooling`: its schema."""

from typing import Annotated

from pydantic import Field, field_validator

from pipeline.params import OptionalBlock

Level = Annotated[int, Field(ge=1, le=255)]


class Params(OptionalBlock):
    """The block `fooling`; distances are grey levels of 255."""

    images: int = Field(ge=1, le=100_000, description="images of the sample at most")
    pixels: int = Field(ge=1, description="pixels of the sample's images, or of a generation's, at most")
    levels: Annotated[tuple[Level, ...], Field(min_length=1, max_length=64)] = Field(description="distances")
    steps: int = Field(ge=1, le=1000, description="of PGD")
    probes: int = Field(ge=1, le=500, description="probes that are shown, the first ones")
    minimal: int = Field(ge=0, le=500, description="of these whose smallest change is looked for")
    solves: int = Field(ge=1, le=100, description="values of Szegedy's c that are tried")
    solver_steps: int = Field(ge=1, le=1000, description="of L-BFGS at each")
    classes: int = Field(ge=1, le=1000, description="outputs that fooling images are made for")
    confidence: float = Field(gt=0, lt=1, description="that fooling images are to reach")
    ascent_steps: int = Field(ge=1, le=100_000, description="for that at most")
    evolved: int = Field(ge=0, le=100_000, description="generations in which images are evolved")
    offspring: int = Field(ge=1, le=4096, description="images of a generation at most")
    elites: int = Field(ge=1, le=1000, description="outputs that images are evolved for at most")
    transfer: Level = Field(description="distance of attacks that are tried on other checkpoints")
    linear_images: int = Field(ge=0, le=100_000, description="images a classifier of pixels is fitted to")
    batch_size: int = Field(ge=1, le=4096, description="images in a batch")
    seed: int = Field(ge=0, le=2**31 - 1, description="of all that is drawn")

    @field_validator("levels")
    @classmethod
    def _once(cls, levels: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(levels)))
