"""The block `render_people`: its schema."""

from pydantic import Field

from pipeline.params import Block


class Params(Block):
    """The block `render_people`."""

    listed: int = Field(ge=1, le=10_000, description="lines of the lists of images; files have all of them")
