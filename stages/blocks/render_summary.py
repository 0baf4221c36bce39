"""The block `render_summary`: its schema."""

from pydantic import Field

from pipeline.params import Block


class Params(Block):
    """The block `render_summary`."""

    examples: int = Field(ge=1, le=50, description="example images of each class")
    example_classes: int = Field(
        ge=1, le=200, description="classes that examples are drawn of, the first ones"
    )
    tile: int = Field(ge=8, le=512, description="side of an example, pixels")
