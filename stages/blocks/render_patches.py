"""The block `render_patches`: its schema."""

from pydantic import Field

from pipeline.params import Block


class Params(Block):
    """The block `render_patches`."""

    units: int = Field(
        ge=1, le=200, description="units in a layer's overview; all others have their own page"
    )
