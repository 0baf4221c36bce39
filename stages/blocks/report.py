"""The block `report`: its schema."""

from pydantic import Field

from pipeline.params import Block


class Params(Block):
    """The block `report`."""

    title: str = Field(min_length=1, max_length=200, description="heading of every page")
    skipped_shown: int = Field(ge=0, le=100_000, description="rows of the tables of skipped and odd images")
