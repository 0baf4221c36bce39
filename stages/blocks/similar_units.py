"""The block `similar_units`: its schema."""

from pydantic import Field

from pipeline.params import OptionalBlock


class Params(OptionalBlock):
    """The block `similar_units`; units and layers are those of the extraction."""

    neighbours: int = Field(ge=1, le=1000, description="nearest units that are kept of each unit")
    across_layers: bool = Field(description="whether units of other layers are compared, too")
