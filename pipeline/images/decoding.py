"""From the bytes of an image file to RGB pixels; the only module that calls a decoder.

- `decode`: bytes to pixels, orientation applied, always three channels of 8 bits
- `header`: format and size without decoding; `check`: whether it can be decoded, without keeping the pixels
- `ImageError` (of `pipeline.images.image_file`): why an image cannot be used

Colour, as documented here and nowhere else: what is transparent is laid on white; CMYK is converted by
Pillow's formula and embedded colour profiles are not applied, as torchvision does; 16-bit grey is scaled by
255/65535; 16-bit RGB keeps its high bytes; in PPM and PGM the stated largest value is white; 32-bit integers
and floats have no stated white and are refused.
"""

import io
import warnings
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, PngImagePlugin, TiffImagePlugin

from pipeline.images.image_file import ImageError, check_png, has_late_metadata, image_format
from pipeline.images.jpeg import END, lacks_passes, open_ended

RGB: TypeAlias = npt.NDArray[np.uint8]

# Twice Pillow's own limit is its error, once its warning; here the first is the error.
MOST_PIXELS = 89_478_485
# Of a colour profile or a text within a PNG: some editors write megabytes, and Pillow itself allows one.
MOST_TEXT = 32 << 20  # bytes
WHITE = (255, 255, 255, 255)
# The end mark of such a file was put back after it had been cut, or was never preceded by all of it.
CUT = "part of the JPEG's data is missing, and of the picture grey or coarse there"
ORIENTATION_TAG = 0x0112
TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
PILLOW_FORMATS = {
    "jpeg": ("JPEG", "MPO"), "png": ("PNG",), "webp": ("WEBP",), "gif": ("GIF",), "bmp": ("BMP",),
    "tiff": ("TIFF",), "ppm": ("PPM",),
}  # fmt: skip

# Between its limit and twice that, Pillow only warns of a decompression bomb.
warnings.simplefilter("error", Image.DecompressionBombWarning)
PngImagePlugin.MAX_TEXT_CHUNK = MOST_TEXT
# What Pillow says of odd metadata is kept as a header's note, not printed for every file.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


@dataclass(frozen=True)
class Header:
    """What a file says of its image.

    Attributes
    ----------
    format
        "jpeg", "png", "webp", "gif", "bmp", "tiff" or "ppm", by its first bytes.
    width, height
        After the orientation is applied, pixels.
    orientation
        EXIF's number, 1 (upright) to 8.
    note
        What was odd and passed over, such as EXIF data that cannot be read; mostly empty.
    """

    format: str
    width: int
    height: int
    orientation: int
    note: str


def decode(data: bytes) -> RGB:
    """Decode the first frame of an image file.

    Parameters
    ----------
    data
        The file's bytes.

    Returns
    -------
    (H, W, 3) uint8
        RGB, the orientation applied.

    Raises
    ------
    ImageError
        If the file is not a whole image of an allowed format.
    """
    image, name = _open(data)
    try:
        orientation = _orientation(image, name, data)
        image.load()
        upright = _rgb(image)
        # Pillow turns a TIFF by itself when it is loaded.
        turn = None if name == "tiff" else TRANSPOSE.get(orientation)
        return np.asarray(upright if turn is None else upright.transpose(turn))
    except Exception as error:
        raise _image_error(error) from error


def header(data: bytes) -> Header:
    """Read format, size and orientation; of PNG also the checksums, of JPEG whether its end is there.

    Raises
    ------
    ImageError
        If the file is empty, of a format that is not allowed, too large, or visibly damaged.
    """
    return _header(*_open(data), data)


def check(data: bytes) -> Header:
    """Read the header and decode without keeping the pixels.

    A JPEG is decoded at an eighth of its size, which reads its whole stream in a third of the time. What a
    decoder passes over, data that are missing before its end mark, is noted.

    Raises
    ------
    ImageError
        Where `decode` would raise it.
    """
    image, name = _open(data)
    found = _header(image, name, data)
    endless = open_ended(data) if name == "jpeg" else None
    if endless is not None and _decodes(endless):
        return found
    try:
        image.draft(None, (1, 1))
        image.load()
        _rgb(image)
    except Exception as error:
        raise _image_error(error) from error
    cut = endless is not None or (name == "jpeg" and lacks_passes(data))
    return replace(found, note="; ".join(filter(None, (found.note, CUT)))) if cut else found


