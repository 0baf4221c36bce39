"""The block `inversion`: its schema, and what is checked before any stage runs."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from pipeline.analyses.inversion.choosing import inverted_layers
from pipeline.params import OptionalBlock
from pipeline.weights.assembly import Preview

Weight = Annotated[float, Field(ge=0, le=1e6)]
Steps = Annotated[int, Field(ge=1, le=100_000)]
Rate = Annotated[float, Field(gt=0, le=1)]


class Params(OptionalBlock):
    """The block `inversion`."""

    layers: Literal["auto"] | Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="auto, or names and globs of layers"
    )
    most: int = Field(ge=2, le=50, description="layers that auto takes")
    probes: int = Field(ge=1, le=500, description="probes, the first ones")
    restarts: int = Field(ge=1, le=100, description="runs of each code, each from its own noise")
    schedule: Annotated[tuple[tuple[Steps, Rate], ...], Field(min_length=1)] = Field(
        description="so many steps at a rate, one after the other"
    )
    total_variation: tuple[Weight, Weight, Weight] = Field(
        description="its weight in the first 30 % of the layers, in the next, and from 60 % on"
    )
    sixth_norm: Weight = Field(description="weight of the sixth powers of the values")
    batch_size: int = Field(ge=1, le=4096, description="images in a batch")
    seed: int = Field(ge=0, le=2**31 - 1, description="of the noise")


def check(blocks: Mapping[str, Any], network: Preview) -> None:
    """Choose the layers of the network that the block `model` names."""
    params = blocks["inversion"]
    if params.run:
        inverted_layers(network.layers, network.code_layer, params.layers, params.most)
