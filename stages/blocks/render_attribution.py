"""The block `render_attribution`: its schema."""

from pydantic import Field

from pipeline.params import Block


class Params(Block):
    """The block `render_attribution`."""

    probes: int = Field(ge=1, le=500, description="probes whose maps stand in the chapter")
