"""What the bytes of an image file tell before any decoder sees them, and why an image cannot be used.

- `image_format`: the format, by magic bytes against an allow-list
- `png_chunks`, `check_png`, `has_late_metadata`: the parts of a PNG, whose checksums Pillow passes over
- `ImageError`: what is wrong with an image, with one of `REASONS`
"""

import re
import struct
import zlib
from collections.abc import Iterator

from pipeline.errors import stand_in

REASONS = {
    "empty": "the file has no bytes",
    "not an image": "its first bytes are those of no image format",
    "format not allowed": "an image or document of a format that is not read",
    "damaged": "truncated, a wrong checksum, or a broken stream",
    "pixel format": "values without a stated white",
    "too large": "more pixels or bytes than the limit",
    "too small": "no pixels, or fewer than the limit",
    "timeout": "not decoded within the time limit",
    "crashed": "the decoder's process died",
    "missing": "no such file",
    "unreadable": "the system refuses to read it",
    "not a file": "a pipe, a device, a broken link or a loop of links",
    "changed": "not the bytes that the manifest lists",
}

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Magic bytes at an offset, the format's name, and whether it is read.
MAGIC = (
    (0, b"\xff\xd8\xff", "jpeg"), (0, PNG_SIGNATURE, "png"), (8, b"WEBP", "webp"), (0, b"GIF87a", "gif"),
    (0, b"GIF89a", "gif"), (0, b"BM", "bmp"), (0, b"II*\0", "tiff"), (0, b"MM\0*", "tiff"),
    (0, b"II+\0", "tiff"), (0, b"MM\0+", "tiff"),
)  # fmt: skip
REFUSED_MAGIC = (
    (4, b"ftypavi", "AVIF"), (4, b"ftyphe", "HEIC"), (4, b"ftypmif1", "HEIC"), (4, b"ftypmsf1", "HEIC"),
    (4, b"ftyp", "ISO media"), (0, b"%!PS", "EPS"), (0, b"\xc5\xd0\xd3\xc6", "EPS"), (0, b"8BPS", "PSD"),
    (0, b"SIMPLE  =", "FITS"), (0, b"%PDF", "PDF"), (0, b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"), (0, b"\xff\x0a", "JPEG XL"), (0, b"\0\0\0\x0cJXL ", "JPEG XL"),
    (0, b"\0\0\1\0", "ICO"), (0, b"DDS ", "DDS"), (0, b"<svg", "SVG"), (0, b"P7\n", "PAM"),
    (0, b"PF\n", "PFM"), (0, b"Pf\n", "PFM"), (0, b"v/1\1", "OpenEXR"), (0, b"#?RADIANCE", "Radiance HDR"),
)  # fmt: skip
ALLOWED = ("jpeg", "png", "webp", "gif", "bmp", "tiff", "ppm")
# PPM, PGM and PBM, as text or binary.
PPM = re.compile(rb"P[1-6][ \t\r\n#]")
# TGA has no mark at its start: length of a comment, colour map or none, kind, ..., bits of a pixel.
TGA = re.compile(
    rb".(?:\x00[\x02\x03\x0a\x0b]\x00{5}|\x01[\x01\x09].{5}).{8}[\x01\x08\x0f\x10\x18\x20]", re.DOTALL
)
SVG = re.compile(rb"\s*<\?xml.{0,2000}<svg", re.DOTALL)
HEAD = 64  # bytes that are enough to tell the format of all that is read


class ImageError(Exception):
    """An image that cannot be used.

    Attributes
    ----------
    reason
        One of `REASONS`.
    message
        What is wrong with this one.
    """

    def __init__(self, reason: str, message: str) -> None:
        assert reason in REASONS, reason
        super().__init__(reason, message)
        self.reason, self.message = reason, message

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"


def image_format(data: bytes) -> str:
    """Return the format that the first bytes tell; extensions are not believed.

    Raises
    ------
    ImageError
        "empty", "not an image", or "format not allowed" with the format's name.
    """
    if not data:
        raise ImageError("empty", "the file has no bytes")
    for offset, magic, name in MAGIC:
        if data.startswith(magic, offset):
            return name
    if PPM.match(data):
        return "ppm"
    refused = next((name for offset, magic, name in REFUSED_MAGIC if data.startswith(magic, offset)), None)
    refused = refused or ("SVG" if SVG.match(data) else "TGA" if TGA.match(data) else None)
    allowed = f"allowed: {', '.join(ALLOWED)}"
    if refused:
        raise ImageError("format not allowed", f"{refused} is not read; {allowed}")
    raise ImageError("not an image", stand_in(data) or f"begins with {data[:12]!r}; {allowed}")


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield type, start and end of the content of each chunk of a PNG, up to its end mark."""
    place = len(PNG_SIGNATURE)
    while place + 12 <= len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        place += length + 12
        if place > len(data):
            break
        yield kind, place - length - 4, place - 4
        if kind == b"IEND":
            return
    raise ImageError("damaged", "truncated: the end of the PNG stream is missing")


def check_png(data: bytes) -> None:
    """Check the checksum of every chunk: Pillow passes over those of the pixels."""
    view = memoryview(data)
    for kind, start, end in png_chunks(data):
        if zlib.crc32(view[start - 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
            raise ImageError("damaged", f"wrong checksum of PNG chunk {kind.decode('ascii', 'replace')}")


def has_late_metadata(data: bytes) -> bool:
    """Return whether a PNG has metadata after its pixels, where exiftool writes it."""
    kinds = [kind for kind, _, _ in png_chunks(data)]
    return any(kind in (b"eXIf", b"iTXt", b"zTXt", b"tEXt") for kind in kinds[kinds.index(b"IDAT") :])
