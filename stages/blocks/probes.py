"""The block `probes`: its schema."""

from typing import Annotated

from pydantic import Field, model_validator

from pipeline.params import OptionalBlock

ImageId = Annotated[int, Field(ge=0)]
MOST = 500


class Params(OptionalBlock):
    """The block `probes`."""

    ids: tuple[ImageId, ...] = Field(description="images by their rows of the manifest")
    paths: tuple[str, ...] = Field(description="images by their paths in the dataset")
    right: int = Field(ge=0, le=100, description="drawn of each class that the network gets right")
    wrong: int = Field(ge=0, le=100, description="drawn of each class that it gets wrong")
    most: int = Field(ge=1, le=MOST, description="images in all, named and drawn")
    seed: int = Field(ge=0, le=2**31 - 1, description="of what is drawn")

    @model_validator(mode="after")
    def _wants_some(self) -> "Params":
        named = len({*self.ids}) + len({*self.paths})
        if named > self.most:
            raise ValueError(f"most must be at least {named}, since ids and paths name so many")
        if not named + self.right + self.wrong:
            raise ValueError("no image is asked for; name some in ids or paths, or set right or wrong")
        return self
