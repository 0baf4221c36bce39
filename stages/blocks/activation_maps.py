"""The block `activation_maps`: its schema, and what is checked before any stage runs."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from pipeline.layers.selection import mapped_layers
from pipeline.params import OptionalBlock
from pipeline.weights.assembly import Preview


class Params(OptionalBlock):
    """The block `activation_maps`."""

    layers: Literal["auto"] | Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="auto, or names and globs of layers that are maps"
    )
    units: int = Field(ge=1, description="units of a layer that are kept, a sample of more")
    probes: int = Field(ge=1, le=500, description="probes, the first ones")
    batch_size: int = Field(ge=1, le=4096, description="images in a batch")
    seed: int = Field(ge=0, le=2**31 - 1, description="of the sample of units")


def check(blocks: Mapping[str, Any], network: Preview) -> None:
    """Choose the layers of the network that the block `model` names."""
    params = blocks["activation_maps"]
    if params.run:
        mapped_layers(network.layers, params.layers, "activation_maps.layers")
