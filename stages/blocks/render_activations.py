"""The block `render_activations`: its schema."""

from pydantic import Field

from pipeline.params import Block


class Params(Block):
    """The block `render_activations`."""

    probes: int = Field(ge=1, le=500, description="probes whose maps stand in the chapter")
    listed: int = Field(ge=1, le=10_000, description="lines of the lists of units; files have all of them")
