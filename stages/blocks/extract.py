"""The block `extract`: its schema, and what is checked before any stage runs."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from pipeline.layers.choosing import choose_layers
from pipeline.layers.selection import select_layers
from pipeline.params import Block
from pipeline.weights.assembly import Preview

# Images up to which means are kept unless params say otherwise: 2 GB with 5,000 units.
MEANS_UP_TO = 100_000


class Shards(Block):
    """The part `shards` of the block."""

    mean: int = Field(ge=1, description="mean number of images in a shard")
    largest: int = Field(ge=1, description="largest number of images in a shard, at least the mean")

    @model_validator(mode="after")
    def _ordered(self) -> "Shards":
        if self.largest < self.mean:
            raise ValueError(f"largest must be at least the mean, {self.mean}")
        return self


class Params(Block):
    """The block `extract`."""

    layers: Literal["auto"] | Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="auto, or node names and globs"
    )
    batch_size: int = Field(ge=1, le=4096, description="images in a batch")
    precision: Literal["float32", "bfloat16", "float16"] = Field(description="what the network computes in")
    statistics: bool = Field(description="keep each unit's zero counts and largest pre-activation")
    means: Literal["auto"] | bool = Field(
        description=f"keep each unit's mean activation on every image; auto: up to {MEANS_UP_TO:,} images"
    )
    candidates: int = Field(ge=0, le=10_000, description="ranks computed again in float32; 0: none")
    shards: Shards

    def keeps_means(self, images: int) -> bool:
        """Tell whether mean activations are kept of this many images."""
        return images <= MEANS_UP_TO if self.means == "auto" else self.means


def check(blocks: Mapping[str, Any], network: Preview) -> None:
    """Choose layers of the network that the block `model` names, here and in blocks that read no network."""
    extracted = select_layers(network.layers, network.code_layer, blocks["extract"].layers, "extract.layers")
    names = [layer.name for layer in extracted]
    choose_layers(blocks["patches"].layers, names, "patches.layers")
    if blocks["separability"].run:
        choose_layers(blocks["separability"].layers, names, "separability.layers")
