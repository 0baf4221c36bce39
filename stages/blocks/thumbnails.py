"""The block `thumbnails`: its schema."""

from pydantic import Field

from pipeline.params import Block


class Params(Block):
    """The block `thumbnails`."""

    side: int = Field(ge=4, le=512, description="side of a thumbnail, pixels")
