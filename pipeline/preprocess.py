"""From an image to what the network sees, and back.

`Preprocessing` describes the step, `prepare` and `normalise` do it, `to_image` and `view` undo its geometry.
The geometry is that of torchvision's `Resize`, `CenterCrop`, `ToTensor`, `Normalize` on a Pillow image
(rounding of sizes and offsets included), done in one resampling of the cropped box instead of two steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydantic import Field, model_validator

from pipeline.errors import UserError
from pipeline.params import Block

Pixels: TypeAlias = Annotated[int, Field(ge=1, le=16384)]
Share: TypeAlias = Annotated[float, Field(ge=0.0, le=1.0)]
Deviation: TypeAlias = Annotated[float, Field(gt=0.0, le=10.0)]
UInt8: TypeAlias = npt.NDArray[np.uint8]
Float32: TypeAlias = npt.NDArray[np.float32]
Span: TypeAlias = tuple[int, int]

RESAMPLING = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
}


# Reach of the widest filter (Lanczos) at scale 1, pixels.
SUPPORT = 3
# A long thin image would fill the memory if all of it were resized; beyond this many pixels only the part is.
LARGEST_WHOLE = 64 * 2**20


class Preprocessing(Block):
    """How an RGB image becomes a network input."""

    input_size: tuple[Pixels, Pixels] = Field(description="height and width of the network input, pixels")
    resize: Pixels | tuple[Pixels, Pixels] | None = Field(
        default=None,
        description="shorter side, or height and width, after resizing, pixels; null: not resized",
    )
    crop: Literal["center", "none"] = Field(default="center", description="what is cut out after resizing")
    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos", "box", "hamming"] = Field(
        default="bilinear", description="Pillow's resampling filter"
    )
    mean: tuple[Share, Share, Share] = Field(
        default=(0.485, 0.456, 0.406), description="subtracted from R, G, B, share of full scale"
    )
    std: tuple[Deviation, Deviation, Deviation] = Field(
        default=(0.229, 0.224, 0.225), description="R, G, B are divided by it, share of full scale"
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

    @model_validator(mode="after")
    def _reaches_size(self) -> Preprocessing:
        """Without a crop nothing but the resize can make the image `input_size`."""
        if self.crop == "none" and self.resize is not None and self.resize != self.input_size:
            raise ValueError(
                f"with crop: none, resize must be input_size {list(self.input_size)}, got {self.resize}"
            )
        return self


@dataclass(frozen=True)
class Geometry:
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


def geometry(width: int, height: int, preprocessing: Preprocessing) -> Geometry:
    """Return where the network input lies in an image of this size.

    Parameters
    ----------
    width, height : int
        Size of the original image (orientation applied), pixels.
    preprocessing : Preprocessing

    Returns
    -------
    Geometry

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
    return Geometry(resized, (offset[0], offset[1]), (height / resized[0], width / resized[1]))


def prepare(rgb: UInt8 | Image.Image, preprocessing: Preprocessing) -> UInt8:
    """Resize and crop an image to what the network sees, before normalisation.

    Parameters
    ----------
    rgb : (H, W, 3) uint8, or Pillow's image in mode RGB
        The original image, orientation applied. The second spares two copies of it.
    preprocessing : Preprocessing

    Returns
    -------
    (h, w, 3) uint8
        `preprocessing.input_size` pixels; zero where the image is smaller than the crop, as torchvision pads.

    Raises
    ------
    UserError
        The preprocessing neither resizes nor crops and the image has another size.
    """
    width, height = rgb.size if isinstance(rgb, Image.Image) else rgb.shape[1::-1]
    place = geometry(width, height, preprocessing)
    rows = _inside(place.offset[0], preprocessing.input_size[0], place.resized[0])
    columns = _inside(place.offset[1], preprocessing.input_size[1], place.resized[1])
    seen = _resample(rgb, place.resized, (rows, columns), preprocessing)
    if seen.shape[:2] == preprocessing.input_size:
        return np.ascontiguousarray(seen)
    padded = np.zeros((*preprocessing.input_size, 3), np.uint8)
    y, x = rows[0] - place.offset[0], columns[0] - place.offset[1]
    padded[y : y + seen.shape[0], x : x + seen.shape[1]] = seen
    return padded


def normalise(batch: UInt8, preprocessing: Preprocessing) -> Float32:
    """Scale pixels to shares of full scale, subtract the mean, divide by the standard deviation.

    Parameters
    ----------
    batch : (n, h, w, 3) uint8
    preprocessing : Preprocessing

    Returns
    -------
    (n, 3, h, w) float32
        Equal to torchvision's `ToTensor` and `Normalize`; a view whose memory is (n, h, w, 3), torch's
        channels-last format.
    """
    images, height, width, colours = batch.shape
    # Whole rows at a time: NumPy's inner loop would run over three colours, four times slower.
    scaled = np.divide(batch.reshape(images, height, width * colours), np.float32(255), dtype=np.float32)
    scaled -= np.tile(np.asarray(preprocessing.mean, np.float32), width)
    scaled /= np.tile(np.asarray(preprocessing.std, np.float32), width)
    return scaled.reshape(batch.shape).transpose(0, 3, 1, 2)


