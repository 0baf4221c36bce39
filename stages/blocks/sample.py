"""The block `sample`: its schema."""

from typing import Literal

from pydantic import Field

from pipeline.params import Block


class Params(Block):
    """The block `sample`."""

    dataset: Literal["letters", "digits", "cifar10", "imagenette", "none"] = Field(
        description="which dataset"
    )
