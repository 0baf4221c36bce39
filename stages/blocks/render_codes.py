"""The block `render_codes`: its schema."""

from pydantic import Field

from pipeline.params import Block


class Params(Block):
    """The block `render_codes`."""

    probes: int = Field(ge=1, le=50, description="probes in the chapter's picture")
