"""The report as one zip: the same report and revision give the same bytes."""

import zipfile
from pathlib import Path

from pipeline.errors import UserError
from pipeline.publish.content import Content
from pipeline.store.replacing import replaced

# The earliest time that a zip can hold; a real one would change the bytes.
TIME = (1980, 1, 1, 0, 0, 0)
MODE = 0o100644 << 16
# Pictures are compressed already.
STORED = {".png", ".jpg", ".webp", ".pdf"}


def write_archive(content: Content, out: Path) -> None:
    """Write what is published into a zip, in which it lies in a folder of the report's name.

    Parameters
    ----------
    content
        The report.
    out
        The zip; replaced only when the new one is whole.

    Raises
    ------
    UserError
        If the zip cannot be written.
    """
    top = Path(content.report.resolve().name)
    try:
        with replaced(out) as partial, zipfile.ZipFile(partial, "w") as archive:
            for name, data in content.files():
                _add(archive, (top / name).as_posix(), data)
    except OSError as error:
        raise UserError(f"{out}: cannot be written: {error.strerror}") from error


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, TIME)
    entry.external_attr = MODE
    entry.create_system = 3  # Unix, wherever this runs
    packed = Path(name).suffix.lower() not in STORED
    entry.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    archive.writestr(entry, content)