def to_image(
    boxes: npt.NDArray[Any], width: int, height: int, preprocessing: Preprocessing
) -> npt.NDArray[np.float64]:
    """Map boxes of the network input back into the original image.

    Parameters
    ----------
    boxes : (..., 4)
        x0, y0, x1, y1 in pixels of the network input, end exclusive; may leave it.
    width, height : int
        Size of the original image (orientation applied), pixels.
    preprocessing : Preprocessing

    Returns
    -------
    (..., 4) float64
        x0, y0, x1, y1 in pixels of the original image, unclipped.
    """
    place = geometry(width, height, preprocessing)
    offset = np.array([place.offset[1], place.offset[0]] * 2, np.float64)
    scale = np.array([place.scale[1], place.scale[0]] * 2, np.float64)
    return (np.asarray(boxes, np.float64) + offset) * scale


def view(width: int, height: int, preprocessing: Preprocessing) -> tuple[float, float, float, float]:
    """Return the part of the original image that the network saw.

    Parameters
    ----------
    width, height : int
        Size of the original image (orientation applied), pixels.
    preprocessing : Preprocessing

    Returns
    -------
    tuple of float
        x0, y0, x1, y1 in pixels of the original image, within it.
    """
    rows, columns = preprocessing.input_size
    x0, y0, x1, y1 = to_image(np.array([0, 0, columns, rows]), width, height, preprocessing).tolist()
    return max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height))


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


def _inside(start: int, length: int, limit: int) -> tuple[int, int]:
    """Cut the interval [start, start + length) to [0, limit)."""
    return max(start, 0), min(start + length, limit)


def _resample(
    rgb: UInt8 | Image.Image, resized: tuple[int, int], part: tuple[Span, Span], how: Preprocessing
) -> UInt8:
    """Return rows and columns `part` of the image as if all of it had been resized to `resized`."""
    (top, bottom), (left, right) = part
    filter_ = RESAMPLING[how.interpolation]
    picture = rgb if isinstance(rgb, Image.Image) else Image.fromarray(rgb)
    if resized == (picture.height, picture.width):
        return np.asarray(rgb)[top:bottom, left:right]
    if how.interpolation == "nearest":
        rows, columns = _nearest(picture.height, resized[0]), _nearest(picture.width, resized[1])
        return np.asarray(rgb)[np.ix_(rows[top:bottom], columns[left:right])]
    # Pillow chooses the order of its two passes by the shapes where height and width scale differently; the
    # box filter jumps where a float32 box edge is rounded. Both need the whole image resized to be exact.
    whole = isinstance(how.resize, tuple) or how.interpolation == "box"
    if whole and resized[0] * resized[1] <= LARGEST_WHOLE:
        return np.asarray(picture.resize(resized[::-1], filter_))[top:bottom, left:right]
    return _two_passes(picture, resized, part, filter_)


def _two_passes(
    picture: Image.Image, resized: tuple[int, int], part: tuple[Span, Span], filter_: Image.Resampling
) -> UInt8:
    """Resample horizontally, then vertically (Pillow's order for equal scales), only what `part` needs."""
    (top, bottom), (left, right) = part
    width, height = picture.size
    y_scale, x_scale = height / resized[0], width / resized[1]
    margin = SUPPORT * max(y_scale, 1.0) + 1
    first = max(int(top * y_scale - margin), 0)
    last = min(math.ceil(bottom * y_scale + margin), height)
    if resized[1] == width:
        picture = picture.crop((left, first, right, last))
    else:
        box = (left * x_scale, 0.0, min(right * x_scale, width), float(last - first))
        picture = picture.crop((0, first, width, last)).resize((right - left, last - first), filter_, box)
    if resized[0] == height:
        return np.asarray(picture)[top - first : bottom - first]
    box = (0.0, top * y_scale - first, float(right - left), min(bottom * y_scale - first, last - first))
    return np.asarray(picture.resize((right - left, bottom - top), filter_, box))


def _nearest(length: int, resized: int) -> npt.NDArray[np.int32]:
    """Return for each resized pixel of one axis the original pixel that Pillow takes."""
    line = Image.fromarray(np.arange(length, dtype=np.int32)[np.newaxis])
    return np.asarray(line.resize((resized, 1), Image.Resampling.NEAREST))[0]
