"""From an image's pixels to the numbers that the network sees: `prepare` resizes and crops, then `normalise`.

The pixels are those of torchvision's `Resize` and `CenterCrop` on a Pillow image, but for one grey level in
about a hundredth of a photograph's; the tests say how close on noise.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from pipeline.images.preprocess import Preprocessing, placement

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
# torch has Pillow's bilinear and bicubic filters for bytes with vector instructions and takes a third of the
# time, but resizes whole images. Beyond so many times what the network sees, Pillow resizes that part only.
LARGEST_WASTE = 4
# Reach of the widest filter (Lanczos) at scale 1, pixels.
SUPPORT = 3
# A long thin image would fill the memory if all of it were resized; beyond this many pixels only the part is.
LARGEST_WHOLE = 64 * 2**20


def prepare(rgb: UInt8, preprocessing: Preprocessing) -> UInt8:
    """Resize and crop an image to what the network sees, before normalisation.

    For a network of one input channel it is made grey then: luma of ITU-R 601, as Pillow's mode L has it.

    Parameters
    ----------
    rgb : (H, W, 3) uint8
        The original image, orientation applied.
    preprocessing : Preprocessing

    Returns
    -------
    (h, w, C) uint8
        `preprocessing.input_size` pixels, `preprocessing.channels` values each; zero where the image is
        smaller than the crop, as torchvision pads.

    Raises
    ------
    UserError
        The preprocessing neither resizes nor crops and the image has another size.
    """
    height, width = rgb.shape[:2]
    place = placement(width, height, preprocessing)
    rows = _inside(place.offset[0], preprocessing.input_size[0], place.resized[0])
    columns = _inside(place.offset[1], preprocessing.input_size[1], place.resized[1])
    seen = _resample(rgb, place.resized, (rows, columns), preprocessing)
    if preprocessing.channels == 1:
        seen = np.asarray(Image.fromarray(seen).convert("L"))[..., np.newaxis]
    if seen.shape[:2] == preprocessing.input_size:
        return np.ascontiguousarray(seen)
    padded = np.zeros((*preprocessing.input_size, preprocessing.channels), np.uint8)
    y, x = rows[0] - place.offset[0], columns[0] - place.offset[1]
    padded[y : y + seen.shape[0], x : x + seen.shape[1]] = seen
    return padded


def normalise(batch: UInt8, preprocessing: Preprocessing) -> Float32:
    """Scale pixels to shares of full scale, subtract the mean, divide by the standard deviation.

    Parameters
    ----------
    batch : (n, h, w, C) uint8
    preprocessing : Preprocessing

    Returns
    -------
    (n, C, h, w) float32
        Equal to torchvision's `ToTensor` and `Normalize`; a view whose memory is (n, h, w, C), torch's
        channels-last format.
    """
    images, height, width, colours = batch.shape
    # Whole rows at a time: NumPy's inner loop would run over three colours, four times slower.
    scaled = np.divide(batch.reshape(images, height, width * colours), np.float32(255), dtype=np.float32)
    scaled -= np.tile(np.asarray(preprocessing.mean, np.float32), width)
    scaled /= np.tile(np.asarray(preprocessing.std, np.float32), width)
    return scaled.reshape(batch.shape).transpose(0, 3, 1, 2)


def normalise_tensor(batch: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Do as `normalise` where the pixels are, on a GPU: the same bits.

    Parameters
    ----------
    batch : (n, h, w, C) uint8
    preprocessing : Preprocessing

    Returns
    -------
    (n, C, h, w) float32
        In channels-last memory.
    """
    # A number would be multiplied by its reciprocal on a GPU, which rounds otherwise.
    full, mean, std = (
        torch.tensor(value, dtype=torch.float32, device=batch.device)
        for value in (255, preprocessing.mean, preprocessing.std)
    )
    return ((batch.float() / full - mean) / std).permute(0, 3, 1, 2)


def _inside(start: int, length: int, limit: int) -> tuple[int, int]:
    """Cut the interval [start, start + length) to [0, limit)."""
    return max(start, 0), min(start + length, limit)


def _resample(rgb: UInt8, resized: tuple[int, int], part: tuple[Span, Span], how: Preprocessing) -> UInt8:
    """Return rows and columns `part` of the image as if all of it had been resized to `resized`."""
    (top, bottom), (left, right) = part
    if resized == rgb.shape[:2]:
        return rgb[top:bottom, left:right]
    if how.interpolation == "nearest":
        rows, columns = _nearest(rgb.shape[0], resized[0]), _nearest(rgb.shape[1], resized[1])
        return rgb[np.ix_(rows[top:bottom], columns[left:right])]
    # Pillow chooses the order of its two passes by the shapes where height and width scale differently, and
    # bicubic values are clipped in between; the box filter jumps where a float32 box edge is rounded. Pillow
    # itself must resize the whole image there.
    unequal = isinstance(how.resize, tuple)
    waste = resized[0] * resized[1] / ((bottom - top) * (right - left))
    vectorised = how.interpolation == "bilinear" or (how.interpolation == "bicubic" and not unequal)
    if vectorised and waste <= LARGEST_WASTE:
        return _whole(rgb, resized, how.interpolation)[top:bottom, left:right]
    picture, filter_ = Image.fromarray(rgb), RESAMPLING[how.interpolation]
    if (unequal or how.interpolation == "box") and resized[0] * resized[1] <= LARGEST_WHOLE:
        return np.asarray(picture.resize(resized[::-1], filter_))[top:bottom, left:right]
    return _two_passes(picture, resized, part, filter_)


def _whole(rgb: UInt8, resized: tuple[int, int], interpolation: str) -> UInt8:
    """Resize all of the image with torch."""
    # torch warns of memory that it may not write into, as Pillow's is. The order of the two views decides the
    # layout of the result: with it colours lie together, and cutting a part out takes no time.
    image = torch.from_numpy(np.require(rgb, requirements=["C", "W"])).unsqueeze(0).permute(0, 3, 1, 2)
    seen = F.interpolate(image, resized, mode=interpolation, antialias=True, align_corners=False)
    return seen[0].permute(1, 2, 0).numpy()


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
