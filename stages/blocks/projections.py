"""The block `projections`: its schema, and what is checked before any stage runs."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from pipeline.layers.choosing import choose_layers
from pipeline.layers.selection import select_layers
from pipeline.params import OptionalBlock
from pipeline.weights.assembly import Preview

# Layers that `auto` takes: of a deep network a sample spread over its depth.
MOST_LAYERS = 8


class Params(OptionalBlock):
    """The block `projections`; units and layers are among those of the block `patches`."""

    layers: Literal["auto"] | Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description=f"names or globs of drawn layers; auto: {MOST_LAYERS} at most, spread over the depth"
    )
    units: int = Field(ge=1, description="drawn units of a layer")
    k: int = Field(ge=1, description="strongest images of a unit, of those that are drawn")
    methods: Annotated[tuple[Literal["deconvnet", "guided_backprop"], ...], Field(min_length=1)] = Field(
        description="backward rules"
    )
    side: int = Field(ge=8, le=512, description="longest side of what is kept, pixels")
    batch_size: int = Field(ge=1, le=4096, description="images in a batch")
    seed: int = Field(ge=0, le=2**31 - 1, description="of the other units")


def check(blocks: Mapping[str, Any], network: Preview) -> None:
    """See that its layers are among those that are drawn.

    Raises
    ------
    UserError
        If one is not.
    """
    own, extract, patches = blocks["projections"], blocks["extract"], blocks["patches"]
    if own.run and own.layers != "auto":
        extracted = select_layers(network.layers, network.code_layer, extract.layers, "extract.layers")
        drawn = choose_layers(patches.layers, [layer.name for layer in extracted], "patches.layers")
        choose_layers(own.layers, drawn, "projections.layers")
