"""The block `correspondence`: its schema, and what is checked before any stage runs."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from pipeline.layers.selection import select_layers
from pipeline.params import OptionalBlock
from pipeline.weights.assembly import Preview

Scale = Annotated[float, Field(ge=0.25, le=4)]
Share = Annotated[float, Field(gt=0, le=1)]
# Points in all: what is kept of each, 21 bytes a layer and network, is held until the last network was asked.
MOST = 1_000_000


class Params(OptionalBlock):
    """The block `correspondence`."""

    layers: Literal["auto"] | Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="auto, or names and globs of layers"
    )
    most: int = Field(ge=1, le=100, description="layers that auto takes")
    probes: int = Field(ge=1, le=500, description="probes, the first ones")
    warps: int = Field(ge=1, le=20, description="warps of each probe")
    points: int = Field(ge=1, le=10_000, description="points of each warp")
    rotation: float = Field(ge=0, le=180, description="degrees, either way")
    scale: tuple[Scale, Scale] = Field(description="from, to")
    translation: float = Field(ge=0, le=0.4, description="share of height and width, either way")
    right: float = Field(gt=0, le=1, description="share of the longer side within which a match is right")
    patches: tuple[Share, ...] = Field(description="sides of patches of pixels, share of the longer side")
    random_networks: int = Field(ge=1, le=20, description="networks with random weights")
    repeats: int = Field(ge=100, le=100_000, description="bootstrap samples")
    seed: int = Field(ge=0, le=2**31 - 1, description="of warps, points, random weights and bootstrap")

    @field_validator("scale")
    @classmethod
    def _ascending(cls, scale: tuple[float, float]) -> tuple[float, float]:
        if scale[0] > scale[1]:
            raise ValueError(f"must be the smaller number first, got {list(scale)}")
        return scale

    @model_validator(mode="after")
    def _held_in_memory(self) -> "Params":
        points = self.probes * self.warps * self.points
        if points > MOST:
            raise ValueError(
                f"probes, warps and points make {points:,} points together; lower one of them, so that there "
                f"are at most {MOST:,}"
            )
        return self


def check(blocks: Mapping[str, Any], network: Preview) -> None:
    """Choose the layers of the network that the block `model` names."""
    params = blocks["correspondence"]
    if params.run:
        select_layers(network.layers, network.code_layer, params.layers, "correspondence.layers")
