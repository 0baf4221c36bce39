"""The block `probes`: its schema."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, model_validator

from pipeline.errors import UserError, nearest
from pipeline.params import OptionalBlock

ImageId = Annotated[int, Field(ge=0)]
MOST = 500
# Of so many paths the nearest to a wrong one is found in a second.
_SEARCHED = 20_000


class Params(OptionalBlock):
    """The block `probes`."""

    ids: tuple[ImageId, ...] = Field(description="images by their rows of the manifest")
    paths: tuple[str, ...] = Field(description="images by their paths in the dataset")
    right: int = Field(ge=0, le=100, description="drawn of each class that the network gets right")
    wrong: int = Field(ge=0, le=100, description="drawn of each class that it gets wrong")
    least: int = Field(
        ge=0, le=MOST, description="images in all, for which more of each class are drawn where there are few"
    )
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

    def check_ids(self, images: int) -> None:
        """See that the dataset has as many images as `ids` wants; `UserError` where it has not."""
        for image_id in self.ids:
            if image_id >= images:
                raise UserError(
                    f"probes.ids: no image {image_id} in the dataset; ids are from 0 to {images - 1}"
                )

    def check_paths(self, listed: Sequence[str]) -> None:
        """See that images of the dataset have the names in `paths`; `UserError` where one has not."""
        known = set(listed)
        for path in self.paths:
            if path not in known:
                meant = nearest(path, listed[:_SEARCHED])
                raise UserError(
                    f"probes.paths: no image '{path}' in the dataset; "
                    + (f"did you mean '{meant}'?" if meant else f"a path is such as '{listed[0]}'")
                )