def _decodes(data: bytes) -> bool:
    """Return whether a JPEG holds all that its decoder asks for."""
    try:
        with Image.open(io.BytesIO(data), formats=PILLOW_FORMATS["jpeg"]) as image:
            image.draft(None, (1, 1))
            image.load()
    except Exception:  # noqa: BLE001 - what a decoder raises of a damaged file, it raises again of the whole one
        return False
    return True


def _open(data: bytes) -> tuple[Image.Image, str]:
    """Open an image of an allowed format, nothing decoded yet, after the checks that Pillow lacks."""
    name = image_format(data)
    if name == "png":
        check_png(data)
    if name == "jpeg" and data.rfind(END) < 0:
        raise ImageError("damaged", "truncated: the end of the JPEG stream is missing")
    # Another library in this process may have switched it on; grey where data are missing is no image.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        image = Image.open(io.BytesIO(data), formats=PILLOW_FORMATS[name])
    except Exception as error:
        raise _image_error(error) from error
    if image.width * image.height > MOST_PIXELS:
        raise ImageError("too large", f"{image.width}x{image.height} pixels, more than {MOST_PIXELS}")
    if image.width * image.height == 0:
        raise ImageError("too small", f"{image.width}x{image.height} pixels")
    return image, name


def _header(image: Image.Image, name: str, data: bytes) -> Header:
    try:
        orientation = _orientation(image, name, data)
    except Exception as error:
        raise _image_error(error) from error
    width, height = image.size
    if orientation >= 5 and name != "tiff":
        width, height = height, width
    return Header(name, width, height, orientation, _note(image))


def _orientation(image: Image.Image, name: str, data: bytes) -> int:
    """Return EXIF's orientation, 1 where it is absent or cannot be read."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        value: Any = image.tag_v2.get(ORIENTATION_TAG, 1)
    else:
        if name == "png" and has_late_metadata(data):
            image.load()
        try:
            # Of PNG, Pillow's own getexif decodes the whole image.
            value = Image.Image.getexif(image).get(ORIENTATION_TAG, 1)
        except Exception:
            # Whatever a parser of damaged metadata raises, the pixels are whole; `_note` tells of it.
            value = 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _note(image: Image.Image) -> str:
    """Return what is wrong with the EXIF data; Pillow itself passes over it."""
    if "exif" not in image.info:
        return ""
    exif = Image.Exif()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            exif.load(image.info["exif"])
        except Exception as error:
            return f"EXIF data cannot be read: {error}"
    return str(caught[0].message) if caught else "" if len(exif) else "EXIF data without a tag"


def _rgb(image: Image.Image) -> Image.Image:
    """Convert to RGB as the module's docstring says."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM"):
        return _from_16_bits(image)
    if image.mode in ("I", "F"):
        raise ImageError("pixel format", f"pixels of 32 bits (mode {image.mode}) have no stated white")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, WHITE), image).convert("RGB")
    return image.convert("RGB")


def _from_16_bits(image: Image.Image) -> Image.Image:
    inverted = isinstance(image, TiffImagePlugin.TiffImageFile) and image.tag_v2.get(262) == 0
    if inverted or "transparency" in image.info:
        raise ImageError("pixel format", "16-bit grey with transparency or with white as zero is not read")
    grey = (np.asarray(image).astype(np.uint32) * 255 + 32767) // 65535
    return Image.fromarray(grey.astype(np.uint8)).convert("RGB")


def _image_error(error: Exception) -> ImageError:
    """Turn whatever a decoder raises into an `ImageError`."""
    if isinstance(error, ImageError):
        return error
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError)):
        return ImageError("too large", str(error) or "not enough memory")
    if "MAX_TEXT" in str(error):
        return ImageError("too large", f"more than {MOST_TEXT} bytes of text or profile within the file")
    # Pillow names the in-memory file by its address, which would make the reason differ at every run.
    text = str(error).split("<_io.BytesIO")[0].strip() or type(error).__name__
    return ImageError("damaged", text)
