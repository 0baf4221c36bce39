"""The block `render_filters`: its schema."""

from typing import Literal

from pydantic import Field

from pipeline.params import Block


class Params(Block):
    """The block `render_filters`."""

    tiles: int = Field(ge=1, le=1000, description="filters of the first and of depthwise layers, a tile each")
    layers: int = Field(
        ge=0, le=200, description="further layers in the chapter; all stand on their own pages"
    )
    filters: int = Field(ge=1, le=64, description="filters of these, a line of tiles each")
    channels: int = Field(ge=1, le=64, description="channels of these, a column of tiles each")
    scale: Literal["layer", "filter"] = Field(description="what shares a scale of grey")
