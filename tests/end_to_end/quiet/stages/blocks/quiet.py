"""The block `quiet`: its schema."""

from pydantic import Field

from pipeline.params import OptionalBlock


class Params(OptionalBlock):
    """The block `quiet`."""

    level: float = Field(ge=0, description="largest activation of a quiet unit")
