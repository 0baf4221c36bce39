"""What the bytes of an image tell the manifest: digest, size, and whether they can be decoded."""

import hashlib
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pipeline.dataset.dataset import Dataset
from pipeline.images.decoding import check, header
from pipeline.images.image_file import ImageError
from pipeline.manifest.record import Record

Depth: TypeAlias = Literal["pixels", "headers"]


@dataclass(frozen=True, slots=True)
class Inspection:
    """The finding on one image.

    Attributes
    ----------
    sha256
        Of the file, 32 bytes; none where it could not be read.
    width, height
        After the orientation was applied, pixels.
    orientation
        EXIF's number, 1 to 8.
    note
        What was odd and passed over.
    reason, message
        Why the image cannot be used; empty where it can.
    """

    sha256: bytes = b""
    width: int = 0
    height: int = 0
    orientation: int = 1
    note: str = ""
    reason: str = ""
    message: str = ""


def inspect(dataset: Dataset, record: Record, depth: Depth) -> Inspection:
    """Read an image file, hash it, read its header, and decode it if asked for.

    Parameters
    ----------
    dataset
        From `pipeline.dataset.dataset.open_dataset`.
    record
        The image.
    depth
        "pixels" decodes, which finds every damage; "headers" leaves that to the first stage that decodes.

    Returns
    -------
    Inspection

    Raises
    ------
    UserError
        If the path leads out of the dataset.
    """
    digest = b""
    try:
        data = dataset.read(record.path)
        digest = hashlib.sha256(data).digest()
        head = check(data) if depth == "pixels" else header(data)
    except ImageError as error:
        return Inspection(digest, reason=error.reason, message=error.message)
    return Inspection(digest, head.width, head.height, head.orientation, head.note)
