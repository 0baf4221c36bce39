"""The block `patches`: its schema, and what is checked before any stage runs."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from pipeline.layers.choosing import choose_layers
from pipeline.layers.selection import select_layers
from pipeline.params import Block
from pipeline.weights.assembly import Preview

Unit = Annotated[int, Field(ge=0)]


class Params(Block):
    """The block `patches`."""

    units: Annotated[int, Field(ge=1)] | Annotated[tuple[Unit, ...], Field(min_length=1)] = Field(
        description="how many units of a layer, or their numbers"
    )
    layers: tuple[str, ...] = Field(min_length=1, description="layer names or globs")
    side: int = Field(ge=8, le=512, description="side of a patch, pixels")
    seed: int = Field(ge=0, description="another seed samples other units")


def check(blocks: Mapping[str, Any], network: Preview) -> None:
    """Choose layers among those that are extracted."""
    extracted = select_layers(network.layers, network.code_layer, blocks["extract"].layers, "extract.layers")
    choose_layers(blocks["patches"].layers, [layer.name for layer in extracted], "patches.layers")
