"""What the bytes of an image file tell before any decoder sees them, and why an image cannot be used.

- `image_format`: the format, by magic bytes against an allow-list
- `png_chunks`, `check_png`, `has_late_metadata`: the parts of a PNG, whose checksums Pillow passes over
- `ImageError`: what is wrong with an image, with one of `REASONS`
"""

import struct
import zlib
from collections.abc import Iterator

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
    (0, b"\0\0\1\0", "ICO"), (0, b"DDS ", "DDS"), (0, b"<svg", "SVG"),
)  # fmt: skip
ALLOWED = ("jpeg", "png", "webp", "gif", "bmp", "tiff")


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
    for offset, magic, name in REFUSED_MAGIC:
        if data.startswith(magic, offset):
            allowed = ", ".join(ALLOWED)
            raise ImageError("format not allowed", f"{name} is not read; allowed: {allowed}")
    raise ImageError("not an image", f"begins with {data[:12]!r}")


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
