"""What happens to an image before the network sees it: its description and its geometry.

`Preprocessing` describes the step, `placement` says where the network input lies. The geometry is that of
torchvision's `Resize`, `CenterCrop`, `ToTensor`, `Normalize` on a Pillow image, rounding of sizes and offsets
included. The pixels are made in `pipeline.images.network_input`; `pipeline.images.way_back` leads back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, field_validator, model_validator

from pipeline.errors import UserError
from pipeline.params import Block

Pixels: TypeAlias = Annotated[int, Field(ge=1, le=16384)]
Share: TypeAlias = Annotated[float, Field(ge=0.0, le=1.0)]
Deviation: TypeAlias = Annotated[float, Field(gt=0.0, le=10.0)]


class Preprocessing(Block):
    """How an RGB image becomes a network input, of three channels or of one."""

    input_size: tuple[Pixels, Pixels] = Field(description="height and width of the network input, pixels")
    resize: Pixels | tuple[Pixels, Pixels] | None = Field(
        default=None,
        description="shorter side, or height and width, after resizing, pixels; null: not resized",
    )
    crop: Literal["center", "none"] = Field(default="center", description="what is cut out after resizing")
    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos", "box", "hamming"] = Field(
        default="bilinear", description="Pillow's resampling filter"
    )
    mean: tuple[Share, ...] = Field(
        default=(0.485, 0.456, 0.406),
        description="subtracted from R, G, B, or from grey, share of full scale; as many as input channels",
    )
    std: tuple[Deviation, ...] = Field(
        default=(0.229, 0.224, 0.225),
        description="R, G, B, or grey, are divided by it, share of full scale; as many as input channels",
    )

    @model_validator(mode="before")
    @classmethod
    def _written(cls, values: Any) -> Any:
        """Take what YAML and JSON write: lists for tuples, and one number for the size of a square."""
        if not isinstance(values, dict):
            return values
        values = {key: tuple(item) if isinstance(item, list) else item for key, item in values.items()}
        if type(values.get("input_size")) is int:
            values["input_size"] = (values["input_size"],) * 2
        return values

    @field_validator("mean", "std")
    @classmethod
    def _one_or_three(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        if len(values) not in (1, 3):
            raise ValueError("must have 3 values (R, G, B), or 1 for a network of grey images")
        return values

    @model_validator(mode="after")
    def _as_many(self) -> Preprocessing:
        if len(self.mean) != len(self.std):
            raise ValueError(
                f"mean and std must have as many values, got {len(self.mean)} and {len(self.std)}; "
                "write 3 each (R, G, B), or 1 each for a network of grey images"
            )
        return self

    @property
    def channels(self) -> int:
        """Channels of the network input: 3 (R, G, B), or 1 (grey)."""
        return len(self.mean)

    @model_validator(mode="after")
    def _reaches_size(self) -> Preprocessing:
        """Without a crop nothing but the resize can make the image `input_size`."""
        if self.crop == "none" and self.resize is not None and self.resize != self.input_size:
            raise ValueError(
                f"with crop: none, resize must be input_size {list(self.input_size)}, got {self.resize}"
            )
        return self


@dataclass(frozen=True)
class Placement:
    """Where a network input lies in its image.

    Attributes
    ----------
    resized : tuple of int
        Height and width of the whole image after resizing, pixels.
    offset : tuple of int
        Top and left of the network input in the resized image; negative where it was padded, pixels.
    scale : tuple of float
        Original pixels per resized pixel, (y, x).
    """

    resized: tuple[int, int]
    offset: tuple[int, int]
    scale: tuple[float, float]


def placement(width: int, height: int, preprocessing: Preprocessing) -> Placement:
    """Return where the network input lies in an image of this size.

    Parameters
    ----------
    width, height : int
        Size of the original image (orientation applied), pixels.
    preprocessing : Preprocessing

    Returns
    -------
    Placement

    Raises
    ------
    UserError
        The preprocessing neither resizes nor crops and the image has another size.
    """
    resized = _resized(width, height, preprocessing.resize)
    if preprocessing.crop == "none" and resized != preprocessing.input_size:
        raise UserError(
            f"preprocessing: an image of {height}x{width} pixels (height x width) is neither resized nor "
            f"cropped to {'x'.join(map(str, preprocessing.input_size))}; give resize, or crop: center"
        )
    offset = tuple(_crop_start(a, b) for a, b in zip(resized, preprocessing.input_size, strict=True))
    return Placement(resized, (offset[0], offset[1]), (height / resized[0], width / resized[1]))


def _resized(width: int, height: int, resize: int | tuple[int, int] | None) -> tuple[int, int]:
    """Return height and width after torchvision's Resize, which truncates the longer side."""
    if resize is None:
        return height, width
    if isinstance(resize, tuple):
        return resize
    longer = int(resize * max(width, height) / min(width, height))
    return (longer, resize) if width <= height else (resize, longer)


def _crop_start(length: int, crop: int) -> int:
    """Return torchvision's CenterCrop offset: halves to even where cut, down where padded."""
    return -((crop - length) // 2) if crop > length else round((length - crop) / 2)
