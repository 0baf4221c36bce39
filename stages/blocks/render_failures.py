"""The block `render_failures`: its schema."""

from pydantic import Field

from pipeline.params import Block


class Params(Block):
    """The block `render_failures`."""

    listed: int = Field(ge=1, le=200, description="attributes whose bins are drawn, the worst first")
