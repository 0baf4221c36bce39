"""The block `separability`: its schema, and what is checked before any stage runs."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from pipeline.layers.choosing import choose_layers
from pipeline.layers.selection import select_layers
from pipeline.params import OptionalBlock
from pipeline.weights.assembly import Preview

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


def check(blocks: Mapping[str, Any], network: Preview) -> None:
    """Choose layers among those that are extracted."""
    own = blocks["separability"]
    if own.run:
        extracted = select_layers(
            network.layers, network.code_layer, blocks["extract"].layers, "extract.layers"
        )
        choose_layers(own.layers, [layer.name for layer in extracted], "separability.layers")
