"""The block `patches`: its schema."""

from typing import Annotated

from pydantic import Field

from pipeline.params import Block

Unit = Annotated[int, Field(ge=0)]


class Params(Block):
    """The block `patches`."""

    units: Annotated[int, Field(ge=1)] | Annotated[tuple[Unit, ...], Field(min_length=1)] = Field(
        description="how many units of a layer, or their numbers"
    )
    layers: tuple[str, ...] = Field(min_length=1, description="layer names or globs")
    side: int = Field(ge=8, le=512, description="side of a patch, pixels")
    seed: int = Field(ge=0, description="another seed samples other units")
